// `iddio mcp …`: the wrapper that clients start, and what people see and decide of the servers
// behind it. A command's code is loaded when it runs, because this file is loaded at every start of
// the program.

import { type Command, type FlagSpec, JSON_FLAG } from "../../cli/kit/command.ts";
import { CLIENT_NAMES } from "./install/client-names.ts";

const SERVER = { name: "name" };
const CLIENT = { name: "client", isOptional: true, choices: CLIENT_NAMES };
const FILE: FlagSpec = {
  name: "file",
  value: "path",
  completes: "file",
  summary: "Settings of another client: JSON with 'mcpServers' or 'servers', or TOML as Codex has it",
};

/** Stands between a client and a server. */
export const mcpRunCommand: Command = {
  name: "mcp run",
  summary: "Start an MCP server and judge the calls to it",
  args: [{ name: "command", isRest: true }],
  flags: [
    {
      name: "name",
      value: "text",
      summary: "Name of the server in rules and lists (default: from the command)",
    },
    { name: "sandbox", summary: "Start the server in the sandbox of 'iddio run'" },
  ],
  details: [
    "Clients start it in place of the server; 'iddio mcp install' writes that into their settings. Calls that the policy",
    "holds wait for a person, and what the server changes about its tools is hidden until 'iddio mcp review'.",
  ],
  examples: [
    "iddio mcp run --name memory -- npx -y @modelcontextprotocol/server-memory",
    "iddio mcp run --sandbox -- node server.js",
  ],
  isRaw: true,
  async run({ args, flags, paths, env }) {
    const { runServer } = await import("./stdio/run.ts");
    const { defaultName } = await import("./stdio/default-name.ts");
    const { innermost } = await import("./install/wrapped.ts");
    const inner = innermost(args);
    const command = inner?.command ?? args;
    return runServer({
      name: flags.text("name") ?? defaultName(command),
      command,
      isSandboxed: flags.has("sandbox") || inner?.isSandboxed === true,
      paths,
      env,
    });
  },
};

/** Sets clients up. */
export const mcpInstallCommand: Command = {
  name: "mcp install",
  summary: "Let a client start its MCP servers through iddio",
  args: [CLIENT],
  flags: [FILE, JSON_FLAG],
  details: [
    "Without a client, every one that has settings here; of a project, those of the current folder. Comments and",
    "everything else in the settings stay. A second time it changes nothing.",
  ],
  examples: ["iddio mcp install claude-code", "iddio mcp install --file .mcp.json"],
  async run(context) {
    await (await import("./install/set-up.ts")).installServers(context);
  },
};

/** Undoes it. */
export const mcpUninstallCommand: Command = {
  name: "mcp uninstall",
  summary: "Let a client start its MCP servers by itself again",
  args: [CLIENT],
  flags: [FILE, JSON_FLAG],
  details: ["A file that nobody has changed since gets its old content back, byte for byte."],
  examples: ["iddio mcp uninstall claude-code"],
  async run(context) {
    await (await import("./install/set-up.ts")).uninstallServers(context);
  },
};

/** Shows them. */
export const mcpListCommand: Command = {
  name: "mcp list",
  summary: "List the MCP servers that were seen",
  flags: [JSON_FLAG],
  examples: ["iddio mcp list"],
  async run(context) {
    await (await import("./show.ts")).listServers(context);
  },
};

/** Shows the waiting items, and accepts them. */
export const mcpReviewCommand: Command = {
  name: "mcp review",
  summary: "Show the changes of an MCP server, and accept them",
  args: [SERVER],
  flags: [
    { name: "accept", summary: "Accept the shown items" },
    {
      name: "only",
      value: "item",
      isRepeatable: true,
      summary: "Accept only this: 'tools read_file', 'identity', 'instructions'",
    },
    { name: "all", summary: "Show also the pinned items" },
    JSON_FLAG,
  ],
  details: ["Signs that cannot be seen are written out. In a terminal it asks; elsewhere it needs --accept."],
  examples: ["iddio mcp review memory", "iddio mcp review memory --accept --only 'tools create_entities'"],
  async run(context) {
    return (await import("./show.ts")).review(context);
  },
};

/** Binds a table of known tools. */
export const mcpBindCommand: Command = {
  name: "mcp bind",
  summary: "Say that an MCP server is one whose tools iddio knows",
  args: [SERVER, { name: "table", isOptional: true }],
  flags: [JSON_FLAG],
  details: [
    "Its calls are then judged by their effect: 'pods_delete' of a bound Kubernetes server is 'pods delete' in its namespace.",
    "It holds for the program and version that were accepted last. Without a table nothing is bound any more.",
  ],
  examples: ["iddio mcp bind cluster kubernetes", "iddio mcp bind memory memory"],
  async run(context) {
    await (await import("./show.ts")).bindServer(context);
  },
};

/** Gives a remote server a local address. */
export const mcpAddCommand: Command = {
  name: "mcp add",
  summary: "Give a remote MCP server an address on this machine",
  args: [SERVER, { name: "url" }],
  flags: [
    {
      name: "header",
      value: "field",
      isRepeatable: true,
      summary: "Field to add to its requests: 'Authorization: Bearer …'; - reads them from stdin",
    },
    JSON_FLAG,
  ],
  details: [
    "Clients then use the address that is printed. A credential that a client sends there goes no further; the one that",
    "the server needs is given with --header.",
  ],
  examples: [
    "iddio mcp add docs https://mcp.example.com/mcp",
    "iddio mcp add local http://localhost:8080/mcp",
  ],
  async run(context) {
    await (await import("./show.ts")).add(context);
  },
};

/** Forgets one. */
export const mcpForgetCommand: Command = {
  name: "mcp forget",
  summary: "Forget an MCP server and its accepted items",
  args: [SERVER],
  examples: ["iddio mcp forget memory"],
  async run(context) {
    await (await import("./show.ts")).forget(context);
  },
};
