// `iddio audit …`: reads audit.jsonl itself, so it works without a daemon and costs the same
// however long the file is. Never writes.

import { ENTRY_OPS, type Entry } from "../../model/entry.ts";
import { UserError } from "../../model/user-error.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { auditLayout, auditLine, auditPainter } from "../audit-row.ts";
import { type Command, JSON_FLAG } from "../kit/command.ts";
import type { Output } from "../kit/output.ts";
import { suggestWord } from "../kit/suggest.ts";

/** Prints the last rows, oldest first. */
export const auditShowCommand: Command = {
  name: "audit show",
  summary: "Show the last rows of the audit log",
  flags: [
    { name: "op", value: "op", choices: ENTRY_OPS, summary: "Only rows of this kind" },
    { name: "host", value: "host", completes: "host", summary: "Only rows of exactly this host" },
    { name: "last", value: "n", kind: "count", summary: "Maximum number of rows (default 50)" },
    {
      name: "since",
      value: "duration",
      kind: "duration",
      summary: "Only rows newer than this, e.g. 5m, 24h, 1h30m",
    },
    {
      name: "as-test",
      value: "id",
      summary: "The row with this hash or request id, as a case for policy.test.yaml",
    },
    JSON_FLAG,
  ],
  examples: ["iddio audit show --last 20", "iddio audit show --op block --since 1h"],
  async run({ flags, output, paths }) {
    const { readLast } = await import("../../state/journal/read.ts");
    const asTest = flags.text("as-test");
    if (asTest !== undefined) return void output.write(await caseFor(paths.audit, asTest));
    const op = flags.text("op");
    const isHost = hostFilter(flags.text("host"));
    const since = flags.durationMs("since");
    const entries = await readable(paths.audit, () =>
      readLast(paths.audit, {
        last: flags.count("last", 50),
        filter: (entry) => (op === undefined || entry.op === op) && isHost(entry),
        ...(since === undefined ? {} : { sinceMs: Date.now() - since }),
      }),
    );
    if (flags.has("json")) return void output.json(entries);
    if (entries.length === 0) return void output.note(`no matching rows in ${paths.audit}`);
    const layout = auditLayout(output.columns);
    const now = Date.now();
    const cells = entries.map((entry) => layout.cells(entry, now));
    output.table(layout.header, cells, auditPainter(layout, await output.loadPaints()), "cut");
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
      completes: "filter",
      summary: "Only rows with this field; several must all match",
    },
    { name: "json", summary: "Print one JSON object a line" },
  ],
  details: [
    "A key names a field, or op, hash, timestamp_ms; a dot reaches inside:",
    "labels.namespace. Following goes on when the file is rotated or truncated.",
  ],
  examples: [
    "iddio audit tail --filter host=api.github.com --filter tier=modify",
    "iddio audit tail --lines 10",
  ],
  async run({ flags, output, paths, interrupted }) {
    const { readLast, followJournal } = await import("../../state/journal/read.ts");
    const filter = fieldFilter(flags.texts("filter"), output);
    const isJson = flags.has("json");
    const paints = await output.loadPaints();
    const layout = auditLayout(output.columns);
    const paint = auditPainter(layout, paints);
    const print = (entry: Entry) =>
      isJson
        ? output.jsonLine(entry)
        : output.line(auditLine(layout, layout.cells(entry, Date.now()), paint, output.columns));
    if (!isJson && output.isTerminal) output.line(auditLine(layout, layout.header, paints.faint));
    const last = flags.count("lines", 0);
    await readable(paths.audit, async () => {
      if (last > 0) {
        for (const entry of await readLast(paths.audit, { last, filter })) print(entry);
        return;
      }
      for await (const entry of followJournal(paths.audit, { signal: interrupted() })) {
        if (filter(entry)) print(entry);
      }
    });
  },
};

/** The case that a row makes. A request's last row counts: the one before is only the intent. */
async function caseFor(path: string, id: string): Promise<string> {
  const { readLast } = await import("../../state/journal/read.ts");
  const { caseOfRow } = await import("../../policy/test/case-of-row.ts");
  const [row] = await readable(path, () =>
    readLast(path, {
      last: 1,
      filter: ({ hash, op, fields }) => op !== "intent" && (hash === id || fields.request_id === id),
    }),
  );
  const text = row === undefined ? undefined : caseOfRow(row);
  if (text !== undefined) return text;
  throw new UserError(
    row === undefined
      ? `no row has the hash or request id '${id}'`
      : `row '${id}' is about no judged request`,
    { hint: "see: iddio audit show --json" },
  );
}

/** `host` or `host:port`, as the HOST column prints it. */
function hostFilter(typed: string | undefined): (entry: Entry) => boolean {
  if (typed === undefined) return () => true;
  const wanted = typed.toLowerCase();
  const { host, port } = /^(?<host>.+):(?<port>\d{1,5})$/.exec(wanted)?.groups ?? {};
  return ({ fields }) =>
    fields.host === wanted ||
    (host !== undefined && fields.host === host.replace(/^\[(.*)\]$/, "$1") && String(fields.port) === port);
}

/** Fields that most rows have; a filter on another one is allowed, control rows have many, but may be a slip. */
const USUAL_FIELDS = [
  "op",
  "hash",
  "timestamp_ms",
  "request_id",
  "host",
  "port",
  "method",
  "path",
  "protocol",
  "tier",
  "command",
  "labels",
  "decision",
  "rule",
  "outcome",
  "approval_id",
  "status",
  "reason",
  "duration_ms",
  "client",
];

/** Keys name a field, or `op`, `hash`, `timestamp_ms` of the row itself; `labels.namespace` reaches inside. */
function fieldFilter(pairs: readonly string[], output: Output): (entry: Entry) => boolean {
  const wanted = pairs.map((pair) => {
    const equals = pair.indexOf("=");
    if (equals <= 0) {
      throw new UserError(`'${pair}' is not a filter`, {
        hint: "type: --filter host=example.com",
        exitCode: 2,
      });
    }
    const path = pair.slice(0, equals).split(".");
    const near = USUAL_FIELDS.includes(path[0] ?? "") ? undefined : suggestWord(path[0] ?? "", USUAL_FIELDS);
    if (near !== undefined)
      output.note(`few rows have a field '${escapeForTerminal(path[0] ?? "")}'; did you mean '${near}'?`);
    return [path, pair.slice(equals + 1)] as const;
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

/** A file that cannot be read is the operator's matter, not a mistake of the program. */
async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
    const why = { EACCES: "permission denied", EISDIR: "it is a directory" }[code ?? ""];
    if (why === undefined) throw error;
    throw new UserError(`'${path}' cannot be read: ${why}`, { hint: "see: iddio doctor", cause: error });
  }
}
