// The screen of the interactive watch, as lines.

import { describe, expect, test } from "bun:test";
import type { Approval, ApprovalDetails } from "../../../src/api/reports.ts";
import {
  layoutOf,
  renderScreen,
  type ScreenSize,
} from "../../../src/features/approvals/watch/watch-screen.ts";
import {
  drawn,
  EMPTY_WATCH,
  press,
  type WatchState,
  withApprovals,
  withDetails,
  withNote,
} from "../../../src/features/approvals/watch/watch-state.ts";
import { approvalOf, detailsOf } from "../approvals.ts";

const PLAIN = { good: same, warn: same, bad: same, faint: same, bold: same };
const SIZE: ScreenSize = { columns: 80, rows: 24 };
const NOW = 1_973_000;

function same(text: string): string {
  return text;
}

function watching(approvals: readonly Approval[], details?: ApprovalDetails): WatchState {
  const state = withApprovals(EMPTY_WATCH, approvals, 0);
  return details === undefined ? state : withDetails(state, details);
}

function screen(state: WatchState, size = SIZE, nowMs = NOW): string[] {
  const layout = layoutOf(state, size);
  const shown = layout === undefined ? state : drawn(state, layout);
  return renderScreen(shown, layout, size, nowMs, PLAIN);
}

test("several requests, the selected one whole", () => {
  const state = watching(
    [approvalOf("a"), approvalOf("b", { tier: "modify", command: "pods create" })],
    detailsOf("a"),
  );
  expect(screen(state)).toEqual([
    "2 requests wait for approval, this is 1",
    ">   0:27  sensitive    pods delete  namespace=payments    my-cluster.eks.ama...",
    "    0:27  modify       pods create  namespace=payments    my-cluster.eks.ama...",
    "-------------------------------------------------------------------------------",
    "tier        sensitive",
    "command     pods delete",
    "scope       namespace=payments",
    "host        my-cluster.eks.amazonaws.com",
    "request     DELETE /api/v1/namespaces/payments/pods/a",
    "effect      looking ...",
    "protocol    kubectl",
    "rule        kubectl.rules.escalate.groups[0]",
    "because     delete of pods",
    "id          appr_0000000a",
    "headers     host: my-cluster.eks.amazonaws.com",
    "            authorization: ***",
    "body        ",
    "            {",
    '              "gracePeriodSeconds": 0',
    "            }",
    "",
    "-------------------------------------------------------------------------------",
    "",
    "a allow  f allow for 15m  d deny  r deny+why  i do instead  j/k select  q quit",
  ]);
});

test("requests of one command are together, and the name of a new object is there without scrolling", () => {
  const one = { group: "kubectl:7:1", restable: true };
  const created = { command: "deployments create", method: "POST", object: "Deployment api", ...one };
  const state = watching(
    [approvalOf("a", created), approvalOf("b"), approvalOf("c", { ...one, tier: "modify" })],
    detailsOf("a", created),
  );
  const lines = screen(state);
  expect(lines.slice(1, 4)).toEqual([
    ">   0:27  sensitive    deployments create (Deployment...  my-cluster.eks.ama...",
    "    0:27  modify       + pods delete  namespace=payments  my-cluster.eks.ama...",
    "    0:27  sensitive    pods delete  namespace=payments    my-cluster.eks.ama...",
  ]);
  expect(lines).toContain("object      Deployment api");
  expect(lines).toContain("and also    modify  pods delete");
  expect(lines.at(-1)).toBe("a allow  f allow for 15m  g rest of command  d deny  r deny+why  i do instead");
});

test("nothing waits", () => {
  const lines = screen(withNote(EMPTY_WATCH, "12:00:00  approved pods delete (appr_0000000a)"));
  expect(lines[0]).toBe("no request waits for approval");
  expect(lines[2]).toBe("12:00:00  approved pods delete (appr_0000000a)");
  expect(lines.at(-1)).toBe("q quit");
});

test("without a daemon that is what is said", () => {
  expect(screen({ ...EMPTY_WATCH, isConnected: false })[0]).toBe("the daemon is not running; waiting for it");
});

describe("whatever is asked, the screen has its rows and no line is wider than it", () => {
  const long = approvalOf("a", { command: "x".repeat(300), path: `/${"%20b/".repeat(900)}end` });
  const wide = approvalOf("a", { command: "漢字 ".repeat(90), labels: { project: "é".repeat(200) } });
  const states: readonly (readonly [string, WatchState])[] = [
    ["nothing", EMPTY_WATCH],
    ["one", watching([approvalOf("a")])],
    ["two hundred", watching(Array.from({ length: 200 }, (_, index) => approvalOf(String(index))))],
    ["a very long one", watching([long], { ...detailsOf("a"), ...long, body: "y".repeat(5_000) })],
    ["wide characters", watching([wide])],
    ["a long note", withNote(watching([approvalOf("a")]), "z".repeat(500))],
    ["a long reason", { ...watching([approvalOf("a")]), reason: "w".repeat(200) }],
  ];
  for (const [name, state] of states)
    for (const size of [
      SIZE,
      { columns: 40, rows: 12 },
      { columns: 200, rows: 60 },
      { columns: 20, rows: 5 },
    ])
      test(`${name} at ${size.columns}x${size.rows}`, () => {
        const lines = screen(state, size);
        expect(lines.length).toBe(size.rows);
        for (const line of lines) expect(columnsOf(line)).toBeLessThan(size.columns);
      });
});

/** As a terminal that draws everything beyond ASCII in two columns. */
function columnsOf(line: string): number {
  return [...line].reduce((sum, each) => sum + (each <= "~" ? 1 : 2), 0);
}

describe("nothing of command or URL is hidden", () => {
  const path = `/api/${Array.from({ length: 400 }, (_, index) => `s${index}`).join("/")}?x=1`;
  const command = `run ${"very".repeat(60)} long`;
  const approval = approvalOf("a", { path, command });

  test("paging through shows every character of both, in order", () => {
    let state = watching([approval]);
    const layout = layoutOf(state, SIZE);
    if (layout === undefined) throw new Error("unreachable");
    let read = "";
    for (let top = 0; top < layout.mustSee; top += layout.paneRows) {
      const rows = renderScreen({ ...state, top }, layout, SIZE, NOW, PLAIN);
      read += rows
        .slice(3, 3 + layout.paneRows)
        .map((row) => row.slice(12))
        .join("");
    }
    expect(read).toContain(command);
    expect(read.replaceAll(" ", "")).toContain(`DELETE${path}`);
    // And until then, the keys say what is missing.
    expect(screen(state).at(-1)).toStartWith("space reads on, then a allows  d deny");
    state = drawn(state, layout);
    for (let page = 0; page < 20; page += 1) {
      state = drawn(press(state, { kind: "char", char: " " }, layout, NOW).state, layout);
    }
    expect(screen(state).at(-1)).toStartWith("a allow");
  });

  test("what a terminal would obey is shown instead", () => {
    const evil = approvalOf("a", { command: "get\x1b[2J\u202epods", labels: { namespace: "a b=\n\u200bc" } });
    const text = screen(watching([evil])).join("\n");
    expect(text).toContain("get\\e[2J\\u{202e}pods");
    expect(text).toContain('scope       namespace="a b=\\n\\u{200b}c"');
    expect(text).not.toMatch(/[\x1b\u202e\u200b]/);
  });
});

describe("the countdown", () => {
  const rows: readonly (readonly [number, string])[] = [
    [30_000, "0:30"],
    [29_999, "0:30"],
    [1, "0:01"],
    [0, "0:00"],
    [-5_000, "0:00"],
    [600_000, "10:00"],
    [3_600_000, "1h00m"],
    [86_399_000, "23h59m"],
  ];
  for (const [left, text] of rows)
    test(`${left} ms`, () => {
      const state = watching([approvalOf("a", { expires_ms: NOW + left })]);
      expect(screen(state)[1]).toStartWith(`> ${text.padStart(6)}  sensitive`);
    });
});

test("of two hundred, those around the selected are listed", () => {
  let state = watching(
    Array.from({ length: 200 }, (_, index) => approvalOf(String(index), { command: `c${index}` })),
  );
  const layout = layoutOf(state, SIZE);
  if (layout === undefined) throw new Error("unreachable");
  for (let index = 0; index < 100; index += 1) state = press(state, { kind: "down" }, layout, NOW).state;
  const lines = screen(state);
  expect(lines[0]).toBe("200 requests wait for approval, this is 101");
  expect(lines.slice(1, 9).map((line) => /c\d+/.exec(line)?.[0])).toEqual([
    "c96",
    "c97",
    "c98",
    "c99",
    "c100",
    "c101",
    "c102",
    "c103",
  ]);
  expect(lines[5]).toStartWith(">");
});
