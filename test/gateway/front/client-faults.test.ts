// Faults in front of a gateway: clients that dawdle, break off, or do not read. Each wait has a
// bound or a reason for none, leaves its reason in the log, and the next connection does not
// notice.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { eventually } from "../../support/eventually.ts";
import {
  beImpatient,
  clientHello,
  daemonFor,
  expectNextServed,
  intercepted,
  logWhen,
  SHORT_MS,
  startFaulty,
  whenAsked,
} from "../../support/wire/faults.ts";
import { connectRaw, connectTunnel, type RawClient } from "../../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";

beImpatient();

describe("a client", () => {
  let origin: RawOrigin;
  let daemon: Daemon;
  beforeAll(async () => {
    origin = await startRawOrigin();
    daemon = await daemonFor([origin.port], [origin]);
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });

  /** Sends a byte every few milliseconds until the other side has had enough. */
  async function trickle(client: RawClient, text: string): Promise<string> {
    for (const byte of text) {
      if (client.isClosed) break;
      client.send(byte);
      await Bun.sleep(SHORT_MS / 10);
    }
    return client.closed();
  }

  test("that connects and says nothing is told so and closed", async () => {
    using client = await connectRaw(daemon.port);
    expect(await client.closed()).toStartWith("HTTP/1.1 408 ");
    await logWhen(daemon, /request not read: .*nothing came in time/);
    await expectNextServed(daemon, origin);
  });

  test("that trickles its first head is told so and closed", async () => {
    using client = await connectRaw(daemon.port);
    const answer = await trickle(
      client,
      `CONNECT localhost:${origin.port} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    );
    expect(answer).toStartWith("HTTP/1.1 408 ");
    await logWhen(daemon, /request not read: .*the head took too long/);
    await expectNextServed(daemon, origin);
  });

  test("that never finishes its TLS handshake is closed", async () => {
    const { client } = await connectTunnel(daemon.port, `localhost:${origin.port}`);
    using _ = client;
    client.send(await clientHello());
    await client.closed();
    await logWhen(daemon, /tls handshake failed: .*did not finish/);
    await expectNextServed(daemon, origin);
  });

  test("that breaks off its TLS handshake costs nothing", async () => {
    const { client } = await connectTunnel(daemon.port, `localhost:${origin.port}`);
    client.send(await clientHello());
    await client.until("\x16\x03\x03");
    client.socket.resetAndDestroy();
    await logWhen(daemon, /tls handshake failed: .*(broke off|closed)/);
    await expectNextServed(daemon, origin);
  });

  test("that trickles a head inside TLS is told so and closed", async () => {
    using client = await intercepted(daemon, origin.port);
    const answer = await trickle(client, `GET /trickled HTTP/1.1\r\nHost: localhost:${origin.port}\r\n\r\n`);
    expect(answer).toStartWith("HTTP/1.1 408 ");
    await logWhen(daemon, /blocked: .*the head took too long/);
    expect(origin.text).not.toContain("/trickled");
    await expectNextServed(daemon, origin);
  });

  test("that breaks off its body has it broken off upstream, and the row says so", async () => {
    const client = await intercepted(daemon, origin.port);
    client.send(`PUT /broken HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Length: 100\r\n\r\nhalf`);
    await eventually(
      () => Promise.resolve(origin.text),
      (text) => text.includes("half"),
    );
    client.socket.destroy();
    await daemon.rowsWhen((rows) => rows.some((row) => row.op === "mitm" && row.fields.path === "/broken"));
    await expectNextServed(daemon, origin);
  });

  test("that trickles a body on which the decision hangs is told so and closed", async () => {
    const policy = `
generic:
  inspect: ["localhost:${origin.port}"]
  default: escalate
`;
    await using holding = await startDaemon({ trust: [origin], policy });
    using client = await intercepted(holding, origin.port);
    client.send(`PUT /judged HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Length: 100\r\n\r\n`);
    expect(await trickle(client, "x".repeat(100))).toStartWith("HTTP/1.1 400 ");
    await logWhen(holding, /blocked: .*the body took too long/);
    expect(await holding.pending(0)).toEqual([]);
    expect(origin.text).not.toContain("/judged");
  });

  test("that does not read its answer holds back the upstream and nobody else", async () => {
    const megabyte = "x".repeat(1_000_000);
    let written = 0;
    await using it = await startFaulty(
      whenAsked((socket) => {
        socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        const more = () => {
          while (written < 200_000_000) {
            written += megabyte.length;
            if (!socket.write(`f4240\r\n${megabyte}\r\n`)) return void socket.once("drain", more);
          }
        };
        more();
      }),
    );
    using client = await intercepted(it.daemon, it.origin.port);
    client.send(`GET /much HTTP/1.1\r\n${it.host}\r\n`);
    await client.until("200 OK");
    client.socket.pause();
    let before = -1;
    await eventually(
      async () => {
        const isSteady = written === before;
        before = written;
        await Bun.sleep(50);
        return isSteady;
      },
      (isSteady) => isSteady,
    );
    expect(written).toBeLessThan(60_000_000);
    await expectNextServed(it.daemon, it.origin);
  }, 120_000);
});
