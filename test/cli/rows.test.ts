// Audit rows and events as people read them.

import { describe, expect, test } from "bun:test";
import { auditLayout, auditLine, auditPainter, NARROW_AUDIT, WIDE_AUDIT } from "../../src/cli/audit-row.ts";
import { outcomePainter } from "../../src/cli/kit/outcome-painter.ts";
import { eventLine } from "../../src/features/approvals/event-line.ts";
import { EVENT_TAGS } from "../../src/model/event.ts";
import { OUTCOMES } from "../../src/model/outcome.ts";

const PLAIN = { good: same, warn: same, bad: same, faint: same, bold: same };
const MARKED = { good: mark("+"), warn: mark("~"), bad: mark("!"), faint: same, bold: same };

function same(text: string): string {
  return text;
}

function mark(sign: string) {
  return (text: string) => sign + text;
}

function detail(
  fields: Record<string, unknown>,
  op: "mitm" | "block" | "control" = "mitm",
): string | undefined {
  return WIDE_AUDIT.cells({ timestamp_ms: 0, op, hash: "", fields }, 0).at(-1);
}

describe("what a row is about", () => {
  const rows: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ["a path", detail({ path: "/a", command: "pods get" }), "/a"],
    ["a path and why", detail({ path: "/a", reason: "not now" }, "block"), "/a (not now)"],
    ["only why", detail({ reason: "bare line feed" }, "block"), "bare line feed"],
    ["nothing", detail({}), "-"],
    [
      "a command that was typed, with what and by whom",
      detail({ command: "set-proxy-mode", proxy_mode: "observe", caller_uid: 0, caller_pid: 7 }, "control"),
      "set-proxy-mode proxy_mode=observe by uid 0 pid 7",
    ],
    [
      "what had started it",
      detail(
        {
          command: "policy reload",
          caller_uid: 0,
          client: { user: "me", ancestors: [{ process: "bash" }, { process: "an agent, by root" }] },
        },
        "control",
      ),
      'policy reload by me from bash < "an agent, by root"',
    ],
    [
      "an answer, with its reason",
      detail({ command: "approval deny", approval_id: "appr_1", reason: "no", caller_uid: 0 }, "control"),
      "approval deny approval_id=appr_1 (no) by uid 0",
    ],
  ];
  for (const [name, got, want] of rows) test(name, () => expect(got).toBe(want));
});

describe("the host as it was connected to", () => {
  const rows: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ host: "a.b", port: 443 }, "a.b"],
    [{ host: "a.b" }, "a.b"],
    [{ host: "a.b", port: 6443 }, "a.b:6443"],
    [{ host: "::1", port: 6443 }, "[::1]:6443"],
    [{}, "-"],
  ];
  for (const [fields, want] of rows)
    test(want, () =>
      expect(WIDE_AUDIT.cells({ timestamp_ms: 0, op: "mitm", hash: "", fields }, 0)[8]).toBe(want),
    );
});

test("a row that is printed as it comes keeps its columns, and hides nothing", () => {
  const fields = { host: "h\x1b[31m", method: "GET", path: "/\u202e", tier: "observe", status: 200 } as const;
  const cells = WIDE_AUDIT.cells({ timestamp_ms: Number.NaN, op: "mitm", hash: "", fields }, 0);
  const line = auditLine(WIDE_AUDIT, cells, auditPainter(WIDE_AUDIT, PLAIN));
  expect(line).toBe(
    "-                    mitm         -         -          observe      200     -                         GET      h\\e[31m                       /\\u{202e}",
  );
});

describe("in a narrow terminal a row says when, how it went and what it was", () => {
  const now = new Date(2026, 0, 2, 3, 4, 5).getTime();
  const at = (
    ms: number,
    op: "mitm" | "block" | "control" | "passthrough",
    fields: Record<string, unknown>,
  ) => NARROW_AUDIT.cells({ timestamp_ms: ms, op, hash: "", fields }, now);
  const request = { method: "DELETE", host: "a.b", port: 443, path: "/x", tier: "sensitive" };
  const rows: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    [
      "a request of today",
      at(now, "mitm", { ...request, decision: "allow", outcome: "approved" }),
      ["03:04:05", "approved", "sensitive", "DELETE a.b /x"],
    ],
    [
      "an older one",
      at(now - 86_400_000, "block", { ...request, decision: "deny", outcome: "denied", reason: "no" }),
      ["01-01 03:04", "denied", "sensitive", "DELETE a.b /x (no)"],
    ],
    [
      "the manual's, without an outcome",
      at(now, "mitm", { ...request, decision: "allow" }),
      ["03:04:05", "allow", "sensitive", "DELETE a.b /x"],
    ],
    [
      "a connection",
      at(now, "passthrough", { host: "a.b", port: 22 }),
      ["03:04:05", "passthrough", "-", "a.b:22"],
    ],
    [
      "what was typed",
      at(now, "control", { command: "unpin", host: "a.b", caller_uid: 0 }),
      ["03:04:05", "control", "-", "unpin a.b by uid 0"],
    ],
    ["nothing known", at(Number.NaN, "mitm", {}), ["-", "mitm", "-", "-"]],
  ];
  for (const [name, got, want] of rows) test(name, () => expect(got).toEqual([...want]));
});

test("a pipe and a wide terminal get every column", () => {
  expect(auditLayout(undefined)).toBe(WIDE_AUDIT);
  expect(auditLayout(160)).toBe(WIDE_AUDIT);
  expect(auditLayout(159)).toBe(NARROW_AUDIT);
});

test("every outcome has a colour, and no word that says nothing about one", () => {
  const paint = outcomePainter(MARKED);
  for (const outcome of OUTCOMES) expect(paint(outcome)).not.toBe(outcome);
  for (const action of ["allow", "escalate", "deny"]) expect(paint(action)).not.toBe(action);
  for (const word of ["mitm", "splice", "proxy_mode_changed", ""]) expect(paint(word)).toBe(word);
  expect(EVENT_TAGS.filter((tag) => paint(tag).startsWith("!"))).toEqual([
    "policy_reload_failed",
    "settings_reload_failed",
    "block",
  ]);
});

describe("an event is a line", () => {
  const line = (fields: Record<string, unknown>) =>
    eventLine({ timestamp_ms: Number.NaN, tag: "allow", fields }, PLAIN).replace("-  allow  ", "");
  const rows: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ host: "a.b", port: 443, late: true }, "host=a.b  port=443  late=true"],
    [{ labels: { namespace: "x" }, client: { user: "me" } }, "labels.namespace=x  client.user=me"],
    [{ reason: "not now" }, 'reason="not now"'],
    [{ reason: 'a"b' }, 'reason="a\\"b"'],
    [{ path: "/\x1b[2J\n" }, 'path="/\\u001b[2J\\n"'],
    [{ path: "/\x1b[2J" }, "path=/\\e[2J"],
    [{ changed: ["a", "b"] }, 'changed=["a","b"]'],
    [{ "na\u200bme": 1 }, "na\\u{200b}me=1"],
  ];
  for (const [fields, want] of rows) test(want, () => expect(line(fields)).toBe(want));

  test("also one that says how many were lost", () => {
    expect(eventLine({ lost: 7 }, PLAIN)).toBe("(7 older events were lost: this reader was too slow)");
  });
});
