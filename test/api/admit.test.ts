// Who may call what, before anybody asks whether a person is present.

import { expect, test } from "bun:test";
import type { Gate } from "../../src/api/gate.ts";
import { type AnyMethod, needsPresence, type Standing } from "../../src/api/method.ts";
import { type ControlMethod, type ControlMethods, entryOf, METHODS } from "../../src/api/methods.ts";
import { type Principal, type PrincipalKind, socketPrincipal } from "../../src/api/principal.ts";
import { admit } from "../../src/api/server/admit.ts";
import { UserError } from "../../src/model/user-error.ts";
import { OPEN_GATE } from "../support/sandbox/open-gate.ts";

test("the checks come in their order: caller and effect first, then presence", async () => {
  const asked: string[] = [];
  const gate: Gate = {
    standing: () => ENFORCED,
    presence: ({ method }) => {
      asked.push(method);
      return Promise.reject(new UserError("nobody is here", { code: "needs-presence" }));
    },
  };
  const code = (name: ControlMethod, kind: PrincipalKind) =>
    admit({ method: name, entry: entryOf(name), caller: { kind }, input: {}, proof: undefined }, gate).then(
      () => "in",
      (error: UserError) => error.code,
    );
  expect(await code("approvals_allow", "stranger")).toBe("not-permitted");
  expect(asked).toEqual([]);
  expect(await code("approvals_allow", "owner")).toBe("needs-presence");
  expect(asked).toEqual(["approvals_allow"]);
  expect([await code("approvals_deny", "owner"), await code("status", "owner")]).toEqual(["in", "in"]);
  expect(asked).toEqual(["approvals_allow"]);
});

const NAMES = Object.keys(METHODS) as ControlMethod[];

/** The refusal of a call; a person is always present. */
async function refusal(kind: string, entry: AnyMethod): Promise<UserError | undefined> {
  const call = { method: "it", entry, caller: { kind: kind as PrincipalKind }, input: {}, proof: undefined };
  return admit(call, OPEN_GATE).then(
    () => undefined,
    (error: UserError) => error,
  );
}

/** Effects that each kind of caller may have. */
const TABLE: readonly { readonly kind: PrincipalKind; readonly may: readonly string[] }[] = [
  { kind: "owner", may: ["read", "change", "decide"] },
  { kind: "root", may: ["read", "change", "decide"] },
  { kind: "console", may: ["read", "change", "decide"] },
  { kind: "control-plane", may: ["read", "decide"] },
  { kind: "slack", may: ["decide"] },
  { kind: "webhook", may: ["decide"] },
  { kind: "stranger", may: ["read"] },
  { kind: "run", may: [] },
];

for (const { kind, may } of TABLE)
  test(`${kind} may ${may.join(", ") || "do nothing"}`, async () => {
    for (const name of NAMES)
      expect((await refusal(kind, entryOf(name))) === undefined, name).toBe(
        kind === "run" ? entryOf(name).isForRuns === true : may.includes(entryOf(name).effect),
      );
  });

test("a run may call what is made for runs and nothing else, and none of that decides or needs a person", () => {
  const forRuns = NAMES.filter((name) => entryOf(name).isForRuns === true);
  expect(forRuns).toContain("hooks_judge");
  for (const name of forRuns) {
    expect(entryOf(name).effect, name).not.toBe("decide");
    expect(entryOf(name).narrows?.proof, name).toBeUndefined();
    expect(entryOf(name).effect === "read" || entryOf(name).narrows !== undefined, name).toBe(true);
  }
});

test("a kind that the table does not have may do nothing", async () => {
  for (const kind of ["", "toString", "__proto__", "admin"])
    expect((await refusal(kind, entryOf("status")))?.code).toBe("not-permitted");
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

const UNPROVEN = { isNarrowerSetting: () => false, isNarrowerPolicy: () => false };
const ENFORCED: Standing = { mode: "enforce", ...UNPROVEN };

function needs<M extends ControlMethod>(
  name: M,
  input: ControlMethods[M]["input"],
  before: Standing = ENFORCED,
): boolean {
  return needsPresence(entryOf(name), () => before, input);
}

test("reading needs a person only where a person alone may see it, a decision and an unproven change always do", () => {
  // Written out, so that a read that no longer needs one is seen in review.
  const forPeople = NAMES.filter((name) => entryOf(name).isForPerson === true).sort();
  expect(forPeople).toEqual([
    "approvals_effect",
    "sessions_list",
    "sessions_read",
    "sessions_show",
    "undo_list",
    "undo_look",
    "undo_show",
  ]);
  for (const name of forPeople)
    expect(
      needsPresence(entryOf(name), () => ENFORCED, {}),
      name,
    ).toBe(true);
  for (const name of NAMES) {
    const entry = entryOf(name);
    if (entry.isForPerson === true) continue;
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
    "console_open",
    "console_revoke",
    "credentials_remove",
    "credentials_revoke",
    "detector_clear",
    "fleet_sync",
    "grants_revoke",
    "guard_confirm",
    "hooks_judge",
    "mcp_session",
    "mode_set",
    "observe_stop",
    "pins_remove",
    "policy_write",
    "probes_end",
    "probes_start",
    "runs_start",
    "runs_stop",
    "sessions_end",
    "settings_set",
    "update_check",
  ]);
});

test("a mode needs a person unless it is the strictest or the present one", () => {
  expect(needs("mode_set", { proxy_mode: "enforce" }, { mode: "off", ...UNPROVEN })).toBe(false);
  expect(needs("mode_set", { proxy_mode: "off" }, { mode: "off", ...UNPROVEN })).toBe(false);
  for (const proxy_mode of ["off", "passthrough", "observe"] as const)
    expect(needs("mode_set", { proxy_mode })).toBe(true);
});

test("ending an observe session needs a person unless enforce comes back", () => {
  expect(needs("observe_stop", {}, { mode: "observe", modeAfterObserve: "enforce", ...UNPROVEN })).toBe(
    false,
  );
  expect(needs("observe_stop", {}, { mode: "observe", modeAfterObserve: "off", ...UNPROVEN })).toBe(true);
  expect(needs("observe_stop", {}, { mode: "observe", ...UNPROVEN })).toBe(true);
});
