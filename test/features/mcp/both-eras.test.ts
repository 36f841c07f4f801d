// The official SDK 2.x as client and as server, in the era of 2025 and in the stateless one of
// 2026, over stdin and over a local address: what is allowed passes, what is held goes on when a
// person has said yes, and only then.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { builtBinary } from "../../support/built-binary.ts";
import { type GatewayProcess, startGatewayProcess } from "../../support/gateway.ts";
import { ownServer } from "../../support/mcp/mcp-client.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

setDefaultTimeout(240_000);

const POLICY = `mcp:
  default: escalate
  groups:
    free: {commands: ["both/echo"]}
  rules:
    allow: {groups: [free]}
`;

const ERAS = [
  ["of 2025", { mode: "legacy" }, "legacy"],
  ["of 2026", { mode: { pin: "2026-07-28" } }, "modern"],
  ["that the client finds out", { mode: "auto" }, "modern"],
] as const;

/** Lists, calls what is allowed, calls what is held. */
async function drive(client: Client, gateway: GatewayProcess, calls: () => Promise<string>, era: string) {
  expect((await client.listTools()).tools.map(({ name }) => name).sort()).toEqual(["change_it", "echo"]);
  expect(await client.callTool({ name: "echo", arguments: {} })).toMatchObject({
    content: [{ text: `${era} did echo` }],
  });
  const call = client.callTool({ name: "change_it", arguments: {} }, { timeout: 200_000 });
  const held = await gateway.held();
  expect(held).toMatchObject({ protocol: "mcp", command: "both/change_it" });
  // Long enough for the client to hear that it waits, and to come again.
  await Bun.sleep(1_500);
  expect(await calls()).toBe(`${era} echo\n`);
  await gateway.approve();
  expect(await call).toMatchObject({ content: [{ text: `${era} did change_it` }] });
  const denied = client.callTool({ name: "change_it", arguments: {} }, { timeout: 200_000 });
  await gateway.deny("no");
  expect(await denied).toMatchObject({ isError: true });
  expect(await calls()).toBe(`${era} echo\n${era} change_it\n`);
}

/** The client of 2026 comes again by itself when it is told to; that of 2025 would pass the advice on to its model. */
const patience = (era: string) => ({ IDDIO_MCP_PATIENCE: era === "modern" ? "200,1000" : "200,100000" });

for (const [name, versionNegotiation, era] of ERAS)
  describe(`the era ${name}`, () => {
    test.concurrent("over stdin and stdout", async () => {
      await using files = await temporaryDirectory();
      const file = join(files.path, "calls");
      await using gateway = await startGatewayProcess({ policy: POLICY });
      const client = new Client({ name: "t", version: "1" }, { versionNegotiation });
      await client.connect(
        new StdioClientTransport({
          command: builtBinary(),
          args: ["mcp", "run", "--name", "both", "--", ...ownServer("both-eras", file)],
          env: {
            PATH: process.env.PATH ?? "",
            HOME: gateway.home,
            IDDIO_HOME: gateway.home,
            ...patience(era),
          },
        }),
      );
      await drive(client, gateway, () => readFile(file, "utf8"), era);
      await client.close();
    });

    test.concurrent("over a local address", async () => {
      await using files = await temporaryDirectory();
      const file = join(files.path, "calls");
      const server = Bun.spawn([...ownServer("both-eras", file, "http")], {
        stdout: "pipe",
        stderr: "inherit",
      });
      try {
        const first = await server.stdout.getReader().read();
        const at = new TextDecoder().decode(first.value).trim();
        await using gateway = await startGatewayProcess({ policy: POLICY, env: patience(era) });
        const added = await gateway.run(["mcp", "add", "both", at]);
        const client = new Client({ name: "t", version: "1" }, { versionNegotiation });
        await client.connect(new StreamableHTTPClientTransport(new URL(added.stdout.trim())));
        await drive(client, gateway, () => readFile(file, "utf8"), era);
        await client.close();
      } finally {
        server.kill();
      }
    });
  });
