// The steps of an update that may follow each other when the daemon updates itself.

import { expect, test } from "bun:test";
import {
  isBusy,
  isFreshCheck,
  nextUpdateState,
  type UpdateState,
  type UpdateStep,
} from "../../src/model/update-state.ts";

const V = "v21.0101.0101";
const OLD = "v20.0101.0101";
const STATES: Readonly<Record<UpdateState["kind"], UpdateState>> = {
  idle: { kind: "idle" },
  checking: { kind: "checking" },
  available: { kind: "available", version: V },
  downloading: { kind: "downloading", version: V, received: 5, total: 9 },
  staged: { kind: "staged", version: V },
  applying: { kind: "applying", version: V },
  failed: { kind: "failed", during: "checking", problem: "p" },
};
const FAIL: UpdateStep = { kind: "fail", problem: "why" };

/** From, step, to; what is not here is refused. */
const ALLOWED: readonly (readonly [UpdateState["kind"], UpdateStep, UpdateState])[] = [
  ["idle", { kind: "check" }, STATES.checking],
  ["available", { kind: "check" }, STATES.checking],
  ["staged", { kind: "check" }, STATES.checking],
  ["failed", { kind: "check" }, STATES.checking],
  ["checking", { kind: "current" }, STATES.idle],
  ["checking", { kind: "found", version: V }, STATES.available],
  ["checking", FAIL, { kind: "failed", during: "checking", problem: "why" }],
  ["available", { kind: "download" }, { kind: "downloading", version: V, received: 0, total: 0 }],
  [
    "downloading",
    { kind: "progress", received: 7, total: 9 },
    { kind: "downloading", version: V, received: 7, total: 9 },
  ],
  ["downloading", { kind: "downloaded" }, STATES.staged],
  ["downloading", FAIL, { kind: "failed", during: "downloading", problem: "why", version: V }],
  ["staged", { kind: "apply" }, STATES.applying],
  ["applying", FAIL, { kind: "failed", during: "applying", problem: "why", version: V }],
];

const STEPS: readonly UpdateStep[] = [
  { kind: "check" },
  { kind: "current" },
  { kind: "found", version: V },
  { kind: "download" },
  { kind: "progress", received: 7, total: 9 },
  { kind: "downloaded" },
  { kind: "apply" },
  FAIL,
];

test("every step from every state leads where the table says, or is refused", () => {
  for (const [kind, state] of Object.entries(STATES))
    for (const step of STEPS) {
      const wanted = ALLOWED.find(([from, each]) => from === kind && each.kind === step.kind)?.[2];
      expect([kind, step.kind, nextUpdateState(state, step)]).toEqual([kind, step.kind, wanted]);
    }
});

const STARTS: readonly (readonly [UpdateState["kind"], string, UpdateState["kind"]])[] = [
  ["applying", V, "idle"],
  ["applying", OLD, "failed"],
  ["downloading", OLD, "idle"],
  ["checking", OLD, "idle"],
  ["staged", OLD, "staged"],
  ["staged", V, "idle"],
  ["available", V, "idle"],
  ["available", OLD, "available"],
  ["failed", OLD, "failed"],
  ["idle", OLD, "idle"],
];

test("a daemon that starts ends what the last one left, and never begins busy", () => {
  for (const [kind, version, wanted] of STARTS) {
    const next = nextUpdateState(STATES[kind], { kind: "started", version });
    expect([kind, version, next?.kind]).toEqual([kind, version, wanted]);
    if (next !== undefined) expect(isBusy(next)).toBe(false);
  }
});

test("a check counts as recent for a minute, and one in the future never does", () => {
  const now = 1_800_000_000_000;
  expect(isFreshCheck(now - 1_000, now)).toBe(true);
  expect(isFreshCheck(now - 60_000, now)).toBe(false);
  expect(isFreshCheck(now + 86_400_000, now)).toBe(false);
  expect(isFreshCheck(undefined, now)).toBe(false);
});
