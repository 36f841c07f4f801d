// Audit rows of the control plane to receivers, by the daemon's own delivery: each row of every
// device once and in order, also when a receiver is down, a server goes away, or a device writes
// what is no row.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { webhookProblem } from "../../src/host/outgoing/standard-webhook.ts";
import { Sealer } from "../../src/server/sealer.ts";
import { startServer } from "../../src/server/server.ts";
import type { TenantName } from "../../src/server/tenants.ts";
import {
  type HttpReceiver,
  rsyslogd,
  startHttpReceiver,
  startRsyslog,
} from "../features/forward/receivers.ts";
import { eventually } from "../support/eventually.ts";
import { ControlPlane, type TestPerson } from "../support/server/control-plane.ts";
import { auditLine, type SimulatedDevice } from "../support/server/simulated-device.ts";
import { openTestDatabase } from "../support/server/test-database.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const LONG = 110_000;
/** For one thing to happen. */
const SOON = 60_000;
const sealer = new Sealer(randomBytes(32));
let plane: ControlPlane;
let acme: TenantName;
let owner: TestPerson;
let one: SimulatedDevice;
let other: SimulatedDevice;

beforeAll(async () => {
  plane = await ControlPlane.start(await openTestDatabase(), {
    domain: "localhost",
    sealer,
    reachPrivate: true,
    leaseMs: 2_000,
  });
  acme = await plane.tenant("acme");
  owner = await plane.person(acme, "Olga", ["admin"]);
  one = await plane.device(acme, owner.id, "machine one");
  other = await plane.device(acme, owner.id, "machine-2");
}, LONG);

afterAll(async () => {
  await plane[Symbol.asyncDispose]();
}, LONG);

const post = (path: string, input: object) =>
  plane.api(acme, owner.token, "POST", `/api/v1/forward-sinks${path}`, input);
const list = async () => (await plane.api(acme, owner.token, "GET", "/api/v1/forward-sinks")).body.items;

/** The report of a receiver once it fits; asked for gently, since askers are counted. */
async function reportWhen(name: string, fits: (report: Record<string, unknown>) => boolean) {
  const until = Date.now() + SOON;
  for (;;) {
    const report = (await list())?.find((each: { name: string }) => each.name === name);
    if (report !== undefined && fits(report)) return report;
    if (Date.now() > until) throw new Error(`last seen: ${JSON.stringify(report)}`);
    await Bun.sleep(200);
  }
}

const line = (command: string) => auditLine({ command });
// biome-ignore lint/suspicious/noExplicitAny: a test knows what it asked for.
type ForwardedRow = any;

const rowsOf = ({ received }: HttpReceiver) =>
  received.flatMap(({ body }) => JSON.parse(body).data as ForwardedRow[]);
const rowsWhen = (receiver: HttpReceiver, fits: (rows: readonly ForwardedRow[]) => boolean) =>
  eventually(async () => rowsOf(receiver), fits, SOON);
const commandsOf = (rows: readonly ForwardedRow[], device: string) =>
  rows.filter((row) => row.device?.name === device).map((row) => row.fields.command);

test(
  "a webhook gets the rows of every device in order, later when it was down, and what it refuses is kept aside",
  async () => {
    let isUp = false;
    await using receiver = startHttpReceiver(({ body }) => {
      if (!isUp) return new Response("", { status: 503 });
      return new Response("", { status: body.includes("poison") ? 422 : 204 });
    });
    await one.sendRows([line("before it was added")]);
    const added = await post("", { name: "siem", target: `${receiver.origin}/in` });
    expect([added.status, added.body.sink?.behind_rows]).toEqual([200, 0]);
    const { secret } = added.body;
    try {
      await one.sendRows(["one 1", "poison", "one 3"].map(line));
      await other.sendRows([line("two 1"), "this is no row", line("two 3")]);
      await eventually(
        async () => receiver.received.length,
        (count) => count > 0,
        SOON,
      );
      isUp = true;
      const before = receiver.received.length;
      await reportWhen(
        "siem",
        ({ delivered_rows, refused_rows, behind_rows }) =>
          [delivered_rows, refused_rows, behind_rows].join() === "5,1,0",
      );
      const answered = receiver.received.slice(before).filter(({ body }) => !body.includes("poison"));
      const rows = answered.flatMap(({ body }) => JSON.parse(body).data);
      expect(commandsOf(rows, "machine one")).toEqual(["one 1", "one 3"]);
      expect(commandsOf(rows, "machine-2")).toEqual(["two 1", undefined, "two 3"]);
      expect(JSON.stringify(rows)).toContain("no row of the audit log: this is no row");
      expect(JSON.stringify(rows)).not.toContain("before it was added");
      for (const { headers, body } of answered)
        expect(
          webhookProblem((name) => headers.get(name) ?? undefined, body, [secret], Date.now()),
        ).toBeUndefined();
      const refused = await plane.api(acme, owner.token, "GET", "/api/v1/forward-sinks/siem/refused");
      expect(refused.body.items).toMatchObject([
        { device: one.id, seq: 3, reason: "the receiver answered 422" },
      ]);
      expect(refused.body.items[0].row).toContain("poison");
      expect(JSON.stringify(await list())).not.toContain("whsec_");
      await post("/siem/test", {});
      const tested = await reportWhen("siem", ({ tested_ms }) => tested_ms !== undefined);
      expect(tested.test_problem).toBeUndefined();
      expect(rowsOf(receiver).some((row) => row.fields.command === "forward test")).toBe(true);
    } finally {
      await post("/siem/remove", {});
    }
  },
  LONG,
);

test(
  "another server goes on where one was killed, and a receiver from the start gets what was there before",
  async () => {
    await using receiver = startHttpReceiver();
    const count = (one.seq ?? 0) + (other.seq ?? 0);
    await post("", { name: "all", target: receiver.origin, from: "start" });
    let second: Awaited<ReturnType<typeof startServer>> | undefined;
    try {
      await rowsWhen(receiver, (rows) => rows.length >= count);
      // As if its server were killed: the lease is another's, which renews it no more.
      await plane.database.run({ tenant: acme.id }, (tx) =>
        tx.rows("update forward_sinks set leased_by = 'srv_gone'"),
      );
      second = await startServer({
        database: plane.database,
        sealer,
        hostname: "127.0.0.1",
        port: 0,
        domain: "localhost",
        reachPrivate: true,
        log: () => undefined,
      });
      await one.sendRows([line("after"), line("and after")]);
      const rows = await rowsWhen(receiver, (all) => commandsOf(all, "machine one").includes("and after"));
      // At least once: what was on its way when the lease was lost may come again, and nothing is left out.
      const keys = new Set(rows.map((row) => `${JSON.stringify(row.device)} ${row.chain} ${row.seq}`));
      expect(keys.size).toBe(count + 2);
    } finally {
      await second?.stop(0);
      await post("/all/remove", {});
    }
  },
  LONG,
);

test(
  "a real rsyslog, a collector and an object store get rows under the name of their device",
  async () => {
    await using collector = startHttpReceiver(() => new Response("{}"));
    const program = rsyslogd();
    await using folder = await temporaryDirectory();
    const made = Bun.spawnSync(
      // biome-ignore format: one command line
      ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2", "-keyout", "k.pem", "-out", "c.pem"],
      { cwd: folder.path, stdout: "ignore", stderr: "ignore" },
    );
    expect(made.exitCode).toBe(0);
    const [cert, key] = await Promise.all(
      ["c.pem", "k.pem"].map((name) => Bun.file(join(folder.path, name)).text()),
    );
    await post("", { name: "otel", target: `otlp+${collector.origin}`, format: "ocsf" });
    await post("", {
      name: "archive",
      target: `s3://audit/fleet?region=eu-west-1&endpoint=${collector.origin}`,
      access_key_id: "AKIATEST",
      secret_access_key: "s3cret-canary",
    });
    try {
      await post("/archive/test", {});
      if (program === undefined) {
        expect(process.env.IDDIO_REQUIRE_CLIENTS, "rsyslog is not installed").toBeUndefined();
        process.stderr.write("no rsyslogd: syslog is not tried\n");
      } else {
        await using syslog = await startRsyslog(program, folder.path, { cert: cert ?? "", key: key ?? "" });
        const target = `syslog+tls://localhost:${syslog.port}`;
        await post("", { name: "syslog", target, ca_pem: cert });
        await one.sendRows([
          // A row that a device made up cannot break the frame, or hold the others up.
          auditLine({ command: "framed", client: { pid: "1 evil\n<34>1 - forged" } }),
          auditLine({ command: "no time" }, 9e15 - 1),
          line("last"),
        ]);
        const lines = await eventually(
          syslog.lines,
          (all) => all.some((each) => each.includes('"last"')),
          SOON,
        );
        expect(
          lines.every((each) => each.includes(" machine_one iddio ") || each.includes("forward test")),
        ).toBe(true);
        expect(lines.filter((each) => each.includes("forged"))).toHaveLength(1);
        await reportWhen(
          "syslog",
          ({ refused_rows, delivered_rows }) => refused_rows === 1 && delivered_rows === 2,
        );
        await post("/syslog/remove", {});
      }
      await other.sendRows([line("to the collector")]);
      const records = () =>
        collector.received
          .filter(({ path }) => path === "/v1/logs")
          .flatMap(({ body }) => JSON.parse(body).resourceLogs)
          .filter((each) => JSON.stringify(each).includes("to the collector"));
      const [found] = await eventually(
        async () => records(),
        (all) => all.length > 0,
        SOON,
      );
      expect(JSON.stringify(found.resource)).toContain("machine-2");
      const event = JSON.parse(found.scopeLogs[0].logRecords.at(-1).body.stringValue);
      expect(event).toMatchObject({ class_uid: 6003, device: { hostname: "machine-2", uid: other.id } });
      const put = await eventually(
        async () => collector.received.find(({ method }) => method === "PUT"),
        (request) => request !== undefined,
        SOON,
      );
      expect(put?.path).toMatch(/^\/audit\/fleet\/\d{4}\/\d\d\/\d\d\/acme-\d{6}-[0-9a-f]{16}\.jsonl\.gz\?/);
      expect(JSON.stringify(collector.received)).not.toContain("s3cret-canary");
    } finally {
      for (const name of ["otel", "archive", "syslog"]) await post(`/${name}/remove`, {});
    }
  },
  LONG,
);

test(
  "rows that retention dropped do not hold up the later ones",
  async () => {
    await using receiver = startHttpReceiver();
    const old = await plane.device(acme, owner.id, "old");
    await old.sendRows([line("gone 1"), line("gone 2")]);
    await plane.database.asOwner((tx) => tx.rows("delete from audit_rows where device_id = $1", [old.id]));
    await post("", { name: "late", target: receiver.origin, from: "start" });
    try {
      await reportWhen("late", ({ behind_rows }) => behind_rows === 0);
      await old.sendRows([line("kept")]);
      const rows = await rowsWhen(receiver, (all) => commandsOf(all, "old").length > 0);
      expect(commandsOf(rows, "old")).toEqual(["kept"]);
    } finally {
      await post("/late/remove", {});
    }
  },
  LONG,
);

test("a tenant forwards into no file of the server, and not into its operator's network", async () => {
  const closed = await startServer({
    database: plane.database,
    sealer,
    hostname: "127.0.0.1",
    port: 0,
    domain: "localhost",
    log: () => undefined,
  });
  try {
    for (const target of [
      "file:/tmp/iddio-forwarded.jsonl",
      "http://127.0.0.1:1/in",
      "https://localhost/in",
      "otlp+http://localhost:4318",
      "syslog+tcp://127.0.0.1:601",
      "s3://audit?region=eu-west-1&endpoint=https://10.0.0.1/",
      "s3://audit?region=eu-west-1.evil.example/",
    ]) {
      const response = await fetch(`http://127.0.0.1:${closed.port}/api/v1/forward-sinks`, {
        method: "POST",
        headers: { host: `acme.localhost:${closed.port}`, authorization: `Bearer ${owner.token}` },
        body: JSON.stringify({
          name: "inside",
          target,
          ...(target.startsWith("s3") ? { access_key_id: "A", secret_access_key: "B" } : {}),
        }),
      });
      expect([target, response.status]).toEqual([target, 400]);
    }
  } finally {
    await closed.stop(0);
  }
});
