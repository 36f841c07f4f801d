// An audit row as columns for people. Into a pipe, and in a terminal that is wide enough, every
// column; in a narrow one the few that say how it went, so that a row is a line. `show` aligns them
// as a table, `tail` prints them as they come. A field that a row does not have is "-", so that
// columns stay where they are for awk.

import { plainName } from "../features/approvals/approval-facts.ts";
import type { ClientDetails, Entry } from "../model/entry.ts";
import { displayWidth } from "../text/display-width.ts";
import { escapeForTerminal } from "../text/escape.ts";
import { hostText } from "../text/host-port.ts";
import type { CellPainter } from "../text/table.ts";
import { cutColumns } from "../text/wrap.ts";
import { localTime } from "./kit/local-time.ts";
import { outcomePainter } from "./kit/outcome-painter.ts";
import type { Paints } from "./kit/output.ts";
import { tierPainter } from "./kit/tier-painter.ts";

/** One way to lay rows out. */
export interface AuditLayout {
  readonly header: readonly string[];
  /** Widths that most rows fit in; a stream cannot know the later rows. */
  readonly widths: readonly number[];
  /** Not yet escaped. */
  cells(entry: Entry, nowMs: number): string[];
}

/** Every column. */
export const WIDE_AUDIT: AuditLayout = {
  header: ["TIME", "OP", "DECISION", "OUTCOME", "TIER", "STATUS", "COMMAND", "METHOD", "HOST", "DETAIL"],
  widths: [19, 11, 8, 9, 11, 6, 24, 7, 28, 0],
  cells({ timestamp_ms, op, fields }) {
    const { decision, outcome, tier, status, method } = fields;
    const cells = [op, decision, outcome, tier, status, commandOf(op, fields), method, hostOf(fields)];
    const about = op === "control" ? controlDetail(fields, undefined) : detail(fields);
    return [localTime(timestamp_ms), ...[...cells, about].map(orDash)];
  },
};

/** The columns: time, outcome, tier, request. */
export const NARROW_AUDIT: AuditLayout = {
  header: ["TIME", "RESULT", "TIER", "REQUEST"],
  widths: [8, 11, 11, 0],
  cells({ timestamp_ms, op, fields }, nowMs) {
    const result = op === "mitm" || op === "block" ? (fields.outcome ?? fields.decision ?? op) : op;
    const place = hostOf(fields);
    const what =
      op === "control"
        ? controlDetail(fields, place)
        : [commandOf(op, fields), fields.method, place, detail(fields)]
            .filter((part) => part !== undefined)
            .join(" ");
    return [shortTime(timestamp_ms, nowMs), result, orDash(fields.tier), orDash(what)];
  },
};

/** A terminal with fewer columns gets the narrow layout. */
const WIDE_COLUMNS = 160;

/** The layout for this many columns, undefined standing for a pipe. */
export function auditLayout(columns: number | undefined): AuditLayout {
  return columns === undefined || columns >= WIDE_COLUMNS ? WIDE_AUDIT : NARROW_AUDIT;
}

/** Colours for the cells of a row. */
export function auditPainter({ header }: AuditLayout, paints: Paints): CellPainter {
  const paintOutcome = outcomePainter(paints);
  const paintTier = tierPainter(paints);
  return (text, column) => {
    const name = header[column];
    if (text === "-" || name === "TIME") return paints.faint(text);
    if (name === "DECISION" || name === "OUTCOME" || name === "RESULT") return paintOutcome(text);
    return name === "TIER" ? paintTier(text) : text;
  };
}

/** Cells as a line of a stream. With `columns` the last one is cut to fit a terminal. */
export function auditLine(
  layout: AuditLayout,
  cells: readonly string[],
  paint: CellPainter,
  columns?: number,
): string {
  const texts = cells.map(escapeForTerminal);
  const before = texts
    .slice(0, -1)
    .reduce((sum, text, column) => sum + Math.max(displayWidth(text), layout.widths[column] ?? 0) + 2, 0);
  const room = columns === undefined ? undefined : Math.max(16, columns - 1 - before);
  return texts
    .map((whole, column) => {
      const text = room === undefined || column < texts.length - 1 ? whole : cutColumns(whole, room);
      const blanks = " ".repeat(Math.max(0, (layout.widths[column] ?? 0) - displayWidth(text)));
      return paint(text, column, 0) + (column === cells.length - 1 ? "" : blanks);
    })
    .join("  ")
    .trimEnd();
}

/** The ask's command in the words of a policy, where that says more than the method. */
function commandOf(op: Entry["op"], { command, method }: Entry["fields"]): string | undefined {
  return op === "control" || command === undefined || command === "" || command === method
    ? undefined
    : command;
}

function orDash(cell: string | number | undefined): string {
  return cell === undefined || cell === "" ? "-" : String(cell);
}

function hostOf({ host, port }: Entry["fields"]): string | undefined {
  return host === undefined ? undefined : hostText({ host, port: port ?? 443 });
}

/** The clock of today's rows, the date of older ones. */
function shortTime(ms: number, nowMs: number): string {
  const [day = "", time = ""] = localTime(ms).split(" ");
  return day === localTime(nowMs).split(" ")[0]
    ? time
    : day.length > 5
      ? `${day.slice(5)} ${time.slice(0, 5)}`
      : day;
}

/** The ask's path or command, and in parentheses the reason of its outcome. */
function detail({ path, command, reason, repeated }: Entry["fields"]): string | undefined {
  const what = path ?? command;
  const times = typeof repeated === "number" ? `${repeated} times` : undefined;
  const why = [times, reason === "" ? undefined : reason].filter((part) => part !== undefined).join(": ");
  if (what === undefined || why === "") return what ?? (why === "" ? undefined : why);
  return `${what} (${why})`;
}

/** Fields of a control row that have a place of their own. */
const CONTROL_FRAME = new Set([
  "command",
  "host",
  "port",
  "reason",
  "caller_uid",
  "caller_pid",
  "request_id",
]);

/** A control command in one line: command, place, values, reason, caller. */
function controlDetail(fields: Entry["fields"], place: string | undefined): string {
  const { command = "", reason } = fields;
  const values = Object.entries(fields).flatMap(([name, value]) =>
    CONTROL_FRAME.has(name) || value === undefined || typeof value === "object" ? [] : [`${name}=${value}`],
  );
  const why = reason === undefined ? [] : [`(${reason})`];
  return [command, ...(place === undefined ? [] : [place]), ...values, ...why, ...whoTyped(fields)].join(" ");
}

/** The user, and the program that had started the command: a shell under a terminal looks otherwise than an agent. */
function whoTyped({ client, caller_uid, caller_pid }: Entry["fields"]): string[] {
  const { user, ancestors } = (client ?? {}) as ClientDetails;
  const from = (ancestors ?? []).map(({ process }) => plainName(process)).join(" < ");
  if (user !== undefined) return [`by ${plainName(user)}`, ...(from === "" ? [] : [`from ${from}`])];
  if (caller_uid === undefined) return [];
  return [`by uid ${caller_uid}`, ...(caller_pid === undefined ? [] : [`pid ${caller_pid}`])];
}
