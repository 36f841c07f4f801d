// The parts that the feature run adds to the command line, the control API and doctor. Loaded at
// every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import { RUN_COMMANDS } from "./run.ts";
import { runBridgeCommand } from "./run-bridge.ts";

/** Runs agents in a sandbox whose only way out is the proxy. */
export const runFeature: Feature = {
  name: "run",
  about: "Runs agents in a sandbox whose only way out is the proxy",
  commands: [...RUN_COMMANDS, runBridgeCommand],
  nouns: { run: "Agents in a sandbox" },
  methods: ["runs_list", "runs_start", "runs_stop"],
  daemon: async () => (await import("./daemon-part.ts")).startRuns,
};
