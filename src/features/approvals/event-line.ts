// One event as one line for people: time, tag, then `name=value` in the order the daemon gave them.
// A member of a field has a dotted name, as in `audit tail --filter labels.namespace=payments`.

import type { EventRow } from "../../api/reports.ts";
import { localTime } from "../../cli/kit/local-time.ts";
import { outcomePainter } from "../../cli/kit/outcome-painter.ts";
import type { Paints } from "../../cli/kit/output.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { cutColumns } from "../../text/wrap.ts";

/** Everything in it is escaped; values with blanks are quoted. With `columns` it is cut to fit a terminal. */
export function eventLine(row: EventRow, paints: Paints, columns?: number): string {
  if ("lost" in row) return paints.warn(`(${row.lost} older events were lost: this reader was too slow)`);
  const fields = Object.entries(row.fields).flatMap(([name, value]) => pairs(name, value));
  const time = localTime(row.timestamp_ms);
  const tag = escapeForTerminal(row.tag);
  const text = fields.join("  ");
  const room = columns === undefined ? undefined : Math.max(16, columns - 1 - time.length - tag.length - 4);
  const shown = room === undefined ? text : cutColumns(text, room);
  return [paints.faint(time), outcomePainter(paints)(tag), shown].join("  ").trimEnd();
}

function pairs(name: string, value: unknown): string[] {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return Object.entries(value).flatMap(([inner, each]) => pairs(`${name}.${inner}`, each));
  return [`${escapeForTerminal(name)}=${shown(value)}`];
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return escapeForTerminal(/[\s"]/.test(text) && typeof value === "string" ? JSON.stringify(text) : text);
}
