// Who asks: user and process of a client in approvals and rows, and who typed a command in
// control rows. The client is this very process; nobody's request waits for the answer.

import { describe, expect, test } from "bun:test";
import { processOf } from "../../../src/host/process/process-tree.ts";
import { startDaemon } from "../../support/daemon.ts";
import { eventually } from "../../support/eventually.ts";
import { connectRaw, connectTls, connectTunnel } from "../../support/wire/proxy-client.ts";
import { startRawOrigin } from "../../support/wire/raw-origin.ts";

const POLICY = (port: number) => `
generic:
  inspect: ["localhost:${port}"]
  default: escalate
  groups: { read: { tiers: [observe] } }
  rules: { allow: { groups: [read] } }
`;

async function me() {
  const found = await processOf(process.pid);
  return { user: found?.user, pid: process.pid, process: found?.name };
}

describe("the client of a held request", () => {
  test("is in the approval by user, pid and name, with program and ancestors in its details", async () => {
    await using origin = await startRawOrigin();
    await using daemon = await startDaemon({ trust: [origin], policy: POLICY(origin.port) });
    using client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
    client.send(`POST /x HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Length: 0\r\n\r\n`);
    const [approval] = await eventually(
      () => daemon.pending(),
      ([first]) => first?.client?.process !== undefined,
    );
    expect(approval?.client).toEqual((await me()) as never);
    const { approval: shown } = await daemon.control.call("approvals_show", { id: approval?.id ?? "" });
    expect(shown.client).toMatchObject({ ...(await me()), program: process.execPath });
    expect(shown.client?.ancestors?.[0]?.pid).toBe(process.ppid);
    await daemon.control.call("approvals_allow", { id: shown.id });
    await client.until("200 OK");
    const rows = await daemon.rowsWhen((all) => all.some((row) => row.op === "mitm"));
    const row = rows.find((each) => each.op === "mitm");
    expect(row?.fields.client).toEqual((await me()) as never);
  });

  test("over plain HTTP is known as well", async () => {
    await using origin = await startRawOrigin(undefined, { plain: true });
    await using daemon = await startDaemon({ policy: POLICY(origin.port) });
    using client = await connectRaw(daemon.port);
    const host = `localhost:${origin.port}`;
    client.send(`POST http://${host}/x HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`);
    await eventually(
      () => daemon.pending(),
      ([first]) => first?.client?.pid === process.pid,
    );
  });
});

test("a request that passes has its process in the row once the connection is known", async () => {
  await using origin = await startRawOrigin();
  await using daemon = await startDaemon({ trust: [origin], policy: POLICY(origin.port) });
  using client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
  let sent = 0;
  const rows = await eventually(
    async () => {
      client.send(`GET /x HTTP/1.1\r\nHost: localhost:${origin.port}\r\n\r\n`);
      await client.until("200 OK", ++sent);
      return daemon.rows();
    },
    (all) => all.some((row) => row.fields.client?.process !== undefined && row.op === "mitm"),
  );
  expect(rows.at(-1)?.fields.client).toEqual((await me()) as never);
});

test("a splice has the user only: nobody looks for its process", async () => {
  await using origin = await startRawOrigin(undefined, { plain: true });
  await using daemon = await startDaemon({ policy: POLICY(1) });
  const { client } = await connectTunnel(daemon.port, `localhost:${origin.port}`);
  client.send("GET / HTTP/1.1\r\n\r\n");
  await client.until("200 OK");
  const rows = await daemon.rowsWhen((all) => all.some((row) => row.op === "passthrough"));
  const { user } = await me();
  expect(rows.at(-1)?.fields.client).toEqual({ user: user ?? "" });
  client.socket.destroy();
});

test("a control row says who typed the command, and what started that process", async () => {
  await using daemon = await startDaemon({ policy: POLICY(1) });
  await daemon.control.call("mode_set", { proxy_mode: "off" });
  const rows = await daemon.rowsWhen((all) => all.some(({ fields }) => fields.command === "set-proxy-mode"));
  expect(rows.at(-1)?.fields).toMatchObject({ caller_pid: process.pid, client: await me() });
  const { ancestors } = (rows.at(-1)?.fields.client ?? {}) as { ancestors?: { pid: number }[] };
  expect(ancestors?.[0]?.pid).toBe(process.ppid);
});
