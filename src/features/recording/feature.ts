// What the feature recording brings to the command line, the control API and doctor. Loaded at every start: what is heavy
// stays behind a function. The contract is cli/kit/feature.ts.

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
  nouns: { session: "What agents did inside of containers" },
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
};
