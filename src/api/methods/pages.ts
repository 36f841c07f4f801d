// The control methods that pages need beside what commands do by themselves: commands read the log
// and check policies in their own process, a page asks the daemon. All of them read. Part of the
// table in methods.ts.

import { method } from "../method.ts";
import { anything, flag, list, map, number, object, optional, text, type Value, words } from "../schema.ts";

/** Which log is read. */
export const LOGS = ["audit", "observe"] as const;

const logRow = object({
  at: number("offset of the row in the file"),
  timestamp_ms: number(),
  op: text(),
  hash: text(),
  fields: map(anything()),
});
/** A row of a log with its place. */
export type LogRow = Value<typeof logRow>;

const logFilter = object({
  op: optional(text()),
  protocol: optional(text()),
  tier: optional(text()),
  decision: optional(text()),
  outcome: optional(text()),
  run: optional(text()),
  host: optional(text("part of it")),
  text: optional(text("part of the command, the path, the reason or an id")),
});
/** Which rows are wanted. */
export type LogFilter = Value<typeof logFilter>;

const finding = object({
  check: text(),
  looked_at: text(),
  verdict: words(["ok", "warn", "fail", "skip"]),
  detail: text(),
  fix: optional(text()),
});

/** The methods that only the console's pages call. */
export const PAGE_METHODS = {
  audit_read: method("read", "POST", "/v1/audit/read", {
    about: "rows of the audit or the observe log, the latest first, from a place on backwards",
    input: object({
      log: words(LOGS),
      limit: number("at most 500"),
      before: optional(number("offset that a former answer gave as `next`; the end of the file without it")),
      filter: optional(logFilter),
      since_ms: optional(number("only rows with this time or a later one")),
    }),
    output: object({
      rows: list(logRow),
      next: optional(number("where to go on; absent when the log was read to its beginning")),
    }),
  }),
  audit_histogram: method("read", "POST", "/v1/audit/histogram", {
    about: "how many requests ended how, over time",
    input: object({ log: words(LOGS), since_ms: number(), buckets: number("at most 200") }),
    output: object({
      until_ms: number(),
      buckets: list(object({ allowed: number(), asked: number(), refused: number() })),
      is_cut: flag("the log was too long to be read back to the beginning"),
    }),
  }),
  policy_versions: method("read", "GET", "/v1/policy/versions", {
    about: "the texts of policy.yaml that were in force, the latest first",
    output: object({ versions: list(object({ saved_ms: number(), sha256: text(), text: text() })) }),
  }),
  doctor_examine: method("read", "GET", "/v1/doctor", {
    about: "what `iddio doctor` finds",
    output: object({ findings: list(finding) }),
  }),
} as const;
