// `iddio observe …`: a trial of the policy. The daemon judges and lets everything pass; its
// verdicts are read here from observe.jsonl, with or without a daemon.

import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import { localTime } from "../../cli/kit/local-time.ts";
import { ACTIONS, type Action } from "../../model/action.ts";
import { UserError } from "../../model/user-error.ts";
import { renderDuration } from "../../text/duration.ts";
import { OBSERVE_COLUMNS, observeCells } from "./observe-row.ts";

const DEFAULT_MS = 30 * 60_000;
/** Copies that the daemon keeps of a full observe.jsonl. */
const ROTATED = 3;

/** Starts a session that ends by itself. */
export const observeStartCommand: Command = {
  name: "observe start",
  summary: "Judge and record for a while, and block nothing",
  flags: [
    {
      name: "duration",
      value: "duration",
      kind: "duration",
      summary: "How long, 1s to 7d (default 30m)",
    },
    JSON_FLAG,
  ],
  details: [
    "While it runs, nothing is held or refused. Records go to observe.jsonl and not",
    "to the audit log. Afterwards the proxy mode is what it was before, also if the",
    "daemon was restarted in between.",
  ],
  examples: ["iddio observe start --duration 2h"],
  async run({ flags, output, daemon }) {
    const duration_ms = flags.durationMs("duration") ?? DEFAULT_MS;
    const report = await daemon.call("observe_start", { duration_ms });
    if (flags.has("json")) return void output.json(report);
    output.line(
      `observing for ${renderDuration(duration_ms)}; then the mode is ${report.previous_mode} again`,
    );
  },
};

/** Ends the session early. */
export const observeStopCommand: Command = {
  name: "observe stop",
  summary: "End the observe session now",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const report = await daemon.call("observe_stop", {});
    if (flags.has("json")) output.json(report);
    else output.line(`observe session ended; proxy mode: ${report.proxy_mode}`);
  },
};

/** Prints the session and its recorded rows. */
export const observeStatusCommand: Command = {
  name: "observe status",
  summary: "Show the observe session, or the last one, and its totals",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon, paths }) {
    const report = await daemon.call("observe_status", {});
    const span = report.active ? report : report.last;
    const records = span && (await countRecords(paths.observe, span));
    if (flags.has("json"))
      return void output.json({ ...report, ...(records === undefined ? {} : { records }) });
    output.pairs([
      ["session", report.active ? "running" : report.last ? "ended" : "none"],
      ["proxy_mode", report.proxy_mode],
      ["started", span?.started_ms === undefined ? undefined : localTime(span.started_ms)],
      ["ended", report.last && localTime(report.last.ended_ms)],
      ["ends", report.ends_ms === undefined ? undefined : ending(report.ends_ms)],
      ["then", report.previous_mode],
      ["records", records === undefined ? undefined : summary(records)],
    ]);
  },
};

function ending(endsMs: number): string {
  return `${localTime(endsMs)} (in ${renderDuration(endsMs - Date.now())})`;
}

/** From when to when; one that runs has no end. */
interface Span {
  readonly started_ms?: number | undefined;
  readonly ended_ms?: number | undefined;
}

type Counts = { readonly total: number } & Readonly<Record<Action, number>>;

async function countRecords(
  path: string,
  { started_ms: sinceMs = 0, ended_ms: untilMs = Number.POSITIVE_INFINITY }: Span,
): Promise<Counts> {
  const { rowsFromEnd } = await import("../../state/journal/read.ts");
  const counts = { total: 0, allow: 0, escalate: 0, deny: 0 };
  for await (const { fields, timestamp_ms } of rowsFromEnd(path, { sinceMs, rotated: ROTATED })) {
    // Observe mode without a session writes records too.
    if (timestamp_ms > untilMs) continue;
    counts.total += 1;
    const decision = ACTIONS.find((action) => action === fields.would_be_decision);
    if (decision !== undefined) counts[decision] += 1;
  }
  return counts;
}

function summary({ total, allow, escalate, deny }: Counts): string {
  return total === 0 ? "0" : `${total} (allow ${allow}, escalate ${escalate}, deny ${deny})`;
}

/** Prints records, oldest first. */
export const observeShowCommand: Command = {
  name: "observe show",
  summary: "Show the policy's would-be decisions",
  flags: [
    { name: "limit", value: "n", kind: "count", summary: "Maximum number of records (default 100)" },
    { name: "offset", value: "n", kind: "count", summary: "Number of latest records to leave out" },
    { name: "host", value: "host", completes: "host", summary: "Only records of exactly this host" },
    { name: "op", value: "decision", choices: ACTIONS, summary: "Only records with this would-be decision" },
    { name: "since", value: "duration", kind: "duration", summary: "Only records newer than this, e.g. 30m" },
    JSON_FLAG,
  ],
  examples: ["iddio observe show --op deny", "iddio observe show --limit 20 --offset 20"],
  async run({ flags, output, paths }) {
    const { readLast } = await import("../../state/journal/read.ts");
    const host = flags.text("host")?.toLowerCase();
    const op = flags.text("op");
    const since = flags.durationMs("since");
    const records = await readLast(paths.observe, {
      last: flags.count("limit", 100),
      skip: flags.count("offset", 0),
      rotated: ROTATED,
      filter: ({ fields }) =>
        (host === undefined || fields.host === host) && (op === undefined || fields.would_be_decision === op),
      ...(since === undefined ? {} : { sinceMs: Date.now() - since }),
    });
    if (flags.has("json")) return void output.json(records);
    if (records.length === 0) return void output.note(`no matching records in ${paths.observe}`);
    const paints = await output.loadPaints();
    const paint = { allow: paints.good, escalate: paints.warn, deny: paints.bad };
    output.table(OBSERVE_COLUMNS, records.map(observeCells), (text, column) =>
      column === 1 && Object.hasOwn(paint, text) ? paint[text as Action](text) : text,
    );
  },
};

/** Empties the log. */
export const observeClearCommand: Command = {
  name: "observe clear",
  summary: "Remove every observe record",
  flags: [{ name: "force", summary: "Really do it" }, JSON_FLAG],
  async run({ flags, output, daemon }) {
    if (!flags.has("force"))
      throw new UserError("this removes every observe record, and nothing keeps a copy", {
        hint: "if that is meant: iddio observe clear --force",
        exitCode: 2,
      });
    const report = await daemon.call("observe_clear", {});
    if (flags.has("json")) output.json(report);
    else output.line(`cleared ${report.path}`);
  },
};
