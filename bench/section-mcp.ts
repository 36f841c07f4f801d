// The time that iddio adds to a call of an MCP server over stdin and stdout: an official server
// through the compiled `iddio mcp run`, against the same server without it, one call after the
// other.

import { startGatewayProcess } from "../test/support/gateway.ts";
import { connectThrough, connectTo, officialServer } from "../test/support/mcp-client.ts";
import type { Section } from "./bench.ts";
import { median } from "./series.ts";

const CALLS = { quick: 500, whole: 3_000 };

const POLICY = `mcp:
  default: escalate
  groups:
    echo: {commands: ["everything/echo"]}
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
    await using through = await connectThrough(gateway, "everything", officialServer("everything"));
    await through.client.listTools();
    const ways = { direct: plain.client, "through iddio": through.client };
    const series = new Map<string, number[]>(Object.keys(ways).map((way) => [way, []]));
    for (let call = 0; call < (isQuick ? CALLS.quick : CALLS.whole); call += 1)
      for (const [way, client] of Object.entries(ways)) {
        const started = performance.now();
        await client.callTool({ name: "echo", arguments: { message: `hello ${call}` } });
        // The first calls are those of a program that is still cold.
        if (call >= 100) series.get(way)?.push(performance.now() - started);
      }
    const ms = (way: string) => median(series.get(way) ?? []);
    report.table([["", "ms at the median"], ...Object.keys(ways).map((way) => [way, ms(way).toFixed(2)])]);
    report.bar({
      what: "iddio adds to a tool call",
      value: ms("through iddio") - ms("direct"),
      limit: 1,
      wants: "at most",
      unit: " ms",
    });
  },
};
