// The rules that keep a person from allowing what was not meant.

import { describe, expect, test } from "bun:test";
import type { Key } from "../../../src/cli/kit/terminal/terminal-keys.ts";
import {
  drawn,
  EMPTY_WATCH,
  GRANT_MS,
  type PaneGeometry,
  press,
  reflowed,
  type WatchState,
  withApprovals,
  withDetails,
} from "../../../src/features/approvals/watch/watch-state.ts";
import { approvalOf, detailsOf } from "../approvals.ts";

const ROOMY: PaneGeometry = { paneRows: 20, paneLines: 8, mustSee: 5 };
const NARROW: PaneGeometry = { paneRows: 4, paneLines: 12, mustSee: 9 };
const NOW = 1_000_000;
const SETTLED = NOW + 500;
const A = approvalOf("a");
const B = approvalOf("b");
const C = approvalOf("c");

function watching(geometry = ROOMY): WatchState {
  const state = withApprovals(EMPTY_WATCH, [A, B, C], NOW);
  return drawn(withDetails(state, detailsOf("a", { restable: true })), geometry);
}

function key(text: string): Key {
  return text.length === 1 ? { kind: "char", char: text } : ({ kind: text } as Key);
}

function pressed(state: WatchState, keys: readonly string[], nowMs = SETTLED, geometry = ROOMY) {
  let action: ReturnType<typeof press>["action"];
  for (const each of keys) {
    const result = press(state, key(each), geometry, nowMs);
    state = drawn(result.state, geometry);
    action = result.action;
  }
  return { state, action };
}

describe("one key answers the selected request", () => {
  const rows: readonly (readonly [string, readonly string[], unknown])[] = [
    ["a allows", ["a"], { kind: "allow", id: A.id }],
    ["f allows others like it too", ["f"], { kind: "allow", id: A.id, forMs: GRANT_MS }],
    ["g allows the rest of its command too", ["g"], { kind: "allow", id: A.id, isRest: true }],
    ["d denies", ["d"], { kind: "deny", id: A.id }],
    ["r and a reason denies with it", ["r", "n", "o", "enter"], { kind: "deny", id: A.id, reason: "no" }],
    ["r and nothing denies", ["r", "enter"], { kind: "deny", id: A.id }],
    ["i and words deny with them", ["i", "p", "r", "enter"], { kind: "deny", id: A.id, instead: "pr" }],
    ["i and nothing is no answer yet", ["i", "enter"], undefined],
    ["keys of answers are letters in an alternative", ["i", "a"], undefined],
    ["keys of answers are letters in a reason", ["r", "a"], undefined],
    ["escape goes back to the keys", ["r", "x", "escape", "a"], { kind: "allow", id: A.id }],
    ["q quits", ["q"], { kind: "quit" }],
    ["Ctrl-C quits", ["\x03"], { kind: "quit" }],
    ["Ctrl-C quits while a reason is typed", ["r", "\x03"], { kind: "quit" }],
    ["upper case is no answer", ["A"], undefined],
    ["enter is no answer", ["enter"], undefined],
  ];
  for (const [name, keys, action] of rows)
    test(name, () => expect(pressed(watching(), keys).action).toEqual(action as never));
});

describe("for half a second after the selection changed nothing is answered", () => {
  for (const answer of ["a", "f", "g", "d"]) {
    test(`${answer} at 499 ms is ignored, at 500 ms it counts`, () => {
      const early = pressed(watching(), [answer], NOW + 499);
      expect(early.action).toBeUndefined();
      const late = pressed(watching(), [answer], NOW + 500);
      expect(late.action).toBeDefined();
    });
  }

  for (const words of ["r", "i"])
    test(`words can be typed at once after ${words}, and are sent after that time`, () => {
      const early = pressed(watching(), [words, "a", "d", "enter"], NOW + 1);
      expect(early.action).toBeUndefined();
      expect(pressed(early.state, ["enter"]).action).toMatchObject({ kind: "deny", id: A.id });
    });

  test("a person's own move begins it again", () => {
    const { state } = pressed(watching(), ["j"], NOW + 10_000);
    expect(pressed(state, ["a"], NOW + 10_499).action).toBeUndefined();
    expect(pressed(state, ["a"], NOW + 10_500).action).toEqual({ kind: "allow", id: B.id });
  });

  test("so does a request that goes away under the finger", () => {
    const state = drawn(withApprovals(watching(), [B, C], NOW + 10_000), ROOMY);
    expect(state.selectedId).toBe(B.id);
    expect(pressed(state, ["a"], NOW + 10_001).action).toBeUndefined();
  });

  test("one that comes, or goes elsewhere in the list, does not", () => {
    const state = withApprovals(watching(), [A, C, approvalOf("d")], NOW + 10_000);
    expect(pressed(state, ["a"], NOW + 10_001).action).toEqual({ kind: "allow", id: A.id });
  });

  test("a reason that was being typed for a request that went away is dropped", () => {
    const { state } = pressed(watching(), ["r", "x"]);
    expect(withApprovals(state, [B], NOW).reason).toBeUndefined();
  });

  for (const words of ["r", "i"])
    test(`letters that go on after ${words} when the request has gone answer no other, until enter`, () => {
      const { state } = pressed(watching(), [words, "x"]);
      const moved = drawn(withApprovals(state, [B], SETTLED), ROOMY);
      const late = SETTLED + 60_000;
      const letters = pressed(moved, ["a", "d", "f", "g", "j", "q"], late);
      expect(letters.action).toBeUndefined();
      expect(letters.state).toEqual(moved);
      const noticed = pressed(letters.state, ["enter"], late);
      expect(pressed(noticed.state, ["a"], late + 499).action).toBeUndefined();
      expect(pressed(noticed.state, ["a"], late + 500).action).toEqual({ kind: "allow", id: B.id });
    });
});

describe("nothing is allowed before its whole command and URL were on the screen", () => {
  test("a does nothing until the last line of them was shown", () => {
    let state = watching(NARROW);
    expect(pressed(state, ["a"], SETTLED, NARROW).action).toBeUndefined();
    ({ state } = pressed(state, [" "], SETTLED, NARROW));
    expect(pressed(state, ["a"], SETTLED, NARROW).action).toBeUndefined();
    ({ state } = pressed(state, [" "], SETTLED, NARROW));
    expect(pressed(state, ["a"], SETTLED, NARROW).action).toEqual({ kind: "allow", id: A.id });
  });

  test("denying needs no reading", () => {
    expect(pressed(watching(NARROW), ["d"], SETTLED, NARROW).action).toEqual({ kind: "deny", id: A.id });
  });

  test("a resize begins the reading again", () => {
    const { state } = pressed(watching(NARROW), [" ", " ", " "], SETTLED, NARROW);
    expect(pressed(reflowed(state), [], SETTLED, NARROW).state.seenLines).toBe(0);
    expect(pressed(drawn(reflowed(state), NARROW), ["a"], SETTLED, NARROW).action).toBeUndefined();
  });
});

test("an answer on its way is the only one", () => {
  const { state } = pressed(watching(), ["a"]);
  for (const answer of ["a", "d", "f", "r"]) expect(pressed(state, [answer]).action).toBeUndefined();
});

test("without a daemon nothing is answered", () => {
  expect(pressed({ ...watching(), isConnected: false }, ["a"]).action).toBeUndefined();
});

test("what is pasted is no key, but may be a reason", () => {
  const paste: Key = { kind: "paste", text: "a\nd" };
  expect(press(watching(), paste, ROOMY, SETTLED)).toEqual({ state: watching() });
  const { state } = pressed(watching(), ["r"]);
  expect(press(state, paste, ROOMY, SETTLED).state.reason).toBe("a d");
});

test("f is for what can be granted, once that is known", () => {
  const unknown = { ...watching(), details: undefined };
  const never = { ...watching(), details: { ...detailsOf("a"), grantable: false } };
  for (const state of [unknown, never]) expect(pressed(state, ["f"]).action).toBeUndefined();
});

describe("the selection", () => {
  const rows: readonly (readonly [string, readonly string[], string])[] = [
    ["goes down", ["j"], B.id],
    ["goes down and up", ["j", "down", "k"], B.id],
    ["stops at the ends", ["k", "up"], A.id],
    ["stops at the other end", ["G", "j", "j"], C.id],
    ["jumps", ["end", "home"], A.id],
  ];
  for (const [name, keys, id] of rows)
    test(name, () => expect(pressed(watching(), keys).state.selectedId).toBe(id));

  test("stays in its place when what is selected goes", () => {
    const { state } = pressed(watching(), ["j"]);
    expect(withApprovals(state, [A, C], NOW).selectedId).toBe(C.id);
    expect(withApprovals(state, [A], NOW).selectedId).toBe(A.id);
    expect(withApprovals(state, [], NOW).selectedId).toBeUndefined();
  });

  test("details of another request are not taken for its own", () => {
    expect(withDetails(watching(), detailsOf("b")).details?.id).toBe(A.id);
  });
});

describe("an id that another request took over", () => {
  const shown = { ...A, digest: "one" };
  const seen = drawn(
    withDetails(withApprovals(EMPTY_WATCH, [shown, B], NOW), { ...detailsOf("a"), digest: "one" }),
    ROOMY,
  );
  const takenOver = { ...shown, digest: "two", created_ms: shown.created_ms + 1 };

  test("is another request: nothing of it was seen, and keys do not answer at once", () => {
    const state = withApprovals(seen, [takenOver, B], SETTLED);
    expect(state).toMatchObject({
      selectedId: A.id,
      details: undefined,
      seenLines: 0,
      selectedSinceMs: SETTLED,
    });
    expect(press(state, key("a"), ROOMY, SETTLED + 400).action).toBeUndefined();
    expect(press(state, key("a"), ROOMY, SETTLED + 600).action).toBeUndefined();
    expect(press(drawn(state, ROOMY), key("a"), ROOMY, SETTLED + 600).action).toEqual({
      kind: "allow",
      id: A.id,
      digest: "two",
    });
  });

  test("is another request also when it is the same one sent again", () => {
    const again = { ...shown, created_ms: shown.created_ms + 1 };
    expect(withApprovals(seen, [again, B], SETTLED).seenLines).toBe(0);
  });

  test("takes no details of the one before, and no answer that is on its way", () => {
    const answering = { ...seen, answering: A.id };
    const state = withApprovals(answering, [takenOver, B], SETTLED);
    expect(state.answering).toBeUndefined();
    expect(withDetails(state, { ...detailsOf("a"), digest: "one" }).details).toBeUndefined();
  });

  test("an answer carries the digest of what is on the screen", () => {
    expect(press(seen, key("a"), ROOMY, SETTLED).action).toEqual({ kind: "allow", id: A.id, digest: "one" });
    expect(press(seen, key("d"), ROOMY, SETTLED).action).toEqual({ kind: "deny", id: A.id, digest: "one" });
  });
});
