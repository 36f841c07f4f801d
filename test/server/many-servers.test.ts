// Several servers on one PostgreSQL, an upgrade while devices are connected, and a database that is
// killed in the middle: nothing is lost, nothing is stored or decided twice.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { migrate, schemaVersion } from "../../src/server/database/migrate.ts";
import { MIGRATIONS } from "../../src/server/database/migrations.ts";
import { openPostgres } from "../../src/server/database/postgres.ts";
import { Sealer } from "../../src/server/sealer.ts";
import { eventually } from "../support/eventually.ts";
import { ControlPlane } from "../support/server/control-plane.ts";
import { type PostgresCluster, postgresFolder, startPostgres } from "../support/server/postgres-cluster.ts";
import { auditLine, SimulatedDevice } from "../support/server/simulated-device.ts";

const LONG = 120_000;
const isThere = postgresFolder() !== undefined || process.env.IDDIO_REQUIRE_CLIENTS === "1";
let cluster: PostgresCluster;

beforeAll(async () => {
  if (isThere) cluster = await startPostgres();
}, LONG);

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
}, LONG);

const [first, last] = [MIGRATIONS[0], MIGRATIONS.at(-1)];
const next = {
  version: (last?.version ?? 0) + 1,
  name: "of a later program",
  statements: [
    "alter table devices add column colour text",
    "create index concurrently_not_needed on acts (tenant_id, who)",
  ],
};

if (!isThere) test("PostgreSQL is not installed", () => undefined);
else {
  test(
    "of many that migrate at once one does each step, and a newer database is left alone",
    async () => {
      const url = await cluster.database("steps");
      const databases = [1, 2, 3, 4].map(() => openPostgres({ url }));
      const reports = await Promise.all(databases.map((each) => migrate(each)));
      // One may take over in the middle from one that comes later in the list.
      expect(reports.flatMap(({ applied }) => applied).sort()).toEqual(
        MIGRATIONS.map(({ name }) => name).sort(),
      );
      const [one, other] = databases;
      if (one === undefined || other === undefined) throw new Error("no database");
      await migrate(one, [...MIGRATIONS, next]);
      expect((await migrate(other)).applied).toEqual([]);
      expect(await schemaVersion(other)).toBe(next.version);
      // A step that fails leaves nothing behind.
      const broken = {
        version: next.version + 1,
        name: "broken",
        statements: ["create table left_over (a int)", "nonsense"],
      };
      await expect(migrate(one, [...MIGRATIONS, next, broken])).rejects.toThrow();
      expect(await schemaVersion(one)).toBe(next.version);
      const [left] = await one.asOwner((tx) => tx.rows("select to_regclass('left_over')::text as name"));
      expect(left?.name).toBeNull();
      await Promise.all(databases.map((each) => each.close()));
    },
    LONG,
  );

  test(
    "a decision at one server reaches a device that waits at another within a second or two",
    async () => {
      const url = await cluster.database("two");
      const sealer = new Sealer(randomBytes(32));
      await using one = await ControlPlane.start(openPostgres({ url }), { domain: "localhost", sealer });
      await using two = await ControlPlane.start(openPostgres({ url }), { domain: "localhost", sealer });
      const acme = await one.tenant("acme");
      const owner = await one.person(acme, "Olga", ["admin"]);
      const ada = await one.person(acme, "Ada", ["approver"]);
      const device = await one.device(acme, owner.id);
      const held = await device.hold();
      const waiting = device.call("wait", { after: 0, wait_ms: 30_000 });
      await eventually(
        async () => one.server.parts.ticks.waiting,
        (count) => count === 1,
      );
      const started = performance.now();
      const path = `/api/v1/approvals/${device.id}/${held.nonce}/decide`;
      const decided = await two.api(acme, ada.token, "POST", path, { verb: "allow", digest: held.digest });
      expect(decided.status).toBe(200);
      expect((await waiting).body.decisions).toHaveLength(1);
      expect(performance.now() - started).toBeLessThan(10_000);
    },
    LONG,
  );

  test(
    "an upgrade with one step happens under devices that go on, and the old server answers beside the new one",
    async () => {
      const url = await cluster.database("upgrade");
      const sealer = new Sealer(randomBytes(32));
      await using old = await ControlPlane.start(openPostgres({ url }), { domain: "localhost", sealer });
      const acme = await old.tenant("acme");
      const owner = await old.person(acme, "Olga", ["admin"]);
      const devices = await Promise.all(
        [1, 2, 3, 4].map((each) => old.device(acme, owner.id, `machine-${each}`)),
      );
      const statuses: number[] = [];
      let isDone = false;
      const busy = devices.map(async (device) => {
        while (!isDone) {
          statuses.push((await device.sendRows([auditLine(), auditLine()])).status);
          statuses.push((await device.preflight()).status);
        }
      });
      const waiting = devices[0]?.call("wait", { after: 0, wait_ms: 30_000 });
      const before = statuses.length;
      await eventually(
        async () => statuses.length,
        (count) => count > before + 20,
        LONG,
      );
      const upgraded = openPostgres({ url });
      expect((await migrate(upgraded, [...MIGRATIONS, next])).applied).toEqual([next.name]);
      await using fresh = await ControlPlane.start(upgraded, { domain: "localhost", sealer });
      const middle = statuses.length;
      await eventually(
        async () => statuses.length,
        (count) => count > middle + 20,
        LONG,
      );
      // One goes on at the new server, with the same key.
      const moved = devices[1];
      if (moved === undefined) throw new Error("no device");
      const there = Object.assign(new SimulatedDevice({ url: fresh.url, host: fresh.hostOf(acme) }), {
        key: moved.key,
        id: moved.id,
        tenant: moved.tenant,
      });
      expect((await there.preflight()).status).toBe(200);
      await fresh.api(acme, owner.token, "POST", `/api/v1/devices/${devices[0]?.id}/revoke`, { reason: "x" });
      expect((await waiting)?.body.code).toBe("revoked");
      isDone = true;
      await Promise.all(busy);
      expect(statuses.filter((status) => status !== 200 && status !== 403)).toEqual([]);
      expect(first?.version).toBe(1);
    },
    LONG,
  );

  test(
    "the database is killed while rows arrive: afterwards each is there once, in order",
    async () => {
      const url = await cluster.database("killed");
      await using plane = await ControlPlane.start(openPostgres({ url }), { domain: "localhost" });
      const acme = await plane.tenant("acme");
      const owner = await plane.person(acme, "Olga", ["admin"]);
      const device = await plane.device(acme, owner.id);
      const all = Array.from({ length: 600 }, (_, index) => auditLine({ command: `row ${index}` }));
      const send = async () => {
        while (device.seq < all.length) {
          const answer = await device.sendRows(all.slice(device.seq, device.seq + 10)).catch(() => undefined);
          if (answer?.status === 200) continue;
          // The server's answer is lost: ask how far the server is, and go on behind that.
          const begun = await device.preflight().catch(() => undefined);
          if (begun?.status === 200) await device.catchUp(all, begun.body.audit_acked_seq);
        }
      };
      const sending = send();
      await eventually(
        async () => device.seq,
        (seq) => seq > 100,
        LONG,
      );
      await cluster.kill();
      await cluster.start();
      await sending;
      const rows = await plane.database.run({ tenant: acme.id }, (tx) =>
        tx.rows("select seq::int as seq, command from audit_rows order by seq"),
      );
      expect(rows.map(({ seq, command }) => [seq, command] as const)).toEqual(
        all.map((_, index) => [index + 1, `row ${index}`] as const),
      );
    },
    LONG,
  );
}
