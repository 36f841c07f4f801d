// The parts that the feature policy adds to the command line, the control API and doctor. Loaded at
// every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import { policyCheckCommand, policyDiffCommand } from "./compare.ts";
import { policyEditCommand } from "./edit.ts";
import { policyExplainCommand } from "./explain.ts";
import { policyLintCommand } from "./lint.ts";
import {
  policyReloadCommand,
  policySchemaCommand,
  policyShowCommand,
  policyValidateCommand,
} from "./policy.ts";
import { policyReplayCommand } from "./replay.ts";
import { policySuggestCommand } from "./suggest.ts";
import { policyTestCommand } from "./test.ts";

/** Shows, edits, explains, tests and compares policies. */
export const policyFeature: Feature = {
  name: "policy",
  about: "Shows, edits, explains, tests and compares policies",
  commands: [
    policyShowCommand,
    policyEditCommand,
    policyValidateCommand,
    policyReloadCommand,
    policySchemaCommand,
    policyExplainCommand,
    policyLintCommand,
    policyReplayCommand,
    policySuggestCommand,
    policyTestCommand,
    policyDiffCommand,
    policyCheckCommand,
  ],
  nouns: { policy: "Rules that allow, hold and refuse requests" },
  methods: [
    "policy_show",
    "policy_reload",
    "policy_write",
    "policy_lint",
    "policy_diff",
    "policy_explain",
    "policy_replay",
    "policy_suggest",
    "policy_versions",
    "inspect_summary",
    "inspect_add",
    "inspect_remove",
  ],
  daemon: async () => (await import("./daemon-part.ts")).startPolicy,
};
