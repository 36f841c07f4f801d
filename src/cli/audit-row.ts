// An audit row as columns for people. `show` aligns them as a table, `tail` prints them as they come.
// A field that a row does not have is "-", so that columns stay where they are for awk.

import type { Entry } from "../model/entry.ts";
import { displayWidth } from "../text/display-width.ts";
import { escapeForTerminal } from "../text/escape.ts";
import type { CellPainter } from "../text/table.ts";
import { hostText } from "./approval-facts.ts";
import { localTime } from "./local-time.ts";
import { outcomePainter } from "./outcome-painter.ts";
import type { Paints } from "./output.ts";
import { tierPainter } from "./tier-painter.ts";

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
/** Fields of a control row that its command and its caller say already. */
const CONTROL_FRAME = new Set(["command", "reason", "caller_uid", "caller_pid", "request_id"]);

/** The cells of one row, not yet escaped; "-" where a row has no such field. */
export function auditCells({ timestamp_ms, op, fields }: Entry): string[] {
  const { host, port } = fields;
  const cells = [
    op,
    fields.decision,
    fields.outcome,
    fields.tier,
    fields.status,
    fields.method,
    host === undefined ? undefined : hostText({ host, port: port ?? 443 }),
    op === "control" ? controlDetail(fields) : detail(fields),
  ];
  return [
    localTime(timestamp_ms),
    ...cells.map((cell) => (cell === undefined || cell === "" ? "-" : String(cell))),
  ];
}

/** Colours for the cells of a row. */
export function auditPainter(paints: Paints): CellPainter {
  const paintOutcome = outcomePainter(paints);
  const paintTier = tierPainter(paints);
  return (text, column) => {
    if (text === "-" || column === 0) return paints.faint(text);
    if (column === 2 || column === 3) return paintOutcome(text);
    return column === 4 ? paintTier(text) : text;
  };
}

/** One row as a line of a stream. */
export function auditLine(entry: Entry, paint: CellPainter): string {
  return streamLine(auditCells(entry), paint);
}

/** The header of a stream. */
export function auditHeader(paint: CellPainter): string {
  return streamLine(AUDIT_COLUMNS, paint);
}

function streamLine(cells: readonly string[], paint: CellPainter): string {
  return cells
    .map((cell, column) => {
      const text = escapeForTerminal(cell);
      const blanks = " ".repeat(Math.max(0, (STREAM_WIDTHS[column] ?? 0) - displayWidth(text)));
      return paint(text, column, 0) + (column === cells.length - 1 ? "" : blanks);
    })
    .join("  ")
    .trimEnd();
}

/** What was asked for, and in parentheses why it went as it did. */
function detail({ path, command, reason }: Entry["fields"]): string | undefined {
  const what = path ?? command;
  if (what === undefined || reason === undefined || reason === "") return what ?? reason;
  return `${what} (${reason})`;
}

/** What was typed, with what, why and by whom. */
function controlDetail(fields: Entry["fields"]): string {
  const { command = "", reason, caller_uid, caller_pid } = fields;
  const values = Object.entries(fields).flatMap(([name, value]) =>
    CONTROL_FRAME.has(name) || value === undefined || typeof value === "object" ? [] : [`${name}=${value}`],
  );
  const why = reason === undefined ? [] : [`(${reason})`];
  const who =
    caller_uid === undefined
      ? []
      : [`by uid ${caller_uid}${caller_pid === undefined ? "" : ` pid ${caller_pid}`}`];
  return [command, ...values, ...why, ...who].join(" ");
}
