// Two compiled servers on one PostgreSQL, one of them behind PgBouncer in transaction mode. A server
// and the database are killed in the middle of uploads and decisions: nothing is lost, nothing is
// stored or decided twice, and the devices go on at whichever server is there.

import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exportRows } from "../../src/server/audit/export-rows.ts";
import { openPostgres } from "../../src/server/database/postgres.ts";
import { Sealer } from "../../src/server/sealer.ts";
import { eventually } from "../support/eventually.ts";
import { ControlPlane, type TestPerson } from "../support/server/control-plane.ts";
import { pgbouncerPath, startPgbouncer } from "../support/server/pgbouncer.ts";
import { postgresFolder, startPostgres } from "../support/server/postgres-cluster.ts";
import { startServerProgram } from "../support/server/server-program.ts";
import { auditLine, newHold, type SimulatedDevice } from "../support/server/simulated-device.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const LONG = 110_000;
const DEVICES = 4;
const ROWS = 300;
const HOLDS = 5;
const isThere =
  (postgresFolder() !== undefined && pgbouncerPath() !== undefined) ||
  process.env.IDDIO_REQUIRE_CLIENTS === "1";

if (!isThere) test("PostgreSQL or PgBouncer is not installed", () => undefined);
else
  test(
    "a server and the database are killed: every row is there once, every question is decided once",
    async () => {
      await using folder = await temporaryDirectory();
      await using cluster = await startPostgres();
      const url = await cluster.database("killed");
      const octets = randomBytes(32);
      const secret = join(folder.path, "secret");
      await writeFile(secret, octets.toString("base64"));
      await using plane = await ControlPlane.start(openPostgres({ url }), {
        domain: "localhost",
        sealer: new Sealer(octets),
      });
      const acme = await plane.tenant("acme");
      const olga = await plane.person(acme, "Olga", ["admin"]);
      const [ada, bob] = [
        await plane.person(acme, "Ada", ["approver"]),
        await plane.person(acme, "Bob", ["approver"]),
      ];
      const devices: SimulatedDevice[] = [];
      for (let at = 0; at < DEVICES; at++) devices.push(await plane.device(acme, olga.id, `machine-${at}`));
      await using pooler = await startPgbouncer(url);
      await using programs = new AsyncDisposableStack();
      const servers = [
        programs.use(await startServerProgram(url, secret, folder.path)),
        programs.use(await startServerProgram(pooler.url, secret, folder.path)),
      ];
      let turn = 0;
      const next = () => ({ url: servers[turn++ % 2]?.url ?? "" });
      const until = Date.now() + 80_000;
      /** Again at the other server until there is an answer that counts. */
      const insist = async <T extends { status: number }>(work: () => Promise<T>): Promise<T> => {
        for (;;) {
          const answer = await work().catch(() => undefined);
          if (answer !== undefined && answer.status < 500 && answer.status !== 429) return answer;
          if (Date.now() > until) throw new Error(`no server answers: ${answer?.status ?? "no connection"}`);
          await Bun.sleep(50);
        }
      };
      const all = devices.map((_, at) =>
        Array.from({ length: ROWS }, (_row, index) => auditLine({ command: `row ${at} ${index}` })),
      );
      const upload = async (device: SimulatedDevice, lines: readonly string[]) => {
        while (device.seq < lines.length) {
          Object.assign(device, { server: next() });
          const answer = await device
            .sendRows(lines.slice(device.seq, device.seq + 10))
            .catch(() => undefined);
          if (answer?.status === 200) continue;
          // The answer is lost: how far did it get?
          const begun = await insist(() => {
            Object.assign(device, { server: next() });
            return device.preflight();
          });
          await device.catchUp(lines, begun.body.audit_acked_seq);
        }
      };
      const decide = async (
        person: TestPerson,
        verb: string,
        device: string,
        nonce: string,
        digest: string,
      ) => {
        const { status } = await insist(async () => {
          const response = await fetch(`${next().url}/api/v1/approvals/${device}/${nonce}/decide`, {
            method: "POST",
            headers: { authorization: `Bearer ${person.token}` },
            body: JSON.stringify({ verb, digest }),
          });
          await response.body?.cancel();
          return response;
        });
        return status;
      };
      const asked: string[] = [];
      const ask = async (device: SimulatedDevice) => {
        for (let at = 0; at < HOLDS; at++) {
          const held = newHold();
          asked.push(held.nonce);
          await insist(() => device.call("approvals", { held: [held], ended: [] }));
          // Two people at two servers, at the same moment, say the opposite.
          const statuses = await Promise.all([
            decide(ada, "allow", device.id, held.nonce, held.digest),
            decide(bob, "deny", device.id, held.nonce, held.digest),
          ]);
          expect(statuses.every((status) => [200, 409].includes(status))).toBe(true);
        }
      };
      const told = new Map<string, string[]>();
      let isDone = false;
      const listen = async (device: SimulatedDevice) => {
        let after = 0;
        while (!isDone) {
          const { status, body } = await insist(() => device.call("wait", { after, wait_ms: 500 }));
          if (status !== 200) throw new Error(body.code);
          for (const { payload } of body.decisions) {
            const { nonce, verb } = JSON.parse(payload) as { nonce: string; verb: string };
            told.set(nonce, [...(told.get(nonce) ?? []), verb]);
          }
          after = body.cursor;
        }
      };
      const listening = Promise.all(devices.map(listen));
      const working = Promise.all([
        ...devices.map((device, at) => upload(device, all[at] ?? [])),
        ...devices.map(ask),
      ]);
      const reached = (part: number) =>
        eventually(
          async () => Math.min(...devices.map(({ seq }) => seq)),
          (seq) => seq >= ROWS * part,
          60_000,
        );
      await reached(0.2);
      await servers[0]?.kill();
      servers[0] = programs.use(await startServerProgram(url, secret, folder.path));
      await reached(0.5);
      await cluster.kill();
      await cluster.start();
      await working;
      await eventually(
        async () => told.size,
        (size) => size === asked.length,
        20_000,
      );
      isDone = true;
      await listening;
      const { rows, decided, acts } = await plane.database.run({ tenant: acme.id }, async (tx) => ({
        rows: await tx.rows(
          "select device_id, seq::int as seq, command from audit_rows order by device_id, seq",
        ),
        decided: await tx.rows("select nonce, verb from approvals"),
        acts: await tx.rows("select about from acts where act like 'approval.%'"),
      }));
      for (const [at, device] of devices.entries())
        expect(
          rows.filter((row) => row.device_id === device.id).map(({ seq, command }) => [seq, command]),
        ).toEqual(Array.from({ length: ROWS }, (_, index) => [index + 1, `row ${at} ${index}`]));
      const exported: string[] = [];
      const range = { from: "1970-01-01", to: "9999-12-31" };
      for await (const line of exportRows(plane.database, acme.id, range)) exported.push(line);
      expect(exported.map((line) => (JSON.parse(line) as { line: string }).line).sort()).toEqual(
        all.flat().sort(),
      );
      expect(acts).toHaveLength(asked.length);
      expect(decided.map(({ nonce, verb }) => [nonce, [verb]]).sort()).toEqual([...told].sort());
    },
    LONG,
  );
