// The parts that the feature update adds to the command line, the control API and doctor. Loaded at
// every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import { updateApplyCommand, updateCheckCommand, updateStatusCommand } from "./update.ts";
import { upgradeCommand } from "./upgrade.ts";

/** Finds, checks and installs newer releases. */
export const updateFeature: Feature = {
  name: "update",
  about: "Finds, checks and installs newer releases",
  commands: [upgradeCommand, updateCheckCommand, updateStatusCommand, updateApplyCommand],
  nouns: { update: "The daemon's own update" },
  methods: ["update_status", "update_check", "update_apply"],
  settings: ["update_mode", "update_interval", "update_feed"],
  tables: ["update_state"],
  daemon: async () => (await import("./daemon-part.ts")).startUpdates,
};
