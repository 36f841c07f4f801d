// Brings a protocol's block into a policy that has none: by uncommenting the one that the seeded
// file carries, or else by appending it from there. So a new block always has the default groups
// and rules.

import type { Protocol } from "../../model/protocol.ts";
import { DEFAULT_POLICY } from "../default-policy.ts";
import { lineEnd } from "./inspect-layout.ts";

/** The text with the commented-out block of the protocol made active, or undefined when it holds none. */
export function uncommentBlock(text: string, protocol: Protocol): string | undefined {
  const lines = text.split("\n");
  const key = new RegExp(`^# ?${protocol}:[ \\t]*(#.*)?\\r?$`);
  const first = lines.findIndex((line) => key.test(line));
  if (first < 0) return undefined;
  const prefix = lines[first]?.startsWith("# ") ? "# " : "#";
  for (let at = first; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (at > first && !belongsToBlock(line, prefix)) break;
    lines[at] = line.startsWith(prefix) ? line.slice(prefix.length) : line.slice(1);
  }
  return lines.join("\n");
}

/** The text with the default block of the protocol at its end. */
export function appendBlock(text: string, protocol: Protocol): string {
  const eol = lineEnd(text);
  const body = text === "" || text.endsWith("\n") ? text : text + eol;
  return body + eol + defaultBlock(protocol).join(eol) + eol;
}

// A protocol without a block of its own there, such as helm, starts with the groups of generic.
function defaultBlock(protocol: Protocol): readonly string[] {
  const hasOwn = new RegExp(`^(?:# ?)?${protocol}:`, "m").test(DEFAULT_POLICY);
  const source = hasOwn ? protocol : "generic";
  const lines = (uncommentBlock(DEFAULT_POLICY, source) ?? DEFAULT_POLICY).split("\n");
  const first = lines.indexOf(`${source}:`);
  const end = lines.findIndex((line, at) => at > first && line !== "" && !line.startsWith(" "));
  const block = lines.slice(first, end < 0 ? undefined : end);
  while (block.at(-1) === "") block.pop();
  return [`${protocol}:`, ...block.slice(1)];
}

function belongsToBlock(line: string, prefix: string): boolean {
  if (/^#[ \t]*\r?$/.test(line)) return true;
  return line.startsWith(`${prefix}  `);
}
