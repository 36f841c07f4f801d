// Real clients of MCP for tests: the official SDK, on the compiled `iddio mcp run` or on a server
// itself.

import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { builtBinary } from "../built-binary.ts";
import type { GatewayProcess } from "../gateway.ts";
import { PROJECT_ROOT } from "../source-files.ts";

/** A client that is connected. */
export interface McpClient extends AsyncDisposable {
  readonly client: Client;
  /** The program's stderr so far. */
  stderr(): string;
}

/** The command line of one of the official servers. */
export function officialServer(
  name: "everything" | "filesystem" | "memory",
  ...args: readonly string[]
): readonly string[] {
  return [
    "node",
    join(PROJECT_ROOT, `node_modules/@modelcontextprotocol/server-${name}/dist/index.js`),
    ...args,
  ];
}

/** A server of the tests' own, `test/support/mcp-servers/<name>.mjs`. */
export function ownServer(name: string, ...args: readonly string[]): readonly string[] {
  return ["node", join(PROJECT_ROOT, "test/support/mcp-servers", `${name}.mjs`), ...args];
}

/** Connects the SDK's client to a command line. */
export async function connectTo(
  command: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly capabilities?: object } = {},
): Promise<McpClient> {
  const [program = "", ...args] = command;
  const transport = new StdioClientTransport({
    command: program,
    args: [...args],
    env: { PATH: process.env.PATH ?? "", ...options.env },
    stderr: "pipe",
  });
  let stderr = "";
  transport.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const client = new Client(
    { name: "iddio-test", version: "1" },
    { capabilities: options.capabilities ?? {} },
  );
  try {
    await client.connect(transport, { timeout: 60_000 });
  } catch (error) {
    throw new Error(`no connection to '${command.join(" ")}': ${stderr}`, { cause: error });
  }
  return {
    client,
    stderr: () => stderr,
    async [Symbol.asyncDispose]() {
      await client.close();
    },
  };
}

/** Connects the SDK's client to a server through the compiled `iddio mcp run`. */
export function connectThrough(
  gateway: GatewayProcess,
  name: string,
  command: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly capabilities?: object } = {},
): Promise<McpClient> {
  const env = { HOME: gateway.home, IDDIO_HOME: gateway.home, ...options.env };
  return connectTo([builtBinary(), "mcp", "run", "--name", name, "--", ...command], { ...options, env });
}
