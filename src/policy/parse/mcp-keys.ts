// The two keys that only the `mcp` block has: `trust_annotations`, the servers whose word counts
// that a tool only reads, and `hide_denied`, whether clients are shown tools that the policy
// denies. Names are exact: a pattern would trust a server that nobody has seen yet.

import type { McpKeys } from "../policy.ts";
import type { Problems } from "./problems.ts";
import { type Field, quote, readTexts, readWord } from "./shape.ts";

/** The keys, with a sentence for editors. */
export const MCP_KEYS = {
  trust_annotations:
    "Names of servers whose readOnlyHint counts: their pinned tools that only read are observe.",
  hide_denied:
    "on: tools that the policy denies are not offered to clients; off: they are offered and refused.",
} as const;

const NAME = /^[a-z0-9][a-z0-9._-]{0,253}$/;

/** Reads them; absent keys have their default. */
export function parseMcpKeys(fields: ReadonlyMap<string, Field>, problems: Problems): McpKeys {
  const trust = fields.get("trust_annotations");
  const hide = fields.get("hide_denied");
  const names = trust === undefined ? [] : readTexts(trust, "the name of a server", problems);
  for (const { item, path } of names)
    if (!NAME.test(item.text))
      problems.error(
        item.at,
        path,
        `${quote(item.text)} is not the name of a server`,
        "write the whole name as `iddio mcp list` shows it; patterns are not allowed here",
      );
  const word =
    hide === undefined
      ? "on"
      : readWord(hide.value, hide.path, "on or off", ["on", "off"] as const, problems);
  return { trusted: names.map(({ item }) => item.text), hidesDenied: word !== "off" };
}
