// The parts that the feature forward adds to the command line, the control API and doctor. Loaded
// at every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import {
  forwardAddCommand,
  forwardListCommand,
  forwardRemoveCommand,
  forwardRotateCommand,
  forwardTestCommand,
} from "./commands.ts";

/** Sends audit rows to syslog, OpenTelemetry, webhooks, object stores and files. */
export const forwardFeature: Feature = {
  name: "forward",
  about: "Sends audit rows to syslog, OpenTelemetry, webhooks, object stores and files",
  commands: [
    forwardAddCommand,
    forwardListCommand,
    forwardTestCommand,
    forwardRotateCommand,
    forwardRemoveCommand,
  ],
  nouns: { forward: "Receivers of audit rows" },
  methods: ["forward_list", "forward_add", "forward_rotate", "forward_test", "forward_remove"],
  tables: ["sinks"],
  checks: async () => [
    { name: "forwarding", check: (await import("./check-forward.ts")).checkForward, after: "audit" },
  ],
  daemon: async () => (await import("./daemon-part.ts")).startForward,
};
