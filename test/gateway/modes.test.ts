// The four proxy modes, switched while traffic runs: what each does to a host that the
// policy inspects, and what each writes down.

import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Mode } from "../../src/model/mode.ts";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";
import { connectRaw, connectTls } from "../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../support/wire/raw-origin.ts";

const POLICY = (port: number) => `
generic:
  inspect: ["localhost:${port}"]
  default: deny
  groups: { read: { tiers: [observe] } }
  rules: { allow: { groups: [read] } }
`;

/** Sends one write, trusting both CAs; says whether iddio's leaf or the origin's own certificate was shown. */
async function write(daemon: Daemon, origin: RawOrigin): Promise<{ status: string; isIntercepted: boolean }> {
  using client = await connectTls(daemon.port, `localhost:${origin.port}`, {
    ca: `${daemon.caPem}\n${origin.caPem}`,
  });
  client.send(`POST /x HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Length: 0\r\n\r\n`);
  const reply = await client.until("\r\n\r\n");
  return {
    status: reply.slice(9, 12),
    isIntercepted: client.socket.getPeerCertificate().issuer.CN !== "origin",
  };
}

const MODES: [Mode, { status: string; isIntercepted: boolean }, string[]][] = [
  ["enforce", { status: "403", isIntercepted: true }, ["block"]],
  ["observe", { status: "200", isIntercepted: true }, []],
  ["passthrough", { status: "200", isIntercepted: false }, ["passthrough"]],
  ["off", { status: "200", isIntercepted: false }, []],
];

for (const [mode, want, ops] of MODES)
  test(`in mode ${mode} a write that policy denies is answered ${want.status} and leaves ${ops.join() || "no audit row"}`, async () => {
    await using origin = await startRawOrigin();
    await using daemon = await startDaemon({ trust: [origin], policy: POLICY(origin.port) });
    await daemon.control.call("mode_set", { proxy_mode: mode });
    expect(await write(daemon, origin)).toEqual(want);
    const rows = await daemon.rowsWhen(
      (all) => all.filter((row) => row.op !== "control").length >= ops.length,
    );
    expect(rows.filter((row) => row.op !== "control").map((row) => row.op as string)).toEqual(ops);
    if (mode !== "observe") return;
    const observed = await eventually(
      () => readFile(join(daemon.home, "observe.jsonl"), "utf8"),
      (text) => text.endsWith("\n"),
    );
    expect(JSON.parse(observed).fields).toMatchObject({
      would_be_decision: "deny",
      status: 200,
      method: "POST",
    });
  });

test("after a change of mode the next request on a kept connection is judged again", async () => {
  await using origin = await startRawOrigin();
  await using daemon = await startDaemon({ trust: [origin], policy: POLICY(origin.port) });
  using client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
  const post = `POST /x HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Length: 0\r\n\r\n`;
  client.send(post);
  await client.until("403 Forbidden");
  await daemon.control.call("mode_set", { proxy_mode: "observe" });
  client.send(post);
  await client.until("200 OK");
  await daemon.control.call("mode_set", { proxy_mode: "enforce" });
  client.send(post);
  await client.until("403 Forbidden", 2);
});

for (const [mode, ops] of [
  ["enforce", ["passthrough"]],
  ["passthrough", ["passthrough"]],
  ["off", []],
] as const)
  test(`in mode ${mode} a plain request that is passed through and fails leaves host and port only`, async () => {
    await using daemon = await startDaemon({ policy: POLICY(9) });
    await daemon.control.call("mode_set", { proxy_mode: mode });
    const requests = [
      "GET http://localhost:1/way/SECRETPATH?key=SECRETQUERY HTTP/1.1\r\nHost: localhost:1\r\n\r\n",
      "GET http://no-such-host.invalid/SECRETPATH HTTP/1.1\r\nHost: no-such-host.invalid\r\n\r\n",
      "GET http://localhost:1/SECRETPATH HTTP/1.1\r\nHost: localhost:1\r\nUpgrade: SECRETPATH\r\nConnection: upgrade\r\n\r\n",
      "GET http://localhost:1/SECRETPATH HTTP/1.1\r\nHost: other:1\r\n\r\n",
    ];
    for (const request of requests) {
      using client = await connectRaw(daemon.port);
      client.send(request);
      await client.until("HTTP/1.1 ");
    }
    if (mode !== "off") await daemon.rowsWhen((all) => all.length > requests.length);
    await daemon.gateway.stop();
    const rows = (await daemon.rows()).filter((row) => row.op !== "control");
    expect(rows.slice(0, ops.length)).toMatchObject(
      ops.map((op) => ({ op, fields: { host: "localhost", port: 1, outcome: "failed", status: 502 } })),
    );
    for (const file of ["audit.jsonl", "iddio.log"])
      expect(await readFile(join(daemon.home, file), "utf8")).not.toContain("SECRET");
  });

test("audit_passthrough: off leaves no trace of hosts that are not inspected", async () => {
  await using origin = await startRawOrigin();
  await using daemon = await startDaemon({ policy: POLICY(1), settings: "audit_passthrough: off\n" });
  using client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: origin.caPem });
  client.send(`GET /x HTTP/1.1\r\nHost: localhost:${origin.port}\r\n\r\n`);
  await client.until("200 OK");
  await daemon.gateway.stop();
  expect(await daemon.rows()).toEqual([]);
});

for (const [mode, where] of [
  ["enforce", "audit.jsonl"],
  ["observe", "observe.jsonl"],
] as const)
  test(`in mode ${mode} a request that cannot be read is refused and noted in ${where}`, async () => {
    await using origin = await startRawOrigin();
    await using daemon = await startDaemon({ trust: [origin], policy: POLICY(origin.port) });
    await daemon.control.call("mode_set", { proxy_mode: mode });
    using client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
    client.send("GET /x HTTP/1.1\nHost: x\n\n");
    await client.until("400");
    const text = await eventually(
      () => readFile(join(daemon.home, where), "utf8"),
      (lines) => lines.includes('"block"'),
    );
    expect(text).toContain('"outcome":"blocked"');
    const rows = await daemon.rows();
    expect(rows.filter((row) => row.op === "block")).toHaveLength(mode === "enforce" ? 1 : 0);
  });
