// Prints and asks for `iddio mcp list`, `review`, `bind` and `forget`. Text from a server is shown
// with its hidden signs written out; a person accepts exactly the text that was on the screen.

import type { MCP_METHODS } from "../../api/methods/mcp.ts";
import type { Value } from "../../api/schema.ts";
import type { CommandContext } from "../../cli/kit/command.ts";
import { UserError } from "../../model/user-error.ts";
import { visible } from "./judge/hidden-text.ts";

type Shown = Value<(typeof MCP_METHODS)["mcp_show"]["output"]>;
type Server = Shown["server"];
type Item = Shown["items"][number];

/** Prints the servers. */
export async function listServers({ flags, output, daemon }: CommandContext): Promise<void> {
  const { servers } = await daemon.call("mcp_list", {});
  if (flags.has("json")) return output.json({ servers });
  if (servers.length === 0)
    return output.note("no MCP server was seen yet; set a client up with: iddio mcp install");
  output.table(
    ["NAME", "ERA", "TOOLS", "WAITS", "JUDGED BY", "CODE", "SERVER"],
    servers.map((server) => [
      server.name,
      server.version ?? "-",
      String(server.tools),
      server.waits === 0 ? "-" : String(server.waits),
      server.table !== undefined
        ? `table ${server.table}`
        : server.trusted
          ? "its word"
          : "its word, not trusted",
      codeOf(server),
      visible(placeOf(server)),
    ]),
  );
  for (const { name, waits } of servers)
    if (waits > 0) output.note(`something of '${name}' waits for you: iddio mcp review ${name}`);
}

/** Prints the waiting items and accepts them when told to. */
export async function review({ args, flags, output, daemon }: CommandContext): Promise<number> {
  const [name = ""] = args;
  const { digest } = await daemon.call("mcp_digest", { name });
  const shown = await daemon.call("mcp_show", { name });
  if (flags.has("json")) output.json({ ...shown, digest });
  else for (const line of reviewLines(shown, flags.has("all"))) output.line(line);
  const { waits, reviewed } = shown.server;
  const only = flags.texts("only");
  const isAccepted = flags.has("accept") || (!flags.has("json") && waits > 0 && (await isToAccept(waits)));
  if (!isAccepted) {
    if (waits > 0 && !flags.has("json")) output.note(`accept it with: iddio mcp review ${name} --accept`);
    return 0;
  }
  if (waits === 0 && reviewed) return 0;
  const { accepted } = await daemon.call("mcp_review", {
    name,
    digest,
    ...(only.length === 0 ? {} : { items: only }),
  });
  output.note(`accepted: ${accepted}`);
  return 0;
}

/** Binds a table. */
export async function bindServer({ args, flags, output, daemon }: CommandContext): Promise<void> {
  const [name = "", table] = args;
  const { server } = await daemon.call("mcp_bind", { name, ...(table === undefined ? {} : { table }) });
  if (flags.has("json")) return output.json({ server });
  output.line(
    server.table === undefined
      ? `'${name}' is judged by its own description of its tools`
      : `'${name}' is judged by the table '${server.table}', as long as it stays: ${visible(placeOf(server))}`,
  );
}

/** Adds a remote server. */
export async function add({ args, flags, output, daemon }: CommandContext): Promise<void> {
  const [name = "", url = ""] = args;
  const given = flags.texts("header");
  const fields = given.includes("-")
    ? (await Bun.stdin.text()).split("\n").filter((line) => line.trim() !== "")
    : given;
  const headers = fields.map((field) => {
    const colon = field.indexOf(":");
    if (colon < 1)
      throw new UserError("a field is 'Name: value'", {
        hint: "--header 'Authorization: Bearer …'",
        exitCode: 2,
      });
    return { name: field.slice(0, colon).trim(), value: field.slice(colon + 1).trim() };
  });
  const { local_url, server } = await daemon.call("mcp_add", { name, url, headers });
  if (flags.has("json")) {
    output.json({ server, local_url });
    return;
  }
  output.line(local_url);
  output.note("put this address into the client's settings in place of the server's");
}

/** Forgets a server. */
export async function forget({ args, output, daemon }: CommandContext): Promise<void> {
  const [name = ""] = args;
  const { removed } = await daemon.call("mcp_forget", { name });
  if (!removed)
    throw new UserError(`no MCP server '${name}'`, { hint: "see those that are known: iddio mcp list" });
  output.line(`forgot '${name}'`);
}

/** The text of a review; waiting things first. */
export function reviewLines({ server, items }: Shown, all: boolean): readonly string[] {
  const lines = [`${server.name}: ${visible(placeOf(server))}`, `  code: ${codeOf(server)}`];
  if (server.title !== undefined) lines.push(`  calls itself: ${visible(server.title)}`);
  if (server.pending_identity !== undefined) {
    lines.push("", "WAITS: another program or address under this name");
    lines.push(
      ...sideBySide(JSON.stringify(server.identities.at(-1)), JSON.stringify(server.pending_identity)),
    );
  }
  if (server.pending_instructions !== undefined) {
    lines.push("", "WAITS: its instructions");
    lines.push(
      ...textLines("- ", server.instructions ?? ""),
      ...textLines("+ ", server.pending_instructions),
    );
  }
  const waiting = items.filter(({ state }) => state === "waits");
  for (const item of waiting) lines.push("", ...itemLines(item));
  const pinned = items.filter(({ state }) => state === "pinned");
  if (all || !server.reviewed) {
    if (pinned.length > 0) lines.push("", "pinned:");
    for (const item of pinned) lines.push(...pinnedLines(item));
  }
  if (server.waits === 0) lines.push("", "nothing waits");
  return lines;
}

function pinnedLines({ kind, name, tier, action, looks_like, pinned }: Item): readonly string[] {
  const judged = tier === undefined ? "" : ` (${tier}${action === undefined ? "" : `, ${action}`})`;
  const twin = looks_like === undefined ? "" : `; looks like '${looks_like}'`;
  const { description } = JSON.parse(pinned ?? "{}") as { description?: unknown };
  const first = typeof description === "string" ? description.split("\n")[0]?.slice(0, 100) : undefined;
  return [`  ${kind.slice(0, -1)} ${visible(name)}${judged}${twin}${first ? `: ${visible(first)}` : ""}`];
}

function itemLines({ kind, name, why, pinned, pending, looks_like }: Item): readonly string[] {
  const twin = looks_like === undefined ? [] : [`  its name looks like '${looks_like}'`];
  return [`WAITS: ${kind} ${visible(name)}: ${why ?? ""}`, ...twin, ...sideBySide(pinned, pending)];
}

/** Members of two definitions: equal ones once, others as before and after. */
function sideBySide(before: string | undefined, after: string | undefined): readonly string[] {
  const [old, fresh] = [objectOf(before), objectOf(after)];
  return [...new Set([...Object.keys(old), ...Object.keys(fresh)])].flatMap((name) => {
    const [was, is] = [textOf(old[name]), textOf(fresh[name])];
    if (was === is) return textLines("  ", `${name}: ${is}`);
    return [
      ...(was === undefined ? [] : textLines("- ", `${name}: ${was}`)),
      ...(is === undefined ? [] : textLines("+ ", `${name}: ${is}`)),
    ];
  });
}

function objectOf(text: string | undefined): Readonly<Record<string, unknown>> {
  return text === undefined ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function textOf(value: unknown): string | undefined {
  return value === undefined
    ? undefined
    : typeof value === "string"
      ? value
      : JSON.stringify(value, undefined, 2);
}

function textLines(mark: string, text: string): readonly string[] {
  return text.split("\n").map((line) => `  ${mark}${visible(line)}`);
}

function placeOf({ identities, pending_identity }: Server): string {
  const identity = identities.at(-1) ?? pending_identity;
  if (identity === undefined) return "-";
  return identity.kind === "http"
    ? (identity.url ?? "-")
    : [identity.command ?? "", ...(identity.args ?? [])].join(" ");
}

function codeOf({ identities }: Server): string {
  const identity = identities.at(-1);
  if (identity === undefined || identity.kind === "http") return identity?.issuer ?? "-";
  if (identity.package !== undefined) return identity.package;
  if (identity.code_sha256 !== undefined) return `sha256 ${identity.code_sha256.slice(0, 12)}`;
  return `not pinned: ${identity.unpinned ?? "unknown"}`;
}

async function isToAccept(waits: number): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false;
  process.stdout.write(`accept ${waits === 1 ? "it" : `all ${waits}`}? [y/N] `);
  for await (const line of console) return /^y(?:es)?$/i.test(line.trim());
  return false;
}
