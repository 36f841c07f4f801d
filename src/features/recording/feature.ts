// The parts that the feature recording adds to the command line, the control API and doctor. Loaded
// at every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import {
  sessionEndCommand,
  sessionExportCommand,
  sessionFollowCommand,
  sessionListCommand,
  sessionReplayCommand,
  sessionShowCommand,
} from "./commands.ts";

/** Records sessions into clusters and replays them. */
export const recordingFeature: Feature = {
  name: "recording",
  about: "Records sessions into clusters and replays them",
  commands: [
    sessionListCommand,
    sessionShowCommand,
    sessionReplayCommand,
    sessionFollowCommand,
    sessionExportCommand,
    sessionEndCommand,
  ],
  nouns: { session: "Recordings of agents' sessions in containers" },
  methods: ["sessions_list", "sessions_show", "sessions_read", "sessions_read_on", "sessions_end"],
  settings: [
    "record_sessions",
    "record_port_forward",
    "record_stdin",
    "recording_failure",
    "recording_limit",
    "recording_keep",
  ],
  stages: ["record"],
  daemon: async () => (await import("./daemon-part.ts")).startRecording,
};
