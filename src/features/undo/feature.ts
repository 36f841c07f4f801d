// The parts that the feature undo adds to the command line, the control API and doctor. Loaded at
// every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import { undoApplyCommand, undoClearCommand, undoListCommand, undoShowCommand } from "./commands.ts";

/** Keeps objects of clusters before they change, and takes changes back. */
export const undoFeature: Feature = {
  name: "undo",
  about: "Keeps objects of clusters before they change, and takes changes back",
  commands: [undoListCommand, undoShowCommand, undoApplyCommand, undoClearCommand],
  nouns: { undo: "Changes of clusters that can be taken back" },
  methods: ["undo_list", "undo_show", "undo_look", "undo_clear"],
  settings: ["undo_failure", "undo_keep", "undo_secrets"],
  stages: ["keep"],
  daemon: async () => (await import("./daemon-part.ts")).startUndo,
};
