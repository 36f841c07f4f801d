// The tools that well-known servers on npm publish, with the tier that each gets and why:
// mcp-tools.tsv is the table that people read, mcp-tools.jsonl.gz has the definitions as the
// servers sent them.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suspicionOf } from "../../src/features/mcp/judge/hidden-text.ts";
import { classifyCall } from "../../src/protocols/mcp/classify-call.ts";

interface Published {
  readonly package: string;
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: unknown;
  readonly annotations?: { readonly readOnlyHint?: boolean; readonly destructiveHint?: boolean };
}

const FOLDER = join(import.meta.dir, "data");
const rows = readFileSync(join(FOLDER, "mcp-tools.tsv"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => line.split("\t"));
const tools = new TextDecoder()
  .decode(Bun.gunzipSync(readFileSync(join(FOLDER, "mcp-tools.jsonl.gz"))))
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Published);

test("each of the published tools has the tier of the table, for the reason that it gives", () => {
  expect(rows.length).toBeGreaterThanOrEqual(100);
  const found = tools.map((tool) => {
    const of = (isTrusted: boolean) =>
      classifyCall(
        { server: "s", method: "tools/call", params: { name: tool.name } },
        { tool: { annotations: tool.annotations ?? {} }, isTrusted },
      );
    const trusted = of(true);
    return [tool.package, tool.name, of(false).tier, trusted.tier, trusted.reason];
  });
  expect(found).toEqual(rows);
});

test("without trust no tool is observe, and with it none that its server does not call a read", () => {
  for (const [index, [, name, tier, trusted]] of rows.entries()) {
    expect(tier, name).not.toBe("observe");
    if (trusted === "observe") expect(tools[index]?.annotations?.readOnlyHint, name).toBe(true);
  }
});

test("no honest definition is suspicious", () => {
  const found = tools.flatMap(({ name, description = "", inputSchema }) => {
    const why = suspicionOf(`${name}\n${description}\n${JSON.stringify(inputSchema)}`);
    return why === undefined ? [] : [`${name}: ${why}`];
  });
  expect(found).toEqual([]);
});
