// The parts that the feature guard adds to the command line, the control API and doctor. Loaded at
// every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import {
  guardEnrollCommand,
  guardRecoveryCommand,
  guardRemoveCommand,
  guardReplaceCommand,
  guardStatusCommand,
} from "./commands.ts";

/** Proves that a person, not an agent, answers and widens. */
export const guardFeature: Feature = {
  name: "guard",
  about: "Proves that a person, not an agent, answers and widens",
  commands: [
    guardStatusCommand,
    guardEnrollCommand,
    guardReplaceCommand,
    guardRemoveCommand,
    guardRecoveryCommand,
  ],
  nouns: { guard: "The proof that a person, not an agent, approves" },
  methods: ["guard_status", "guard_enroll", "guard_confirm", "guard_remove", "guard_recovery"],
  settings: ["approval_guard"],
  tables: ["guard_factor", "guard_recovery", "approved_text"],
  checks: async () => [
    { name: "guard", check: (await import("./check-guard.ts")).checkGuard, after: "proxy mode" },
  ],
  daemon: async () => (await import("./daemon-part.ts")).startGuard,
};
