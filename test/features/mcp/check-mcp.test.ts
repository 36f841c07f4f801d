import { expect, test } from "bun:test";
import { type McpServerFacts, mcpFinding } from "../../../src/features/mcp/check-mcp.ts";

const rows: readonly {
  readonly what: string;
  readonly mcp: readonly McpServerFacts[] | undefined;
  readonly is: object;
}[] = [
  { what: "an older daemon is not asked", mcp: undefined, is: { verdict: "skip" } },
  { what: "no server is fine", mcp: [], is: { verdict: "ok" } },
  {
    what: "what waits is named with the command that shows it",
    mcp: [
      { name: "a", waits: 0, identities: [{}] },
      { name: "b", waits: 2, identities: [{}] },
    ],
    is: { verdict: "warn", detail: "hidden until it is reviewed: something of b", fix: "iddio mcp review b" },
  },
  {
    what: "code that is not pinned is said",
    mcp: [{ name: "a", waits: 0, identities: [{ unpinned: "npx fetches it" }] }],
    is: { verdict: "ok", detail: "1 seen, nothing waits; code not pinned: a" },
  },
];
for (const { what, mcp, is } of rows)
  test(what, () => expect(mcpFinding(mcp, { database: "state.db" })).toMatchObject(is));
