// `iddio audit …`: reads audit.jsonl itself, so it works without a daemon and costs the same however
// long the file is. Never writes.

import type { Entry } from "../../model/entry.ts";
import { UserError } from "../../model/user-error.ts";
import { AUDIT_COLUMNS, auditCells, auditLine } from "../audit-row.ts";
import { type Command, JSON_FLAG } from "../command.ts";

/** Prints the last rows, oldest first. */
export const auditShowCommand: Command = {
  name: "audit show",
  summary: "Show the last rows of the audit log",
  flags: [
    { name: "op", value: "op", summary: "Only rows of this kind, e.g. mitm, block, passthrough" },
    { name: "host", value: "host", summary: "Only rows of exactly this host" },
    { name: "last", value: "n", kind: "count", summary: "At most so many rows (default 50)" },
    {
      name: "since",
      value: "duration",
      kind: "duration",
      summary: "Only rows newer than this, e.g. 5m, 24h, 1h30m",
    },
    JSON_FLAG,
  ],
  examples: ["iddio audit show --last 20", "iddio audit show --op block --since 1h"],
  async run({ flags, output, paths }) {
    const { readLast } = await import("../../state/journal-read.ts");
    const op = flags.text("op");
    const host = flags.text("host")?.toLowerCase();
    const since = flags.durationMs("since");
    const entries = await readLast(paths.audit, {
      last: flags.count("last", 50),
      filter: (entry) =>
        (op === undefined || entry.op === op) && (host === undefined || entry.fields.host === host),
      ...(since === undefined ? {} : { sinceMs: Date.now() - since }),
    });
    if (flags.has("json")) return void output.json(entries);
    if (entries.length === 0) return void output.note(`no matching rows in ${paths.audit}`);
    const paint = rowPainter(await output.loadPaints());
    output.table(AUDIT_COLUMNS, entries.map(auditCells), (text, column) => paint(text, column));
  },
};

/** Prints matching rows as they are appended, or with --lines the last ones and ends. */
export const auditTailCommand: Command = {
  name: "audit tail",
  summary: "Follow the audit log",
  flags: [
    {
      name: "lines",
      value: "n",
      kind: "count",
      summary: "Print the last n matching rows and end; 0 follows (default 0)",
    },
    {
      name: "filter",
      value: "key=value",
      isRepeatable: true,
      summary: "Only rows with this field; several must all match",
    },
    { name: "json", summary: "Print one JSON object a line" },
  ],
  examples: ["iddio audit tail --filter host=my-cluster.eks.amazonaws.com", "iddio audit tail --lines 10"],
  async run({ flags, output, paths, interrupted }) {
    const { readLast, followJournal } = await import("../../state/journal-read.ts");
    const filter = fieldFilter(flags.texts("filter"));
    const print = (entry: Entry) =>
      flags.has("json") ? output.jsonLine(entry) : output.line(auditLine(entry));
    const last = flags.count("lines", 0);
    if (last > 0) {
      for (const entry of await readLast(paths.audit, { last, filter })) print(entry);
      return;
    }
    for await (const entry of followJournal(paths.audit, { signal: interrupted() })) {
      if (filter(entry)) print(entry);
    }
  },
};

/** Keys name a field, or `op`, `hash`, `timestamp_ms` of the row itself; `labels.namespace` reaches inside. */
function fieldFilter(pairs: readonly string[]): (entry: Entry) => boolean {
  const wanted = pairs.map((pair) => {
    const equals = pair.indexOf("=");
    if (equals <= 0) {
      throw new UserError(`'${pair}' is not a filter`, {
        hint: "type: --filter host=example.com",
        exitCode: 2,
      });
    }
    return [pair.slice(0, equals).split("."), pair.slice(equals + 1)] as const;
  });
  return (entry) => wanted.every(([path, value]) => String(valueAt(entry, path) ?? "") === value);
}

function valueAt(entry: Entry, path: readonly string[]): unknown {
  const [first = ""] = path;
  let value: unknown = first in entry && first !== "fields" ? entry : entry.fields;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function rowPainter(paints: {
  good: (t: string) => string;
  warn: (t: string) => string;
  bad: (t: string) => string;
}) {
  const byWord: Readonly<Record<string, (text: string) => string>> = {
    allow: paints.good,
    escalate: paints.warn,
    deny: paints.bad,
    refused: paints.bad,
    denied: paints.bad,
    blocked: paints.bad,
    timed_out: paints.warn,
    withdrawn: paints.warn,
  };
  return (text: string, column: number) =>
    column === 2 || column === 3 ? (byWord[text]?.(text) ?? text) : text;
}
