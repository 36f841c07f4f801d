// What the feature run brings to the command line, the control API and doctor. Loaded at every start: what is heavy
// stays behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import {
  runBridgeCommand,
  runCommand,
  runListCommand,
  runProfilesCommand,
  runQuarantineCommand,
  runRestoreCommand,
  runStopCommand,
} from "./run.ts";

/** Runs agents in a sandbox whose only way out is the proxy. */
export const runFeature: Feature = {
  name: "run",
  about: "Runs agents in a sandbox whose only way out is the proxy",
  commands: [
    runCommand,
    runListCommand,
    runStopCommand,
    runProfilesCommand,
    runQuarantineCommand,
    runRestoreCommand,
    runBridgeCommand,
  ],
  nouns: { run: "Agents in a sandbox" },
  methods: ["runs_list", "runs_start", "runs_stop"],
};
