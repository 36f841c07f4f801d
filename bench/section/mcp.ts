// The time that iddio adds to a call of an MCP server over stdin and stdout: an official server
// through the compiled `iddio mcp run`, against the same server without it, one call after the
// other. A call that may change something has its intent on disk before the server sees it, so the
// disk's own sync is measured beside it.

import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { startGatewayProcess } from "../../test/support/gateway.ts";
import { connectThrough, connectTo, officialServer } from "../../test/support/mcp/mcp-client.ts";
import type { Section } from "../bench.ts";
import { median } from "../series.ts";

const CALLS = { quick: 500, whole: 2_000 };

/** The same server under two names: of one its word is trusted, so its reads are reads. */
const POLICY = `mcp:
  default: escalate
  trust_annotations: [reads]
  groups:
    echo: {commands: ["*/echo"]}
  rules:
    allow: {groups: [echo]}
`;

/** Delay of a tool call. */
export const mcpSection: Section = {
  name: "mcp",
  summary: "MCP: what a tool call over stdin and stdout takes longer",
  async run({ report, isQuick }) {
    await using gateway = await startGatewayProcess({ policy: POLICY });
    await using plain = await connectTo(officialServer("everything"));
    await using reads = await connectThrough(gateway, "reads", officialServer("everything"));
    await using changes = await connectThrough(gateway, "changes", officialServer("everything"));
    for (const { client } of [reads, changes]) await client.listTools();
    const call = async ({ client }: typeof plain, turn: number) => {
      const started = performance.now();
      await client.callTool({ name: "echo", arguments: { message: `hello ${turn}` } });
      return performance.now() - started;
    };
    const sync = syncOf(join(gateway.home, "sync"));
    const times = {
      direct: [] as number[],
      reads: [] as number[],
      changes: [] as number[],
      sync: [] as number[],
    };
    for (let turn = 0; turn < (isQuick ? CALLS.quick : CALLS.whole); turn += 1) {
      const now = {
        direct: await call(plain, turn),
        reads: await call(reads, turn),
        changes: await call(changes, turn),
        sync: sync(),
      };
      // The first calls are those of a program that is still cold.
      if (turn >= 100) for (const [way, ms] of Object.entries(now)) times[way as keyof typeof now].push(ms);
    }
    const [direct, read, change, disk] = [times.direct, times.reads, times.changes, times.sync].map(
      median,
    ) as [number, number, number, number];
    report.table([
      ["", "ms at the median"],
      ["direct", direct.toFixed(2)],
      ["through iddio, a call that reads", read.toFixed(2)],
      ["through iddio, a call that changes", change.toFixed(2)],
      ["the disk's own sync", disk.toFixed(2)],
    ]);
    const bar = { limit: 1, wants: "at most", unit: " ms" } as const;
    report.bar({ ...bar, what: "iddio adds to a tool call that reads", value: read - direct });
    report.bar({ ...bar, what: "to one that changes, beside the sync", value: change - direct - disk });
  },
};

/** Appends a row and waits for the disk, as the audit log does; gives the milliseconds. */
function syncOf(path: string): () => number {
  const row = Buffer.alloc(600, "x");
  return () => {
    const file = openSync(path, "a");
    writeSync(file, row);
    const started = performance.now();
    fdatasyncSync(file);
    const elapsed = performance.now() - started;
    closeSync(file);
    return elapsed;
  };
}
