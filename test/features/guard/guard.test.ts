// The guard by itself, with a clock of the test's: codes, lock-out, reuse, records that are missing
// or damaged, root and recovery.

import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { PresenceNeeded, type PresenceRequest } from "../../../src/api/gate.ts";
import type { Presence } from "../../../src/api/principal.ts";
import { Enrolments } from "../../../src/features/guard/enrolments.ts";
import { Guard, type GuardName, newRecoveryCode, recoveryHash } from "../../../src/features/guard/guard.ts";
import { PasskeyCeremonies } from "../../../src/features/guard/passkey-ceremonies.ts";
import type { AskedApproval } from "../../../src/features/guard/question.ts";
import { RootProofs } from "../../../src/features/guard/root-proof.ts";
import { Senders } from "../../../src/features/guard/senders.ts";
import { decodeBase32, encodeBase32, totpCode } from "../../../src/features/guard/totp.ts";
import { sessionChainOf } from "../../../src/host/process/session-chain.ts";
import type { Classification } from "../../../src/model/classification.ts";
import { openDatabase } from "../../../src/state/database.ts";
import { GuardStore } from "../../../src/state/tables/guard-store.ts";
import { startPty } from "../../support/pages/pty.ts";
import { madeUpAsk, madeUpOperation } from "../../support/policy/ask.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const SECRET = new Uint8Array(Buffer.from("12345678901234567890"));
const START_MS = Date.parse("2030-01-01T00:00:00Z");

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Scene {
  guard: Guard;
  readonly store: GuardStore;
  readonly enrolments: Enrolments;
  readonly path: string;
  readonly events: Record<string, unknown>[];
  /** Who made the files that root proofs look for. */
  readonly owners: Map<string, number>;
  setting: GuardName;
  nowMs: number;
  steadyMs: number;
  code(step?: number): string;
  again(): void;
}

async function scene(setting: GuardName, isEnrolled = setting === "totp"): Promise<Scene> {
  const directory = await temporaryDirectory();
  cleanups.push(() => directory[Symbol.asyncDispose]());
  const path = join(directory.path, "state.db");
  const database = openDatabase(path);
  cleanups.push(() => database.close());
  const store = new GuardStore(database);
  if (isEnrolled) store.put({ kind: "totp", secret: encodeBase32(SECRET), counter: 0, decidesFromMs: 0 });
  const events: Record<string, unknown>[] = [];
  const owners = new Map<string, number>();
  const ceremonies = new PasskeyCeremonies({
    openPages: () => {
      throw new Error("no page in this test");
    },
    used: () => undefined,
    failed: () => undefined,
  });
  const approvals = new Map(
    ["observe", "modify", "sensitive", "break-glass", "unknown"].map((tier) => [tier, approvalOf(tier)]),
  );
  const make = () =>
    new Guard({
      setting: () => at.setting,
      store,
      senders: new Senders(),
      sendersKnown: () => Promise.resolve(),
      isSenderKnown: () => true,
      ceremonies,
      standing: () => ({ mode: "enforce", isNarrowerPolicy: () => false, isNarrowerSetting: () => false }),
      policyText: () => "policy",
      approval: (id) => approvals.get(id) ?? approvalOf(id),
      ownerUid: 1000,
      daemonUid: 1000,
      isRootFree: () => false,
      publish: (fields) => events.push(fields),
      now: () => at.nowMs,
      steadyMs: () => at.steadyMs,
      roots: new RootProofs(
        () => at.steadyMs,
        (file) => owners.get(file),
      ),
    });
  const at: Scene = {
    guard: undefined as unknown as Guard,
    store,
    enrolments: undefined as unknown as Enrolments,
    path,
    events,
    owners,
    setting,
    nowMs: START_MS,
    steadyMs: 0,
    code: (step = 0) => totpCode(SECRET, Math.floor(at.nowMs / 30_000) + step),
    again: () => {
      at.guard = make();
    },
  };
  at.again();
  at.nowMs += 60_000;
  (at as { enrolments: Enrolments }).enrolments = new Enrolments({
    guard: at.guard,
    store,
    ceremonies,
    setSetting: async (value) => {
      at.setting = value;
    },
    account: "me",
    publish: (fields) => events.push(fields),
    now: () => at.nowMs,
  });
  return at;
}

function approvalOf(tier: string): AskedApproval {
  return {
    id: `appr_${tier}`,
    ask: madeUpAsk({ operation: madeUpOperation({ tier: tier as Classification["tier"] }) }),
    rule: "r",
  };
}

interface Ask extends Partial<Omit<PresenceRequest, "caller">> {
  readonly tier?: string;
  readonly forMs?: number;
  readonly pid?: number;
  readonly uid?: number;
}

function ask(at: Scene, proof: string | undefined, more: Ask = {}): Promise<Presence> {
  const { tier = "modify", forMs, pid, uid = 1000, ...rest } = more;
  return at.guard.presence({
    method: "approvals_allow",
    effect: "decide",
    caller: { kind: uid === 0 ? "root" : "owner", uid, ...(pid === undefined ? {} : { pid }) },
    input: { id: tier, ...(forMs === undefined ? {} : { for_ms: forMs }) },
    proof,
    isForRoot: false,
    ...rest,
  });
}

async function refused(promise: Promise<unknown>): Promise<PresenceNeeded> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof PresenceNeeded) return error;
  throw new Error(`expected PresenceNeeded, got ${error}`);
}

test("codes are those of RFC 6238, and base 32 comes back as it was", () => {
  const code = (seconds: number) => totpCode(SECRET, Math.floor(seconds / 30));
  expect([59, 1_111_111_109, 1_234_567_890, 20_000_000_000].map(code)).toEqual([
    "287082",
    "081804",
    "005924",
    "353130",
  ]);
  expect(decodeBase32(encodeBase32(SECRET))).toEqual(SECRET);
  expect(decodeBase32("a!")).toBeUndefined();
});

describe("totp", () => {
  test("asks for a code, takes it once, one step early or late", async () => {
    const at = await scene("totp");
    expect((await refused(ask(at, undefined))).question).toEqual({ ask: "totp" });
    const late = at.code(-1);
    expect(await ask(at, `totp ${late}`)).toEqual({ factor: "totp", level: "L0" });
    expect((await refused(ask(at, `totp ${late}`))).message).toContain("used before");
    expect(await ask(at, `totp ${at.code(1)}`)).toMatchObject({ factor: "totp" });
    // An older code that was never used is older than the last one.
    expect((await refused(ask(at, `totp ${at.code()}`))).message).toContain("used before");
    await refused(ask(at, `totp ${at.code(2)}`));
  });

  test("a code for one approval is used up for every other, and is gone although the method may fail", async () => {
    const at = await scene("totp");
    const code = at.code();
    await ask(at, `totp ${code}`, { tier: "modify" });
    await refused(ask(at, `totp ${code}`, { tier: "observe" }));
    await refused(ask(at, `totp ${code}`, { method: "settings_set", effect: "change", input: {} }));
  });

  test("held: a clock moved back, an older state.db put back, also over a restart", async () => {
    const at = await scene("totp");
    const code = at.code();
    await ask(at, `totp ${code}`);
    at.nowMs -= 30_000;
    await refused(ask(at, `totp ${code}`));
    at.nowMs += 30_000;
    at.store.put({ kind: "totp", secret: encodeBase32(SECRET), counter: 0, decidesFromMs: 0 });
    await refused(ask(at, `totp ${code}`));
    at.again();
    await refused(ask(at, `totp ${code}`));
    at.nowMs += 30_000;
    await ask(at, `totp ${at.code()}`);
  });

  test("five wrong codes lock for a minute by a clock that nobody sets, and are an event", async () => {
    const at = await scene("totp");
    for (let count = 0; count < 4; count += 1) await refused(ask(at, "totp 000000"));
    expect((await refused(ask(at, "totp 000000"))).message).toBe("too many wrong codes");
    at.nowMs += 3_600_000;
    expect((await refused(ask(at, `totp ${at.code()}`))).hint).toBe("try again in 60s");
    expect(at.events).toEqual([{ change: "locked", for_ms: 60_000 }]);
    at.steadyMs += 60_001;
    await ask(at, `totp ${at.code()}`);
  });

  test("a code serves again for a minute: same terminal, plain allow, no higher tier, never break-glass", async () => {
    const at = await scene("totp");
    await using terminal = startPty(["/bin/sleep", "60"], { env: {} });
    await using other = startPty(["/bin/sleep", "60"], { env: {} });
    const { pid } = terminal;
    await ask(at, `totp ${at.code()}`, { tier: "sensitive", pid });
    expect(await ask(at, undefined, { tier: "modify", pid })).toMatchObject({ factor: "totp" });
    await ask(at, undefined, { tier: "sensitive", pid });
    for (const more of [
      { tier: "break-glass", pid },
      { tier: "unknown", pid },
      { tier: "modify", pid, forMs: 60_000 },
      { tier: "modify", pid: other.pid },
      { tier: "modify" },
      { method: "policy_reload", effect: "change", input: {}, pid } as const,
    ])
      await refused(ask(at, undefined, more));
    at.steadyMs += 60_001;
    await refused(ask(at, undefined, { tier: "modify", pid }));
  });

  test("a code for a look serves for other looks for a minute, and allows nothing", async () => {
    const at = await scene("totp");
    await using terminal = startPty(["/bin/sleep", "60"], { env: {} });
    const { pid } = terminal;
    const look = (method: string) => ({ method, effect: "read", input: {}, pid }) as const;
    await refused(ask(at, undefined, look("sessions_list")));
    await ask(at, `totp ${at.code()}`, look("sessions_list"));
    expect(await ask(at, undefined, look("undo_list"))).toMatchObject({ factor: "totp" });
    await refused(ask(at, undefined, { tier: "observe", pid }));
    await refused(ask(at, undefined, { method: "policy_reload", effect: "change", input: {}, pid }));
    at.steadyMs += 60_001;
    await refused(ask(at, undefined, look("undo_list")));
  });
});

describe("a record that is not in order closes the guard", () => {
  const table: readonly {
    readonly name: string;
    readonly setting: GuardName;
    readonly spoil: (at: Scene) => void;
    readonly says: string;
  }[] = [
    {
      name: "deleted",
      setting: "totp",
      spoil: ({ store }) => store.clear(),
      says: "state.db has no such factor",
    },
    {
      name: "damaged",
      setting: "totp",
      spoil: ({ path }) => edit(path, "UPDATE guard_factor SET json = '{'"),
      says: "damaged",
    },
    {
      name: "without its secret",
      setting: "totp",
      spoil: ({ path }) => edit(path, "UPDATE guard_factor SET json = '{}'"),
      says: "damaged",
    },
    {
      name: "of another kind",
      setting: "totp",
      spoil: ({ path }) => edit(path, "UPDATE guard_factor SET kind = 'none'"),
      says: "damaged",
    },
    {
      name: "its table gone",
      setting: "totp",
      spoil: ({ path }) => edit(path, "DROP TABLE guard_factor"),
      says: "damaged",
    },
    {
      name: "while the settings say session",
      setting: "totp",
      spoil: (at) => {
        at.setting = "session";
      },
      says: "has a totp factor",
    },
    {
      name: "while the settings say off",
      setting: "totp",
      spoil: (at) => {
        at.setting = "off";
      },
      says: "has a totp factor",
    },
    {
      name: "while the settings say passkey",
      setting: "totp",
      spoil: (at) => {
        at.setting = "passkey";
      },
      says: "has a totp factor",
    },
  ];
  for (const { name, setting, spoil, says } of table)
    test(name, async () => {
      const at = await scene(setting);
      spoil(at);
      for (const proof of [undefined, `totp ${at.code()}`]) {
        const error = await refused(ask(at, proof));
        expect(error.message).toStartWith("decisions are refused");
        expect(error.message).toContain(says);
      }
      expect(at.guard.report().problem).toContain(says);
      // Only root puts it in order.
      const remove = { method: "guard_remove", effect: "change", input: {}, isForRoot: true } as const;
      expect((await refused(ask(at, `totp ${at.code()}`, remove))).question).toMatchObject({ ask: "root" });
      expect(await ask(at, undefined, { ...remove, uid: 0 })).toMatchObject({ factor: "root" });
    });
});

function edit(path: string, statement: string): void {
  using database = new Database(path);
  database.run(statement);
}

describe("enrolling", () => {
  const enrol = {
    method: "guard_enroll",
    effect: "change",
    input: { factor: "totp" },
    isForRoot: true,
  } as const;

  test("the first factor needs root, shown by a file that only root can make, once and for this call only", async () => {
    const at = await scene("session", false);
    const { question } = await refused(ask(at, undefined, enrol));
    if (question?.ask !== "root") throw new Error("not asked for root");
    const proof = `root ${question.nonce}`;
    await refused(ask(at, proof, enrol));
    const again = (await refused(ask(at, undefined, enrol))).question;
    if (again?.ask !== "root") throw new Error("not asked for root");
    at.owners.set(again.path, 1000);
    await refused(ask(at, `root ${again.nonce}`, enrol));
    const third = (await refused(ask(at, undefined, enrol))).question;
    if (third?.ask !== "root") throw new Error("not asked for root");
    at.owners.set(third.path, 0);
    await refused(ask(at, `root ${third.nonce}`, { ...enrol, method: "guard_remove" }));
    const last = (await refused(ask(at, undefined, enrol))).question;
    if (last?.ask !== "root") throw new Error("not asked for root");
    at.owners.set(last.path, 0);
    expect(await ask(at, `root ${last.nonce}`, enrol)).toMatchObject({ factor: "root" });
    await refused(ask(at, `root ${last.nonce}`, enrol));
  });

  test("root is no person: it does not allow requests in place of the factor", async () => {
    const at = await scene("totp");
    await refused(ask(at, undefined, { uid: 0 }));
  });

  test("by root it decides at once; the codes come with it, each opens one enrolment that decides after ten minutes", async () => {
    const at = await scene("session", false);
    const begun = await at.enrolments.begin("totp", { factor: "root", level: "L0" });
    const secret =
      decodeBase32(/secret=([A-Z2-7]+)/.exec(begun.otpauth ?? "")?.[1] ?? "") ?? new Uint8Array();
    const codeNow = () => totpCode(secret, Math.floor(at.nowMs / 30_000));
    await expect(at.enrolments.confirm(begun.enrolment, "000000")).rejects.toThrow("not right");
    const { codes } = await at.enrolments.confirm(begun.enrolment, codeNow());
    expect([at.setting, codes.length, new Set(codes).size]).toEqual(["totp", 8, 8]);
    at.nowMs += 30_000;
    await ask(at, `totp ${codeNow()}`);
    // Replacing needs the factor, or a recovery code, which is good for nothing else.
    expect((await refused(ask(at, undefined, enrol))).question).toEqual({ ask: "totp" });
    await refused(ask(at, `recovery ${codes[0]}`));
    const byCode = await ask(at, `recovery ${codes[0]}`, enrol);
    expect(byCode.factor).toBe("recovery");
    await refused(ask(at, `recovery ${codes[0]}`, enrol));
    const second = await at.enrolments.begin("totp", byCode);
    const fresh =
      decodeBase32(/secret=([A-Z2-7]+)/.exec(second.otpauth ?? "")?.[1] ?? "") ?? new Uint8Array();
    const done = await at.enrolments.confirm(
      second.enrolment,
      totpCode(fresh, Math.floor(at.nowMs / 30_000)),
    );
    expect(done.decides_from_ms).toBe(at.nowMs + 600_000);
    at.nowMs += 60_000;
    const freshCode = () => totpCode(fresh, Math.floor(at.nowMs / 30_000));
    expect((await refused(ask(at, `totp ${freshCode()}`))).message).toContain("too new");
    at.nowMs += 600_000;
    await ask(at, `totp ${freshCode()}`);
    expect(at.events.map(({ change }) => change)).toEqual(["enrolled", "recovery_code_used", "enrolled"]);
  });

  test("removing puts the guard back to session and forgets the codes", async () => {
    const at = await scene("totp");
    at.store.putRecovery([recoveryHash(newRecoveryCode())]);
    await at.enrolments.remove();
    expect([at.setting, at.store.factor(), at.store.recoveryCount()]).toEqual(["session", undefined, 0]);
  });
});

test("levels promise less rather than more", async () => {
  const at = await scene("session", false);
  expect(at.guard.report()).toMatchObject({
    guard: "session",
    level: "L0",
    raise: "iddio run <agent>, or iddio guard enroll passkey",
  });
  at.setting = "off";
  expect(at.guard.report()).toMatchObject({ guard: "off", level: "L0" });
});

test("what a run sends says nothing against the terminal that started it; what a program outside sends does", async () => {
  const { members } = await sessionChainOf(process.pid);
  const caller = { members: members.map((each) => ({ ...each, hasTerminal: true })), isWhole: true };
  const senders = new Senders();
  await senders.rememberClient({ pid: process.pid, run: "claude", run_id: "run_00000001" });
  expect(senders.refusal(caller)).toBeUndefined();
  await senders.rememberClient({ pid: process.pid });
  expect(senders.refusal(caller)).toBe("same-session");
});
