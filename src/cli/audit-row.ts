// An audit row as columns for people. `show` aligns them as a table, `tail` prints them as they come.
// A field that a row does not have is "-", so that columns stay where they are for awk.

import type { Entry } from "../model/entry.ts";
import { displayWidth } from "../text/display-width.ts";
import { escapeForTerminal } from "../text/escape.ts";
import { localTime } from "./local-time.ts";

/** Names of the columns. */
export const AUDIT_COLUMNS = [
  "TIME",
  "OP",
  "DECISION",
  "OUTCOME",
  "TIER",
  "STATUS",
  "METHOD",
  "HOST",
  "DETAIL",
];

/** Widths that most rows fit in; a stream cannot know what is still to come. */
const STREAM_WIDTHS = [19, 11, 8, 9, 11, 6, 7, 28, 0];

/** The cells of one row, not yet escaped; "-" where a row has no such field. */
export function auditCells({ timestamp_ms, op, fields }: Entry): string[] {
  const { host, port } = fields;
  const place =
    host === undefined ? undefined : port === undefined || port === 443 ? host : `${host}:${port}`;
  const cells = [
    op,
    fields.decision,
    fields.outcome,
    fields.tier,
    fields.status,
    fields.method,
    place,
    detail(fields),
  ];
  return [
    localTime(timestamp_ms),
    ...cells.map((cell) => (cell === undefined || cell === "" ? "-" : String(cell))),
  ];
}

/** One row as a line of a stream. */
export function auditLine(entry: Entry): string {
  const cells = auditCells(entry).map(escapeForTerminal);
  return cells
    .map((cell, column) => cell + " ".repeat(Math.max(0, (STREAM_WIDTHS[column] ?? 0) - displayWidth(cell))))
    .join("  ")
    .trimEnd();
}

function detail(fields: Entry["fields"]): string | undefined {
  return fields.path ?? fields.command ?? fields.reason;
}
