// Clients' settings before and behind iddio: comments and layout stay, a second time changes
// nothing, and uninstalling gives back what was there.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { builtBinary } from "../../support/built-binary.ts";
import { runClient } from "../../support/clients.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

setDefaultTimeout(120_000);

interface Case {
  readonly client: string;
  /** Below HOME, or in the project's folder. */
  readonly path: string;
  readonly text: string;
  /** Behind iddio, what each server must start. */
  readonly servers: Readonly<Record<string, readonly string[]>>;
  /** Where the servers are in the parsed file. */
  readonly below: readonly string[];
}

const JSONC = `{
  // the person's own words
  "theme": "dark",
  "mcpServers": {
    "Memory Store": { "command": "npx", "args": ["-y", "@modelcontextprotocol/server-memory"], "env": {"A": "1"} }, // keep
    "plain": {
      "command": "/opt/server"
    },
    "remote": { "type": "http", "url": "https://mcp.example/mcp" },
  },
}
`;
const SERVERS = {
  "Memory Store": ["npx", "-y", "@modelcontextprotocol/server-memory"],
  plain: ["/opt/server"],
};

const CASES: readonly Case[] = [
  { client: "claude-code", path: ".claude.json", text: JSONC, servers: SERVERS, below: ["mcpServers"] },
  { client: "claude-code", path: "project/.mcp.json", text: JSONC, servers: SERVERS, below: ["mcpServers"] },
  {
    client: "claude-desktop",
    path: ".config/Claude/claude_desktop_config.json",
    text: JSONC,
    servers: SERVERS,
    below: ["mcpServers"],
  },
  {
    client: "cursor",
    path: ".cursor/mcp.json",
    text: JSONC.replaceAll("  ", "\t"),
    servers: SERVERS,
    below: ["mcpServers"],
  },
  {
    client: "vscode",
    path: "project/.vscode/mcp.json",
    text: JSONC.replace("mcpServers", "servers"),
    servers: SERVERS,
    below: ["servers"],
  },
  {
    client: "gemini",
    path: ".gemini/settings.json",
    text: JSONC.replaceAll("\n", "\r\n"),
    servers: SERVERS,
    below: ["mcpServers"],
  },
  {
    client: "codex",
    path: ".codex/config.toml",
    text: `model = "o3" # mine

[mcp_servers.memory]
command = "npx" # the launcher
args = [
  "-y", # yes
  '@modelcontextprotocol/server-memory',
]
env = { "A" = "[1]" }

[mcp_servers."a b"]
command = '/opt/server'

[mcp_servers.remote]
url = "https://mcp.example/mcp"

[other]
command = "not a server"
`,
    servers: { memory: ["npx", "-y", "@modelcontextprotocol/server-memory"], "a b": ["/opt/server"] },
    below: ["mcp_servers"],
  },
];

function serversOf(
  path: string,
  text: string,
  below: readonly string[],
): Record<string, { command?: string; args?: string[] }> {
  const value = path.endsWith(".toml")
    ? Bun.TOML.parse(text)
    : JSON.parse(
        text
          .replace(/^\s*\/\/.*$/gm, "")
          .replace(/\/\/ keep/, "")
          .replace(/,(\s*[}\]])/g, "$1"),
      );
  return below.reduce(
    (at, name) => (at as Record<string, unknown>)[name] as object,
    value as object,
  ) as never;
}

async function placed(home: string, { path, text }: Case) {
  const file = join(home, path);
  await mkdir(dirname(file), { recursive: true });
  await mkdir(join(home, "project"), { recursive: true });
  await writeFile(file, text);
  const env = { HOME: home, IDDIO_HOME: join(home, "state") };
  const run = (...args: string[]) =>
    runClient(builtBinary(), ["mcp", ...args], { env, cwd: join(home, "project") });
  return { run, read: () => readFile(file, "utf8"), write: (changed: string) => writeFile(file, changed) };
}

for (const each of CASES)
  describe(`${each.client}, ${each.path}`, () => {
    test("goes through iddio, once, and comes back byte for byte", async () => {
      await using directory = await temporaryDirectory();
      const { run, read } = await placed(directory.path, each);
      const first = await run("install", each.client);
      expect([first.code, first.stderr.includes("error")]).toEqual([0, false]);
      const installed = await read();
      const servers = serversOf(each.path, installed, each.below);
      for (const [key, command] of Object.entries(each.servers)) {
        expect(servers[key]?.command).toBe(builtBinary());
        const { args = [] } = servers[key] ?? {};
        expect(args.slice(0, 3)).toEqual(["mcp", "run", "--name"]);
        expect(args.slice(4)).toEqual(["--", ...command]);
      }
      expect(servers.remote).toEqual(serversOf(each.path, each.text, each.below).remote ?? {});
      for (const comment of ["the person's own words", "# mine", "# the launcher", "// keep"])
        expect(installed.includes(comment)).toBe(each.text.includes(comment));
      expect((await run("install", each.client)).code).toBe(0);
      expect(await read()).toBe(installed);
      expect((await run("uninstall", each.client)).code).toBe(0);
      expect(await read()).toBe(each.text);
    });

    test("what somebody else has changed meanwhile stays, and the command lines come back", async () => {
      await using directory = await temporaryDirectory();
      const { run, read, write } = await placed(directory.path, each);
      await run("install", each.client);
      const mark = each.path.endsWith(".toml") ? "# later\n" : "\n";
      await write(`${mark}${await read()}`);
      expect((await run("uninstall", each.client)).code).toBe(0);
      const after = await read();
      expect(after.startsWith(mark)).toBe(true);
      expect(serversOf(each.path, after, each.below)).toEqual(serversOf(each.path, each.text, each.below));
    });
  });

test("a file that is not JSON is left as it is", async () => {
  await using directory = await temporaryDirectory();
  const broken: Case = {
    client: "cursor",
    path: ".cursor/mcp.json",
    text: '{"mcpServers": {',
    servers: {},
    below: [],
  };
  const { run, read } = await placed(directory.path, broken);
  const { code, stderr } = await run("install", "cursor");
  expect(code).toBe(1);
  expect(stderr).toContain("is not a JSON object");
  expect(await read()).toBe(broken.text);
});
