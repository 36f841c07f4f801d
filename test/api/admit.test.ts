// Who may call what, before anybody asks whether a person is present.

import { expect, test } from "bun:test";
import { admit } from "../../src/api/admit.ts";
import { type AnyMethod, needsPresence, type Standing } from "../../src/api/method.ts";
import { type ControlMethod, type ControlMethods, entryOf, METHODS } from "../../src/api/methods.ts";
import { type Principal, type PrincipalKind, socketPrincipal } from "../../src/api/principal.ts";
import type { UserError } from "../../src/model/user-error.ts";

const NAMES = Object.keys(METHODS) as ControlMethod[];

function refusal(kind: string, entry: AnyMethod): UserError | undefined {
  try {
    admit("it", entry, { kind: kind as PrincipalKind });
    return undefined;
  } catch (error) {
    return error as UserError;
  }
}

/** Effects that each kind of caller may have. */
const TABLE: readonly { readonly kind: PrincipalKind; readonly may: readonly string[] }[] = [
  { kind: "owner", may: ["read", "change", "decide"] },
  { kind: "root", may: ["read", "change", "decide"] },
  { kind: "console", may: ["read", "change", "decide"] },
  { kind: "control-plane", may: ["read", "decide"] },
  { kind: "stranger", may: ["read"] },
  { kind: "run", may: [] },
];

for (const { kind, may } of TABLE)
  test(`${kind} may ${may.join(", ") || "do nothing"}`, () => {
    for (const name of NAMES)
      expect(refusal(kind, entryOf(name)) === undefined, name).toBe(may.includes(entryOf(name).effect));
  });

test("a kind that the table does not have may do nothing", () => {
  for (const kind of ["", "toString", "__proto__", "admin"])
    expect(refusal(kind, entryOf("status"))?.code).toBe("not-permitted");
});

test("the kernel's word decides who a peer of the socket is; without it, it is a stranger", () => {
  const kinds = (owner: number | undefined, uids: readonly (number | undefined)[]) =>
    uids.map(
      (uid): Principal["kind"] => socketPrincipal(uid === undefined ? {} : { uid, pid: 7 }, owner).kind,
    );
  expect(kinds(1000, [1000, 0, 1001, undefined])).toEqual(["owner", "root", "stranger", "stranger"]);
  expect(kinds(0, [0, 1000])).toEqual(["owner", "stranger"]);
  expect(kinds(undefined, [undefined, 0])).toEqual(["stranger", "root"]);
});

const ENFORCED: Standing = { mode: "enforce" };

function needs<M extends ControlMethod>(
  name: M,
  input: ControlMethods[M]["input"],
  before: Standing = ENFORCED,
): boolean {
  return needsPresence(entryOf(name), () => before, input);
}

test("reading never needs a person, a decision and an unproven change always do", () => {
  for (const name of NAMES) {
    const entry = entryOf(name);
    if (entry.effect === "read")
      expect(
        needsPresence(entry, () => ENFORCED, {}),
        name,
      ).toBe(false);
    else if (entry.narrows === undefined)
      expect(
        needsPresence(entry, () => ENFORCED, {}),
        name,
      ).toBe(true);
  }
  // Written out, so that a new entry that claims to narrow is seen in review.
  expect(NAMES.filter((name) => entryOf(name).narrows !== undefined).sort()).toEqual([
    "approvals_deny",
    "detector_clear",
    "grants_revoke",
    "mode_set",
    "observe_stop",
    "pins_remove",
    "probes_end",
    "probes_start",
    "runs_start",
    "runs_stop",
    "update_check",
  ]);
});

test("a mode needs a person unless it is the strictest or the present one", () => {
  expect(needs("mode_set", { proxy_mode: "enforce" }, { mode: "off" })).toBe(false);
  expect(needs("mode_set", { proxy_mode: "off" }, { mode: "off" })).toBe(false);
  for (const proxy_mode of ["off", "passthrough", "observe"] as const)
    expect(needs("mode_set", { proxy_mode })).toBe(true);
});

test("ending an observe session needs a person unless enforce comes back", () => {
  expect(needs("observe_stop", {}, { mode: "observe", modeAfterObserve: "enforce" })).toBe(false);
  expect(needs("observe_stop", {}, { mode: "observe", modeAfterObserve: "off" })).toBe(true);
  expect(needs("observe_stop", {}, { mode: "observe" })).toBe(true);
});
