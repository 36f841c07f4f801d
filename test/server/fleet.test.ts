// The calls of devices, on both databases: enrolment, signatures, audit rows, policies, holds and
// decisions.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { FLEET_ENDPOINTS } from "../../src/api/fleet/protocol.ts";
import { signedHeaders } from "../../src/api/fleet/request-signature.ts";
import { openBundle, openDecision } from "../../src/api/fleet/signed.ts";
import type { Database } from "../../src/server/database/database.ts";
import { openPostgres } from "../../src/server/database/postgres.ts";
import { DeviceCalls } from "../../src/server/fleet/answer-device.ts";
import type { Problem } from "../../src/server/http/problem.ts";
import type { ServerParts } from "../../src/server/parts.ts";
import { makeOperatorToken } from "../../src/server/people/operator-token.ts";
import { startServer } from "../../src/server/server.ts";
import type { TenantName } from "../../src/server/tenants.ts";
import { eventually } from "../support/eventually.ts";
import { ControlPlane, type TestPerson } from "../support/server/control-plane.ts";
import { openFreshEmbedded } from "../support/server/embedded-folder.ts";
import { type PostgresCluster, postgresFolder, startPostgres } from "../support/server/postgres-cluster.ts";
import { auditLine, type SimulatedDevice } from "../support/server/simulated-device.ts";

const LONG = 120_000;
const POLICY =
  "kubectl:\n  inspect: ['localhost:6443']\n  groups:\n    some: { tiers: [observe] }\n  rules:\n    allow: { groups: [some] }\n  default: deny\n";
const WIDER = POLICY.replace("[observe]", "[observe, modify]");
const NARROWER = POLICY.replace("rules:\n    allow: { groups: [some] }\n  ", "");

let cluster: PostgresCluster | undefined;

const DATABASES: readonly { name: string; isThere: boolean; open: () => Promise<Database> }[] = [
  {
    name: "PostgreSQL",
    isThere: postgresFolder() !== undefined || process.env.IDDIO_REQUIRE_CLIENTS === "1",
    open: async () => {
      cluster = await startPostgres();
      return openPostgres({ url: await cluster.database("fleet") });
    },
  },
  { name: "the embedded database", isThere: true, open: () => openFreshEmbedded() },
];

const counted = DATABASES.find(({ isThere }) => isThere)?.name;

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
}, LONG);

for (const { name, isThere, open } of DATABASES)
  describe(name, () => {
    if (!isThere) {
      test("is not installed", () => undefined);
      return;
    }
    let plane: ControlPlane;
    let acme: TenantName;
    let owner: TestPerson;
    let approver: TestPerson;
    let author: TestPerson;
    let device: SimulatedDevice;

    beforeAll(async () => {
      plane = await ControlPlane.start(await open(), { domain: "localhost" });
      acme = await plane.tenant("acme");
      owner = await plane.person(acme, "Olga", ["admin"]);
      approver = await plane.person(acme, "Ada", ["approver"]);
      author = await plane.person(acme, "Anton", ["author"]);
      device = await plane.device(acme, owner.id, "laptop");
    }, LONG);

    afterAll(async () => {
      await plane[Symbol.asyncDispose]();
    }, LONG);

    test("a token enrols one device", async () => {
      const token = await plane.enrollToken(acme, owner.id);
      const both = [1, 2, 3].map(() => plane.device(acme, owner.id));
      expect((await Promise.all(both)).length).toBe(3);
      const [one, other] = [await plane.device(acme, owner.id), await plane.device(acme, owner.id)];
      const ends = await Promise.allSettled([one.enroll(token), other.enroll(token)]);
      expect(ends.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      expect(
        device.enroll("idet_0000000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
      ).rejects.toThrow("bad-token");
    });

    test("a call that another signed, that is old, or of another path is refused", async () => {
      const other = await plane.device(acme, owner.id);
      const forged = Object.assign(Object.create(Object.getPrototypeOf(other)), other, { id: device.id });
      expect((await forged.preflight()).body.code).toBe("bad-signature");
      device.skewMs = -6 * 60_000;
      const late = await device.preflight();
      device.skewMs = 0;
      expect([late.status, late.body.code]).toEqual([401, "bad-time"]);
      expect((await device.preflight()).status).toBe(200);
    });

    test("a signed request counts once: sent again, it is refused and changes nothing", async () => {
      const held = await device.hold();
      const path = FLEET_ENDPOINTS.approvals.path;
      // The device once said that nothing waits any more.
      const body = JSON.stringify({ held: [], ended: [], waiting: [] });
      const headers = signedHeaders({ tenant: device.tenant, device: device.id }, device.key, {
        path,
        body,
        timeMs: Date.now(),
      });
      expect((await device.send(path, body, headers)).status).toBe(200);
      const again = await device.hold();
      const replayed = await device.send<object>(path, body, headers);
      expect([replayed.status, replayed.body.code]).toEqual([401, "bad-signature"]);
      const state = async (nonce: string) =>
        (await plane.api(acme, owner.token, "GET", `/api/v1/approvals/${device.id}/${nonce}`)).body.state;
      expect([await state(held.nonce), await state(again.nonce)]).toEqual(["ended", "waiting"]);
      await device.call("approvals", { held: [], ended: [], waiting: [] });
    });

    test("audit rows are stored once, in order, whatever is sent again", async () => {
      const writer = await plane.device(acme, owner.id, "writer");
      const lines = Array.from({ length: 10 }, (_, index) => auditLine({ command: `row ${index}` }));
      const zeros = "0".repeat(64);
      expect((await writer.sendRows(lines.slice(0, 4))).body.acked_seq).toBe(4);
      // The answer was lost: all of it again, and more.
      const again = { chain: writer.chain, from_seq: 1, prev: zeros, lines: lines.slice(0, 7) };
      expect((await writer.call("audit", again)).body.acked_seq).toBe(7);
      expect((await writer.call("audit", again)).body.acked_seq).toBe(7);
      const gap = await writer.call("audit", { ...again, from_seq: 9, prev: "1".repeat(64) });
      expect([gap.body.code, gap.body.acked_seq]).toEqual(["gap", 7]);
      const { body } = await plane.api(acme, owner.token, "GET", `/api/v1/audit?device=${writer.id}`);
      expect(body.items.map(({ seq }: { seq: number }) => seq)).toEqual([7, 6, 5, 4, 3, 2, 1]);
    });

    test("a device that tells another past is refused and marked", async () => {
      const liar = await plane.device(acme, owner.id, "liar");
      await liar.sendRows([auditLine(), auditLine()]);
      const fork = await liar.call("audit", {
        chain: liar.chain,
        from_seq: 1,
        prev: "0".repeat(64),
        lines: [auditLine(), auditLine(), auditLine()],
      });
      expect([fork.status, fork.body.code, fork.body.acked_seq]).toEqual([409, "fork", 2]);
      const { body } = await plane.api(acme, owner.token, "GET", `/api/v1/devices/${liar.id}`);
      expect(body.alerts).toHaveLength(1);
      liar.chain = "f".repeat(16);
      liar.seq = 0;
      liar.head = "0".repeat(64);
      expect((await liar.sendRows([auditLine()])).body.acked_seq).toBe(1);
    });

    test("a policy is proposed, published by another where it widens, and fetched signed", async () => {
      const propose = (policy: string, more: object = {}) =>
        plane.api(acme, author.token, "POST", "/api/v1/revisions", { policy, note: "n", ...more });
      const publish = (token: string, revision: number) =>
        plane.api(acme, token, "POST", `/api/v1/revisions/${revision}/publish`, {});
      expect((await propose("kubectl: [")).body.code).toBe("bad-policy");
      const first = await propose(POLICY, { central_tiers: ["break-glass"] });
      expect(first.body).toMatchObject({ is_wider: true, state: "proposed" });
      expect((await publish(author.token, first.body.revision)).body.code).toBe("needs-another");
      const waiting = device.call("wait", { after: 0, wait_ms: 20_000 });
      expect((await publish(owner.token, first.body.revision)).status).toBe(200);
      const news = await waiting;
      expect(news.body.policy?.revision).toBe(first.body.revision);
      const { body } = await device.call("policy", { kind: "enforced" });
      if (body.bundle === undefined) throw new Error("no bundle");
      const standing = { tenant: acme.id, keys: device.keys, wanted: "enforced" as const, nowMs: Date.now() };
      const opened = openBundle(body.bundle, { ...standing, have: undefined });
      expect(opened.kind === "good" && opened.value.policy).toBe(POLICY);
      const have = news.body.policy;
      expect(have && (await device.call("policy", { kind: "enforced", have })).body.bundle).toBeUndefined();

      const wider = await propose(WIDER, { central_tiers: ["break-glass"] });
      expect(wider.body.is_wider).toBe(true);
      expect(wider.body.widening.join()).toContain("kubectl");
      const looser = await propose(POLICY, { central_tiers: [] });
      expect(looser.body.widening.join()).toContain("break-glass");
      const same = await propose(POLICY, { central_tiers: ["break-glass"] });
      expect(same.body.is_wider).toBe(false);
      expect((await publish(author.token, same.body.revision)).status).toBe(200);
      expect((await publish(owner.token, wider.body.revision)).body.code).toBe("overtaken");

      // No wider when it was proposed, and wider than what came into force in between.
      const narrower = await propose(NARROWER, { central_tiers: ["break-glass"] });
      const back = await propose(POLICY, { central_tiers: ["break-glass"] });
      expect([narrower.body.is_wider, back.body.is_wider]).toEqual([false, false]);
      expect((await publish(owner.token, narrower.body.revision)).status).toBe(200);
      expect((await publish(author.token, back.body.revision)).body.code).toBe("needs-another");
      expect((await publish(owner.token, back.body.revision)).status).toBe(200);
    });

    test("a token without a person proposes, and publishes no wider policy", async () => {
      const [one, other] = await Promise.all(
        [1, 2].map(() => makeOperatorToken(plane.database, acme.id, "admin", 60_000, Date.now())),
      );
      const call = (token: string | undefined, path: string, input: object) =>
        plane.api(acme, token ?? "", "POST", `/api/v1/${path}`, input);
      const proposed = await call(one, "revisions", { policy: WIDER, note: "ci" });
      expect(proposed.body).toMatchObject({ is_wider: true, state: "proposed" });
      const publish = `revisions/${proposed.body.revision}/publish`;
      for (const token of [one, other])
        expect((await call(token, publish, {})).body.code).toBe("needs-person");
      expect((await call(one, "break-glass", { reason: "hurry" })).body.code).toBe("needs-person");
      expect((await call(author.token, `revisions/${proposed.body.revision}/end`, {})).status).toBe(200);
    });

    test("a hold wakes no other device; a decision does", async () => {
      const tick = async () => {
        const [row] = await plane.database.run({ tenant: acme.id }, (tx) =>
          tx.rows("select tick from tenants"),
        );
        return Number(row?.tick);
      };
      const before = await tick();
      const quiet = await plane.device(acme, owner.id, "quiet");
      const held = await quiet.hold();
      expect(await tick()).toBe(before);
      const path = `/api/v1/approvals/${quiet.id}/${held.nonce}/decide`;
      await plane.api(acme, approver.token, "POST", path, { verb: "deny", digest: held.digest });
      expect(await tick()).toBe(before + 1);
    });

    // Allowances are kept beside the database, so one of them is enough.
    if (name === counted)
      test("who makes calls up in a device's name spends nothing of its allowance", async () => {
        const now = Date.now();
        const calls = new DeviceCalls({ database: plane.database, nowMs: () => now } as ServerParts);
        const { path } = FLEET_ENDPOINTS.wait;
        const ask = (body: string, from: string) => {
          const claim = { tenant: device.tenant, device: device.id };
          const headers = signedHeaders(claim, device.key, { path, body, timeMs: now });
          const sent = body.replace("forged", "changed");
          return calls
            .answer(
              path,
              new Request(`http://server${path}`, { method: "POST", headers, body: sent }),
              from,
              undefined,
            )
            .then(
              () => "answered",
              (problem: Problem) => problem.code,
            );
        };
        const forged = [];
        for (let each = 0; each < 401; each += 1) forged.push(await ask('{"forged":1}', "203.0.113.9"));
        expect([forged[0], forged[399], forged[400]]).toEqual(["bad-signature", "bad-signature", "too-many"]);
        expect(await ask('{"after":0,"wait_ms":0}', "127.0.0.1")).toBe("answered");
      });

    test("an approval is decided once, by another than the owner, and told to the device in a second", async () => {
      const held = await device.hold();
      const path = `/api/v1/approvals/${device.id}/${held.nonce}/decide`;
      const decide = (person: TestPerson, more: object = {}) =>
        plane.api(acme, person.token, "POST", path, { verb: "allow", digest: held.digest, ...more });
      expect((await decide(owner)).body.code).toBe("own-request");
      expect((await decide(author)).body.code).toBe("not-permitted");
      expect((await decide(approver, { digest: "other" })).body.code).toBe("not-what-was-shown");
      const { body: position } = await device.call("wait", { after: 0, wait_ms: 0 });
      const waiting = device.call("wait", {
        after: 0,
        wait_ms: 20_000,
        ...(position.policy === undefined ? {} : { policy: position.policy }),
      });
      const started = performance.now();
      const both = await Promise.all([decide(approver), decide(approver, { verb: "deny" })]);
      expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
      const news = await waiting;
      expect(performance.now() - started).toBeLessThan(5_000);
      const [signed] = news.body.decisions;
      if (signed === undefined) throw new Error("no decision");
      const opened = openDecision(signed, {
        tenant: acme.id,
        device: device.id,
        keys: device.keys,
        nowMs: Date.now(),
        held: () => held,
      });
      expect(opened.kind === "good" && opened.value.by).toBe("Ada");
      expect((await device.call("wait", { after: news.body.cursor, wait_ms: 0 })).body.decisions).toEqual([]);
      await device.call("approvals", {
        held: [],
        ended: [{ id: held.id, nonce: held.nonce, outcome: "approved", ended_ms: Date.now() }],
      });
      const shown = await plane.api(acme, owner.token, "GET", `/api/v1/approvals/${device.id}/${held.nonce}`);
      expect(shown.body).toMatchObject({ state: "ended", outcome: "approved", decided_by: "Ada" });
    });

    test("the owner may deny what his device asks; holds that the device no longer lists have ended", async () => {
      const [one, other] = [await device.hold(), await device.hold()];
      const denied = await plane.api(
        acme,
        owner.token,
        "POST",
        `/api/v1/approvals/${device.id}/${one.nonce}/decide`,
        {
          verb: "deny",
          digest: one.digest,
        },
      );
      expect(denied.body.state).toBe("decided");
      await device.call("approvals", { held: [], ended: [], waiting: [] });
      const gone = await plane.api(acme, owner.token, "GET", `/api/v1/approvals/${device.id}/${other.nonce}`);
      expect(gone.body.outcome).toBe("withdrawn");
    });

    test(
      "a server that ends answers a device that waits at once, and asks its database nothing more",
      async () => {
        let queries = 0;
        const counting: Database = {
          ...plane.database,
          run: (scope, work) => {
            queries += 1;
            return plane.database.run(scope, work);
          },
        };
        const { sealer } = plane;
        const options = { hostname: "127.0.0.1", port: 0, domain: "localhost", log: () => undefined };
        const ending = await startServer({ ...options, database: counting, sealer });
        // No policy is published there, which would be news.
        const quiet = await plane.tenant("quiet");
        const { id } = await plane.person(quiet, "Quentin", ["admin"]);
        const there = await plane.device(quiet, id, "waits");
        const at = { url: `http://127.0.0.1:${ending.port}`, host: `quiet.localhost:${ending.port}` };
        Object.assign(there, { server: at });
        const waiting = there.call("wait", { after: 0, wait_ms: 50_000 });
        await eventually(
          async () => ending.parts.ticks.waiting,
          (count) => count === 1,
          30_000,
        );
        const before = queries;
        await ending.stop();
        expect((await waiting).body.decisions).toEqual([]);
        expect(queries - before).toBeLessThan(20);
      },
      LONG,
    );

    test("a revoked device gets nothing any more, and its long poll ends", async () => {
      const lost = await plane.device(acme, owner.id, "lost");
      const { body } = await lost.call("wait", { after: 0, wait_ms: 0 });
      const waiting = lost.call("wait", {
        after: 0,
        wait_ms: 20_000,
        ...(body.policy && { policy: body.policy }),
      });
      await plane.api(acme, owner.token, "POST", `/api/v1/devices/${lost.id}/revoke`, { reason: "stolen" });
      expect((await waiting).body.code).toBe("revoked");
      for (const answer of [await lost.preflight(), await lost.sendRows([auditLine()])])
        expect([answer.status, answer.body.code]).toEqual([403, "revoked"]);
    });
  });
