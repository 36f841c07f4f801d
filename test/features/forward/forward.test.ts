// Audit rows leave the machine: every row arrives, in order, whatever the receiver does in between;
// nothing that a receiver says or does holds up a request; secrets go in and do not come out.

import { expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Entry } from "../../../src/model/entry.ts";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { type HttpReceiver, rsyslogd, startHttpReceiver, startRsyslog } from "./receivers.ts";

const POLICY = `generic:\n  inspect: ["api.example.com"]\n  default: allow\n`;
const LONG_MS = 120_000;

/** Makes one row: a change of the mode is recorded. */
async function makeRow({ control }: Daemon): Promise<void> {
  await control.call("pins_add", { host: `h${crypto.randomUUID()}.example.com` });
}

const hashesOf = (rows: readonly Entry[]) => rows.map(({ hash }) => hash);

function rowsOfWebhook({ received }: HttpReceiver): Entry[] {
  return received.flatMap(({ body }) => (JSON.parse(body) as { data: Entry[] }).data);
}

async function allRows(daemon: Daemon, count: number): Promise<Entry[]> {
  return daemon.rowsWhen((rows) => rows.filter(({ op }) => op === "control").length >= count);
}

test.concurrent(
  "a webhook gets every row once, signed with its secret, and no answer tells the secret again",
  async () => {
    await using receiver = startHttpReceiver();
    await using daemon = await startDaemon({ policy: POLICY });
    const { secret = "" } = await daemon.control.call("forward_add", {
      name: "hook",
      target: `${receiver.origin}/in`,
      headers: { Authorization: "Bearer t0ken-canary" },
    });
    for (let each = 0; each < 5; each++) await makeRow(daemon);
    const rows = await allRows(daemon, 6);
    await eventually(
      async () => rowsOfWebhook(receiver).length,
      (count) => count >= rows.length,
      LONG_MS,
    );
    expect(hashesOf(rowsOfWebhook(receiver))).toEqual(hashesOf(rows));
    const [first] = receiver.received;
    const id = first?.headers.get("webhook-id");
    const at = first?.headers.get("webhook-timestamp");
    const key = Buffer.from(secret.slice("whsec_".length), "base64");
    const signature = createHmac("sha256", key).update(`${id}.${at}.${first?.body}`).digest("base64");
    expect(first?.headers.get("webhook-signature")).toBe(`v1,${signature}`);
    expect(first?.headers.get("authorization")).toBe("Bearer t0ken-canary");
    const told = JSON.stringify([await daemon.control.call("forward_list", {}), await daemon.rows()]);
    expect(told).not.toContain(secret);
    expect(told).not.toContain("t0ken-canary");
  },
  LONG_MS,
);

test.concurrent(
  "after a rotation requests carry both signatures",
  async () => {
    await using receiver = startHttpReceiver();
    await using daemon = await startDaemon({ policy: POLICY });
    const added = await daemon.control.call("forward_add", { name: "hook", target: receiver.origin });
    const rotated = await daemon.control.call("forward_rotate", { name: "hook" });
    expect(rotated.secret).not.toBe(added.secret ?? "");
    const before = receiver.received.length;
    await makeRow(daemon);
    await eventually(
      async () => receiver.received.length,
      (count) => count > before,
      LONG_MS,
    );
    expect(receiver.received.at(-1)?.headers.get("webhook-signature")).toMatch(/^v1,\S+ v1,\S+$/);
  },
  LONG_MS,
);

test.concurrent(
  "rows wait while the receiver is down, and arrive in order when it is back, also after a restart",
  async () => {
    let isUp = false;
    await using receiver = startHttpReceiver(() => new Response("", { status: isUp ? 200 : 503 }));
    await using folder = await temporaryDirectory();
    {
      await using daemon = await startDaemon({ policy: POLICY, home: folder.path });
      await daemon.control.call("forward_add", { name: "hook", target: receiver.origin });
      for (let each = 0; each < 3; each++) await makeRow(daemon);
      const [sink] = await eventually(
        async () => (await daemon.control.call("forward_list", {})).sinks,
        (sinks) => sinks[0]?.problem !== undefined,
        LONG_MS,
      );
      expect(sink?.problem).toContain("503");
      expect(sink?.behind_bytes).toBeGreaterThan(0);
    }
    isUp = true;
    const before = receiver.received.length;
    await using daemon = await startDaemon({ policy: POLICY, home: folder.path });
    await makeRow(daemon);
    const rows = await allRows(daemon, 5);
    const arrived = () =>
      receiver.received.slice(before).flatMap(({ body }) => (JSON.parse(body) as { data: Entry[] }).data);
    await eventually(
      async () => arrived().length,
      (count) => count >= rows.length,
      LONG_MS,
    );
    expect(hashesOf(arrived())).toEqual(hashesOf(rows));
  },
  LONG_MS,
);

test.concurrent(
  "a row that the receiver will never take is put aside, and the others arrive",
  async () => {
    await using receiver = startHttpReceiver(
      ({ body }) => new Response("no", { status: body.includes("poison") ? 422 : 200 }),
    );
    await using daemon = await startDaemon({ policy: POLICY });
    await daemon.control.call("forward_add", { name: "hook", target: receiver.origin });
    await makeRow(daemon);
    await daemon.control.call("pins_add", { host: "poison.example.com" });
    for (let each = 0; each < 3; each++) await makeRow(daemon);
    const rows = await allRows(daemon, 6);
    const [sink] = await eventually(
      async () => (await daemon.control.call("forward_list", {})).sinks,
      (sinks) => sinks[0]?.delivered_rows === rows.length - 1,
      LONG_MS,
    );
    expect(sink?.refused_rows).toBe(1);
    const aside = await Bun.file(join(daemon.home, "forward", "hook.refused.jsonl")).text();
    expect(JSON.parse(aside)).toMatchObject({ row: { fields: { host: "poison.example.com" } } });
  },
  LONG_MS,
);

test.concurrent(
  "rows go on to arrive after the audit file was renamed",
  async () => {
    await using receiver = startHttpReceiver();
    await using daemon = await startDaemon({ policy: POLICY });
    await daemon.control.call("forward_add", { name: "hook", target: receiver.origin });
    await makeRow(daemon);
    const rows = await allRows(daemon, 2);
    const audit = join(daemon.home, "audit.jsonl");
    await rename(audit, `${audit}.1`);
    const row: Entry = {
      timestamp_ms: Date.now(),
      op: "control",
      hash: "f".repeat(32),
      fields: { command: "x" },
    };
    await writeFile(audit, `${JSON.stringify(row)}\n`, { mode: 0o600 });
    await eventually(
      async () => rowsOfWebhook(receiver).length,
      (count) => count > rows.length,
      LONG_MS,
    );
    expect(hashesOf(rowsOfWebhook(receiver))).toEqual([...hashesOf(rows), row.hash]);
  },
  LONG_MS,
);

test.concurrent(
  "a collector that rejects some records is believed, and is not sent them again",
  async () => {
    const answer = JSON.stringify({ partialSuccess: { rejectedLogRecords: "1", errorMessage: "too old" } });
    await using receiver = startHttpReceiver((_request, count) => new Response(count === 1 ? answer : "{}"));
    await using daemon = await startDaemon({ policy: POLICY });
    await daemon.control.call("forward_add", {
      name: "otel",
      target: `otlp+${receiver.origin}`,
    });
    await makeRow(daemon);
    const rows = await allRows(daemon, 2);
    const [sink] = await eventually(
      async () => (await daemon.control.call("forward_list", {})).sinks,
      (sinks) => (sinks[0]?.delivered_rows ?? 0) + (sinks[0]?.refused_rows ?? 0) >= rows.length,
      LONG_MS,
    );
    expect(sink?.refused_rows).toBe(1);
    expect(receiver.received[0]?.path).toBe("/v1/logs");
    const records = receiver.received.flatMap(
      ({ body }) => JSON.parse(body).resourceLogs[0].scopeLogs[0].logRecords,
    );
    expect(records).toHaveLength(rows.length);
  },
  LONG_MS,
);

test.concurrent(
  "an object store gets compressed lines under a name that says when and where",
  async () => {
    await using receiver = startHttpReceiver();
    await using daemon = await startDaemon({ policy: POLICY });
    await daemon.control.call("forward_add", {
      name: "archive",
      target: `s3://audit/iddio?region=eu-west-1&endpoint=${receiver.origin}`,
      access_key_id: "AKIATEST",
      secret_access_key: "s3cret-canary",
      format: "ocsf",
    });
    expect(await daemon.control.call("forward_test", { name: "archive" })).toEqual({});
    const [put] = receiver.received;
    expect(put?.method).toBe("PUT");
    expect(put?.path).toMatch(
      /^\/audit\/iddio\/\d{4}\/\d\d\/\d\d\/[A-Za-z0-9._-]+-\d{6}-[0-9a-f]{16}\.jsonl\.gz/,
    );
    expect(put?.path).toContain("X-Amz-Credential=AKIATEST%2F");
    expect(put?.path).toMatch(/X-Amz-Signature=[0-9a-f]{64}/);
    expect(JSON.parse(put?.body ?? "")).toMatchObject({ class_uid: 6003 });
    expect(JSON.stringify(receiver.received.map(({ headers }) => [...headers]))).not.toContain(
      "s3cret-canary",
    );
  },
  LONG_MS,
);

test.concurrent(
  "a real rsyslog takes the rows over TLS",
  async () => {
    const program = rsyslogd();
    if (program === undefined) {
      expect(process.env.IDDIO_REQUIRE_CLIENTS, "rsyslog is not installed").toBeUndefined();
      process.stderr.write("no rsyslogd: nothing to check here\n");
      return;
    }
    await using folder = await temporaryDirectory();
    const made = Bun.spawnSync(
      // biome-ignore format: one command line
      ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2", "-keyout", "k.pem", "-out", "c.pem"],
      { cwd: folder.path, stdout: "ignore", stderr: "ignore" },
    );
    expect(made.exitCode).toBe(0);
    const cert = await Bun.file(join(folder.path, "c.pem")).text();
    const key = await Bun.file(join(folder.path, "k.pem")).text();
    await using receiver = await startRsyslog(program, folder.path, { cert, key });
    await using daemon = await startDaemon({ policy: POLICY });
    const target = `syslog+tls://localhost:${receiver.port}`;
    await daemon.control.call("forward_add", { name: "untrusted", target });
    expect((await daemon.control.call("forward_test", { name: "untrusted" })).problem).toMatch(/certificate/);
    await daemon.control.call("forward_remove", { name: "untrusted" });
    await daemon.control.call("forward_add", { name: "siem", target, ca_pem: cert, from: "start" });
    for (let each = 0; each < 3; each++) await makeRow(daemon);
    const rows = await allRows(daemon, 6);
    const lines = await eventually(receiver.lines, (all) => all.length >= rows.length, LONG_MS);
    const got = lines.map((line) => (JSON.parse(line.slice(line.indexOf("{"))) as Entry).hash);
    expect(got).toEqual(hashesOf(rows));
  },
  LONG_MS,
);

test.each([
  ["http://siem.example.com/in", "neither https nor on this machine"],
  ["otlp+http://siem.example.com:4318", "neither https nor on this machine"],
  ["syslog+tcp://siem.example.com:601", "in clear to another machine"],
  ["https://user:pw@siem.example.com/in", "holds a password"],
  ["s3://audit?region=eu-west-1", "needs an access key"],
  ["file:relative/path", "no absolute path"],
  ["ftp://siem.example.com", "of no known kind"],
])("the target %s is refused when it is added", async (target: string, why: string) => {
  await using daemon = await startDaemon({ policy: POLICY });
  await expect(daemon.control.call("forward_add", { name: "x", target })).rejects.toThrow(why);
  expect((await daemon.control.call("forward_list", {})).sinks).toEqual([]);
});

test.concurrent("a receiver at the cloud's metadata service is not connected to", async () => {
  await using daemon = await startDaemon({ policy: POLICY });
  for (const [name, host] of [
    ["v4", "169.254.169.254"],
    ["v6", "[fd00:ec2::254]"],
    ["mapped", "[::ffff:169.254.169.254]"],
  ] as const) {
    await daemon.control.call("forward_add", { name, target: `https://${host}/latest/api/token` });
    const { problem } = await daemon.control.call("forward_test", { name });
    expect(problem).toContain("link-local");
  }
});
