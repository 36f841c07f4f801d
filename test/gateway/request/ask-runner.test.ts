// A carrier that is not HTTP, made up here: what it asks is judged, held, written down and done as
// a request is, and whatever goes wrong before it is done is a refusal.

import { expect, test } from "bun:test";
import { type Asked, type Carried, runAsk } from "../../../src/gateway/request/ask-runner.ts";
import { askDigest } from "../../../src/gateway/request/fingerprint.ts";
import { grantSubject } from "../../../src/gateway/request/grant-subject.ts";
import { judgeOperation } from "../../../src/policy/decide/judge.ts";
import type { Refusal } from "../../../src/protocols/refused.ts";
import { eventually } from "../../support/eventually.ts";
import { madeUpOperation } from "../../support/policy/ask.ts";
import { askParts, type TestParts } from "../../support/policy/ask-parts.ts";

const policyWith = (rules: string) =>
  `generic:\n  inspect: ["h"]\n  groups: { r: { tiers: [observe] }, w: { tiers: [modify] } }\n  default: escalate\n${rules}`;
const ASKING = policyWith("");
const ALLOWING = policyWith("  rules: { allow: { groups: [r, w] } }\n");
const DENYING = policyWith("  rules: { deny: { groups: [w] } }\n");

/** Flowers are watered by a carrier of their own. */
class Flowers implements Carried {
  readonly asked: Asked;
  readonly done: string[] = [];
  readonly operation = madeUpOperation({ command: "flowers water", labels: { garden: "north" } });
  refusal: Refusal | undefined;
  leave = () => {};
  failure: Error | undefined;
  isBroken = false;

  constructor(name = "rose", credential = "gardener") {
    this.asked = {
      carrier: "mcp",
      target: { name: "garden", port: 0 },
      subject: { client: { user: "u", pid: 7 }, credential },
      fields: { tool: "water" },
      evidence: [{ label: "Arguments", text: `{"flower":"${name}"}` }],
      digest: askDigest("mcp", ["garden", "water", name, credential]),
      heldBytes: 10,
    };
  }

  judge: Carried["judge"] = (policy, asker) => {
    if (this.isBroken) throw new TypeError("of the carrier");
    return judgeOperation(policy, this.operation, asker);
  };

  onLeave(left: () => void): () => void {
    this.leave = left;
    return () => {};
  }

  refuse(refusal: Refusal): void {
    this.refusal = refusal;
  }

  forward: Carried["forward"] = async (ended) => {
    this.done.push("watered");
    if (this.failure !== undefined) throw this.failure;
    ended({ fields: { litres: 2 } });
  };
}

const waiting = async ({ parts }: TestParts) => {
  const [found] = await eventually(
    async () => parts.broker.list(),
    (all) => all.length > 0,
  );
  if (found === undefined) throw new Error("nothing waits");
  return found;
};

test("what the policy allows is done, its intent is on disk first, and its row says how it ended", async () => {
  await using own = await askParts(ALLOWING);
  const flowers = new Flowers();
  await runAsk(own.parts, flowers);
  expect(flowers.done).toEqual(["watered"]);
  const rows = await own.rows();
  expect(rows.map(({ op }) => op)).toEqual(["intent", "mcp"]);
  expect(rows[1]?.fields).toMatchObject({
    carrier: "mcp",
    host: "garden",
    tool: "water",
    litres: 2,
    command: "flowers water",
    decision: "allow",
    outcome: "allowed",
  });
  expect(rows[1]?.fields).not.toHaveProperty("method");
});

test("what it denies is refused and never done", async () => {
  await using own = await askParts(DENYING);
  const flowers = new Flowers();
  await runAsk(own.parts, flowers);
  expect(flowers.done).toEqual([]);
  expect(flowers.refusal).toMatchObject({ outcome: "refused", tier: "modify", retry: false });
  expect((await own.rows()).map(({ op }) => op)).toEqual(["block"]);
});

test("what a person must decide waits, is shown with its evidence, and is done once", async () => {
  await using own = await askParts(ASKING);
  const flowers = new Flowers();
  const running = runAsk(own.parts, flowers);
  const { id, ask } = await waiting(own);
  expect(ask.evidence[0]?.text).toBe('{"flower":"rose"}');
  expect(flowers.done).toEqual([]);
  own.parts.broker.reply(id, "approved", { digest: ask.digest });
  await running;
  expect(flowers.done).toEqual(["watered"]);
  expect((await own.rows()).at(-1)?.fields).toMatchObject({ outcome: "approved", approval_id: id });
});

test("a client that leaves takes its question along; allowed late, the same ask passes once", async () => {
  await using own = await askParts(ASKING);
  const first = new Flowers();
  const running = runAsk(own.parts, first);
  const { id } = await waiting(own);
  first.leave();
  await running;
  expect(first.done).toEqual([]);
  own.parts.broker.reply(id, "approved");
  const other = new Flowers("tulip");
  const asking = runAsk(own.parts, other);
  own.parts.broker.reply((await waiting(own)).id, "denied", { reason: "no tulips" });
  await asking;
  expect(other.refusal).toMatchObject({ outcome: "denied", reason: "no tulips" });
  const again = new Flowers();
  await runAsk(own.parts, again);
  expect(again.done).toEqual(["watered"]);
});

test("a policy that changes while it waits counts", async () => {
  await using own = await askParts(ASKING);
  const flowers = new Flowers();
  const running = runAsk(own.parts, flowers);
  const { id } = await waiting(own);
  own.events.subscribe(({ tag }) => tag === "approval_replied" && own.use(DENYING));
  own.parts.broker.reply(id, "approved");
  await running;
  expect(flowers.done).toEqual([]);
  expect(flowers.refusal?.reason).toContain("the policy changed while it waited");
});

test("a grant covers its own carrier and credential only", async () => {
  await using own = await askParts(ASKING);
  const shown = new Flowers();
  const running = runAsk(own.parts, shown);
  const { id, ask } = await waiting(own);
  own.parts.broker.reply(id, "approved");
  await running;
  const now = Date.now();
  const lasting = { id: "grant_1", approvalId: id, createdMs: now, expiresMs: now + 60_000 };
  own.parts.grants.add({ ...grantSubject(ask), ...lasting });
  const tulip = new Flowers("tulip");
  await runAsk(own.parts, tulip);
  expect(tulip.done).toEqual(["watered"]);
  expect(own.parts.grants.find({ ...grantSubject(ask), carrier: "ssh" })).toBeUndefined();
  const stranger = new Flowers("tulip", "somebody");
  const asking = runAsk(own.parts, stranger);
  own.parts.broker.reply((await waiting(own)).id, "denied");
  await asking;
  expect(stranger.done).toEqual([]);
});

test("a carrier that cannot judge, and a log that cannot be written, are refusals", async () => {
  await using own = await askParts(ALLOWING);
  const broken = new Flowers();
  broken.isBroken = true;
  await runAsk(own.parts, broken);
  expect(broken.done).toEqual([]);
  expect(broken.refusal).toMatchObject({
    tier: "unknown",
    reason: "the stage 'classify' failed with TypeError",
  });
  await own.breakAudit();
  const flowers = new Flowers();
  await runAsk(own.parts, flowers);
  expect(flowers.done).toEqual([]);
  expect(flowers.refusal).toMatchObject({ outcome: "blocked" });
});

test("what breaks while it is done has a row that says so", async () => {
  await using own = await askParts(ALLOWING);
  const flowers = new Flowers();
  flowers.failure = new Error("the hose is cut");
  await expect(runAsk(own.parts, flowers)).rejects.toThrow("the hose is cut");
  expect((await own.rows()).at(-1)).toMatchObject({ op: "mcp", fields: { outcome: "failed" } });
});

test("observe mode lets everything pass and writes what would have been", async () => {
  await using own = await askParts(DENYING, "observe");
  const flowers = new Flowers();
  await runAsk(own.parts, flowers);
  expect(flowers.done).toEqual(["watered"]);
  expect((await own.rows("observe"))[0]).toMatchObject({
    op: "mcp",
    fields: { would_be_decision: "deny", litres: 2 },
  });
});
