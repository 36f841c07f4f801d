// Shows a server to a person and takes the acceptance: its identity, its instructions, its tools.
// An answer names the digest of the shown text, so that nothing is accepted that came after it.

import { createHash } from "node:crypto";
import type { MCP_METHODS } from "../../../api/methods/mcp.ts";
import type { Value } from "../../../api/schema.ts";
import { OUTSIDE } from "../../../model/agent-label.ts";
import { UserError } from "../../../model/user-error.ts";
import { trustsServer } from "../../../policy/decide/trusts-server.ts";
import type { Policy } from "../../../policy/policy.ts";
import { knownTables } from "../../../protocols/mcp-servers/known-tool.ts";
import type { McpPins, StoredItem, StoredServer } from "../../../state/tables/mcp-pins.ts";
import { canonicalJson } from "../../../wire/jsonrpc/canonical-json.ts";
import { looksLike } from "./hidden-text.ts";
import { classificationsOf, judgeCall } from "./judge-call.ts";
import { type KnownServer, TOO_LONG } from "./known-server.ts";

type Shown = Value<(typeof MCP_METHODS)["mcp_show"]["output"]>;

/** The server of this name; throws a UserError when there is none. */
export function findServer(pins: McpPins, name: string): StoredServer {
  const found = pins.server(name);
  if (found !== undefined) return found;
  throw new UserError(`no MCP server '${name}'`, {
    hint: "see those that are known: iddio mcp list",
    code: "not-found",
  });
}

/** A server as the API shows it. */
export function serverReport(pins: McpPins, policy: Policy, stored: StoredServer): Shown["server"] {
  const items = pins.items(stored.name);
  const { bound: _, remote: __, complete: ___, ...rest } = stored;
  const table = tableOf(stored);
  return {
    ...rest,
    ...(stored.version === undefined ? {} : { era: stored.version >= "2026" ? "2026" : "2025" }),
    ...(table === undefined ? {} : { table }),
    ...(stored.remote === undefined ? {} : { url: stored.remote.url }),
    trusted: trustsServer(policy, stored.name),
    tools: items.filter(({ kind }) => kind === "tools").length,
    waits: waitingOf(stored, items).length,
  };
}

/** The table by which the server that was accepted last is judged. */
function tableOf({ bound, identities }: StoredServer): string | undefined {
  const isBound = bound !== undefined && canonicalJson(bound.identity) === canonicalJson(identities.at(-1));
  return isBound ? bound.table : undefined;
}

/** Its items, each with what the policy says of a call that names no arguments. */
export function itemReports(pins: McpPins, policy: Policy, server: KnownServer): Shown["items"] {
  const { name } = server.stored;
  const table = tableOf(server.stored);
  const others = pins
    .servers()
    .filter((each) => each.name !== name)
    .flatMap((each) =>
      pins
        .items(each.name)
        .filter(({ kind }) => kind === "tools")
        .map((item) => [looksLike(item.name), `${each.name}/${item.name}`] as const),
    );
  const twins = new Map(others);
  const items = [...server.items].sort((a, b) => (`${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1));
  return items.map((item) => {
    const twin = item.kind === "tools" ? twins.get(looksLike(item.name)) : undefined;
    return {
      kind: item.kind,
      name: item.name,
      state: item.pending === undefined ? "pinned" : "waits",
      ...(item.why === "" ? {} : { why: item.why }),
      ...(item.pinned === undefined ? {} : { pinned: item.pinned }),
      ...(item.pending === undefined ? {} : { pending: item.pending }),
      ...(item.kind === "tools" ? judgedReport(policy, server, item, table) : {}),
      ...(twin === undefined ? {} : { looks_like: twin }),
    };
  });
}

function judgedReport(policy: Policy, server: KnownServer, item: StoredItem, table: string | undefined) {
  const call = { server: server.stored.name, method: "tools/call", params: { name: item.name } };
  const { classification, verdict } = judgeCall(
    policy,
    OUTSIDE,
    classificationsOf(policy, call, server, undefined, table),
  );
  return { tier: classification.tier, action: verdict.action };
}

/** Names a server's waiting items: the digest that an answer repeats. */
export function waitingDigest(pins: McpPins, name: string): string {
  const stored = findServer(pins, name);
  return createHash("sha256")
    .update(canonicalJson(waitingOf(stored, pins.items(name))))
    .digest("hex");
}

function waitingOf(stored: StoredServer, items: readonly StoredItem[]): readonly unknown[] {
  return [
    ...(stored.pending_identity === undefined ? [] : [{ identity: stored.pending_identity }]),
    ...(stored.pending_instructions === undefined ? [] : [{ instructions: stored.pending_instructions }]),
    ...items
      .filter(({ pending }) => pending !== undefined)
      .map(({ kind, name, pending }) => ({ kind, name, pending })),
  ];
}

/** Accepts the waiting items, or the named ones; returns how many. */
export function accept(pins: McpPins, name: string, digest: string, only?: readonly string[]): number {
  if (waitingDigest(pins, name) !== digest)
    throw new UserError(`what '${name}' offers has changed since it was shown; nothing was accepted`, {
      hint: `look at it again: iddio mcp review ${name}`,
      code: "not-what-was-shown",
    });
  const stored = findServer(pins, name);
  const { pending_identity, pending_instructions, ...rest } = stored;
  const isWanted = (what: string) => only === undefined || only.includes(what);
  let accepted = 0;
  const identity = pending_identity !== undefined && isWanted("identity") ? [pending_identity] : [];
  const takesInstructions =
    pending_instructions !== undefined && pending_instructions !== TOO_LONG && isWanted("instructions");
  accepted += identity.length + (takesInstructions ? 1 : 0);
  const items = pins
    .items(name)
    .filter(
      ({ kind, name: item, pending, why }) =>
        pending !== undefined && why !== TOO_LONG && isWanted(`${kind} ${item}`),
    )
    .map(({ kind, name: item, pending }) => ({ kind, name: item, pinned: pending as string, why: "" }));
  pins.putItems(name, items);
  pins.put({
    ...rest,
    reviewed: true,
    identities: [...stored.identities, ...identity],
    ...(pending_identity !== undefined && identity.length === 0 ? { pending_identity } : {}),
    ...(takesInstructions
      ? { instructions: pending_instructions }
      : pending_instructions === undefined
        ? {}
        : { pending_instructions }),
  });
  return accepted + items.length;
}

/** Binds a table of known tools to the identity that was accepted last, or takes it away. */
export function bind(pins: McpPins, name: string, table: string | undefined): StoredServer {
  const stored = findServer(pins, name);
  const { bound: _, ...rest } = stored;
  const identity = stored.identities.at(-1);
  if (table !== undefined && !knownTables().has(table))
    throw new UserError(`there is no table '${table}'`, {
      hint: `one of: ${[...knownTables().keys()].sort().join(", ")}`,
      code: "no-table",
    });
  const unpinned = identity?.kind === "stdio" ? identity.unpinned : undefined;
  if (table !== undefined && (identity === undefined || unpinned !== undefined))
    throw new UserError(`the code of '${name}' is not pinned: ${unpinned ?? "it was never started"}`, {
      hint: "install the server and start its program or script itself, so that a table is bound to known code",
      code: "not-pinned",
    });
  const bound =
    table === undefined || identity === undefined ? rest : { ...rest, bound: { table, identity } };
  pins.put(bound);
  return bound;
}
