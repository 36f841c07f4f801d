// The step of the build that deflates the tables of operations: they are written to be read in a diff and would
// take 4 MB of the program. Blocks, so that a question about one service opens little.

import { readFileSync } from "node:fs";
import type { BunPlugin } from "bun";
import { servicesOf } from "../../src/protocols/catalogue.ts";

/** Characters of a block at least, as far as services end there. */
const BLOCK = 48 * 1024;

/** The module that stands for a table in the built program; its default export is a PackedTable. */
export function packedModule(text: string): string {
  const services: string[] = [];
  const blocks: string[] = [];
  let [names, lines, size]: [string[], string[], number] = [[], [], 0];
  const close = (): void => {
    if (lines.length === 0) return;
    services.push(names.join(" "));
    blocks.push(Buffer.from(Bun.deflateSync(lines.join("\n"), { level: 9 })).toString("base64"));
    [names, lines, size] = [[], [], 0];
  };
  for (const [service, own] of servicesOf(text)) {
    names.push(service);
    lines.push(...own);
    size += own.reduce((sum, line) => sum + line.length, 0);
    if (size >= BLOCK) close();
  }
  close();
  return `const blocks = ${JSON.stringify(blocks)};
export default {
  services: ${JSON.stringify(services)},
  open: (index) => Buffer.from(Bun.inflateSync(Buffer.from(blocks[index], "base64"))).toString("latin1"),
};`;
}

/** Embeds the packed module in place of every operations.tsv. */
export const packTables: BunPlugin = {
  name: "pack-tables",
  setup(build) {
    build.onLoad({ filter: /\/operations\.tsv$/ }, ({ path }) => ({
      contents: packedModule(readFileSync(path, "utf8")),
      loader: "js",
    }));
  },
};
