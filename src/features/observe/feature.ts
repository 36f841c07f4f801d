// The parts that the feature observe adds to the command line, the control API and doctor. Loaded
// at every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import {
  observeClearCommand,
  observeShowCommand,
  observeStartCommand,
  observeStatusCommand,
  observeStopCommand,
} from "./observe.ts";

/** Judges and records for a while without blocking anything. */
export const observeFeature: Feature = {
  name: "observe",
  about: "Judges and records for a while without blocking anything",
  commands: [
    observeStartCommand,
    observeStopCommand,
    observeStatusCommand,
    observeShowCommand,
    observeClearCommand,
  ],
  nouns: { observe: "A trial: judge and record, block nothing" },
  methods: ["observe_status", "observe_start", "observe_stop", "observe_clear"],
  tables: ["observe_session"],
  daemon: async () => (await import("./daemon-part.ts")).startObserve,
};
