// One event as one line for people: time, tag, then `name=value` in the order the daemon gave them.

import type { EventRow } from "../ipc/methods.ts";
import { escapeForTerminal } from "../text/escape.ts";
import { localTime } from "./local-time.ts";

/** Everything in it is escaped; values with blanks are quoted. */
export function eventLine(row: EventRow): string {
  if ("lost" in row) return `(${row.lost} older events were lost: this reader was too slow)`;
  const fields = Object.entries(row.fields).map(
    ([name, value]) => `${escapeForTerminal(name)}=${shown(value)}`,
  );
  return [localTime(row.timestamp_ms), escapeForTerminal(row.tag), ...fields].join("  ");
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return escapeForTerminal(/[\s"]/.test(text) && typeof value === "string" ? JSON.stringify(text) : text);
}
