// The files that a call names. A tool that only reads is as risky as what it reads, and one that
// writes as what it overwrites: a path to keys or to what decides who gets in raises the tier.
// Nothing here ever lowers one.

import type { Classification } from "../../model/classification.ts";
import { stricterTier, type Tier } from "../../model/tier.ts";
import { isObject } from "../../wire/jsonrpc/message.ts";
import type { McpCall } from "../mcp/call.ts";
import { mayBeSecret, writeRisk } from "../ssh/remote-paths.ts";

/** Arguments that name files, by the last words of their names. */
const NAMES_FILES =
  /(?:^|_|(?<=[a-z])(?=[A-Z]))(?:path|paths|file|files|filename|filenames|filepath|filepaths|source|src|destination|dest|dst|target|directory|dir|folder|uri|uris|location|root)$/i;
const PATH_MAX = 4_096;
const PATHS_MAX = 1_000;

/** The classification, raised by the files that the call names. */
export function raisedByPaths(own: Classification, call: McpCall): Classification {
  if (own.tier === "unknown" || own.tier === "break-glass") return own;
  let tier: Tier = own.tier;
  let { reason } = own;
  for (const path of pathsOf(call)) {
    const risk = own.tier === "observe" ? readRisk(path) : (writeRisk(path) ?? readRisk(path));
    if (risk === undefined || stricterTier(tier, risk.tier) === tier) continue;
    ({ tier, reason } = risk);
  }
  return tier === own.tier ? own : { ...own, tier, reason };
}

function readRisk(path: string): { readonly tier: Tier; readonly reason: string } | undefined {
  return mayBeSecret(path)
    ? { tier: "sensitive", reason: `${path.slice(0, 120)} may hold secrets` }
    : undefined;
}

function pathsOf({ method, params }: McpCall): readonly string[] {
  const found: string[] = [];
  const look = (value: unknown, isFile: boolean): void => {
    if (found.length >= PATHS_MAX) return;
    if (typeof value === "string" && isFile) found.push(...spellingsOf(value));
    else if (Array.isArray(value)) for (const each of value) look(each, isFile);
    else if (isObject(value))
      for (const [name, inner] of Object.entries(value)) look(inner, isFile || NAMES_FILES.test(name));
  };
  if (method === "tools/call") look(params.arguments, false);
  else if (method === "resources/read" || method === "resources/subscribe") look(params.uri, true);
  return found;
}

/** The path as it was sent, and as it is without `file://` and escapes. */
function spellingsOf(text: string): readonly string[] {
  if (text.length > PATH_MAX || /[\r\n]/.test(text)) return [];
  const bare = text.replace(/^file:\/\/(?:localhost)?(?=\/)/i, "");
  // A URL of the web names no file of this machine.
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(bare)) return [];
  try {
    const decoded = decodeURIComponent(bare);
    return decoded === bare ? [bare] : [bare, decoded];
  } catch {
    return [bare];
  }
}
