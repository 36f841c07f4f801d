// `iddio man`: the manual page, for `iddio man | man -l -` and for anyone who packages iddio.

import { BUILD_VERSION } from "../../version.ts";
import type { Command } from "../kit/command.ts";

/** Prints iddio(1) as roff. */
export const manCommand: Command = {
  name: "man",
  summary: "Print the manual page, in roff",
  examples: ["iddio man | man -l -"],
  async run({ output }) {
    const { renderManPage } = await import("../man-page.ts");
    const { COMMANDS } = await import("../registry.ts");
    output.write(renderManPage(COMMANDS, BUILD_VERSION));
  },
};
