// The parts that the feature hooks adds to the command line, the control API and doctor. Loaded at
// every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import { hookCommand, hooksDoctorCommand, hooksInstallCommand, hooksUninstallCommand } from "./hook.ts";

/** Judges the command lines of agents before they run. */
export const hooksFeature: Feature = {
  name: "hooks",
  about: "Judges the command lines of agents before they run",
  commands: [hookCommand, hooksInstallCommand, hooksUninstallCommand, hooksDoctorCommand],
  nouns: { hooks: "Agents that ask before they run a command" },
  methods: ["hooks_judge"],
  daemon: async () => (await import("./daemon-part.ts")).startHooks,
};
