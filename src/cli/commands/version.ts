// `iddio version`: the same as `iddio --version`.

import { BUILD_VERSION } from "../../version.ts";
import { type Command, JSON_FLAG } from "../kit/command.ts";

/** Prints the build's version. */
export const versionCommand: Command = {
  name: "version",
  summary: "Print the version of this program",
  flags: [JSON_FLAG],
  async run({ flags, output }) {
    if (flags.has("json")) output.json({ build_version: BUILD_VERSION });
    else output.line(`iddio ${BUILD_VERSION}`);
  },
};
