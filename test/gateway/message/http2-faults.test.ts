// Faults over HTTP/2, with clients and upstreams that send exactly these frames and then
// acknowledge, finish, read or answer nothing. Each has a bound, but for a stream that is only
// quiet or paused.

import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type net from "node:net";
import { PATIENCE } from "../../../src/gateway/stream/patience.ts";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import {
  beImpatient,
  daemonFor,
  expectNextServed,
  intercepted,
  logWhen,
  SHORT_MS,
  startFaulty,
  whenAsked,
} from "../../support/wire/faults.ts";
import { connectFrames, type FrameClient } from "../../support/wire/frame-client.ts";
import {
  data,
  FLAGS,
  frame,
  headers,
  join,
  numbered,
  PREFACE_OCTETS,
  request,
  settings,
  TYPE,
  text,
} from "../../support/wire/http2-frames.ts";
import { octets } from "../../support/wire/octets.ts";
import { startRawOrigin } from "../../support/wire/raw-origin.ts";

setDefaultTimeout(300_000);
beImpatient();
beforeAll(() => {
  PATIENCE.http2ProbeMs = 20;
  // Anyone who dawdles in other ways is found out before.
  PATIENCE.http2QuietMs = SHORT_MS * 3;
});

const ENHANCE_YOUR_CALM = 11;
const ACKNOWLEDGED = frame(TYPE.SETTINGS, FLAGS.ACK, 0);
const INITIAL_WINDOW = 4;

/** A client that has said what every client says first. */
async function greeted(daemon: Daemon, port: number, ...pairs: [number, number][]): Promise<FrameClient> {
  const client = await connectFrames(daemon, port);
  client.send(PREFACE_OCTETS, settings(...pairs), ACKNOWLEDGED);
  return client;
}

const asking = (port: number, changes: Readonly<Record<string, string>> = {}) =>
  request({ ":authority": `localhost:${port}`, ...changes });
const goAways = (client: FrameClient) => client.codes(TYPE.GOAWAY, 4);

describe("a client over HTTP/2", () => {
  test("that never acknowledges our settings is told so and closed", async () => {
    await using it = await startFaulty(() => {});
    using client = await connectFrames(it.daemon, it.origin.port);
    client.send(PREFACE_OCTETS, settings());
    await client.until(() => false);
    expect(goAways(client)).toEqual([4]);
    await blockedWhen(it.daemon, /^HTTP\/2: settings not acknowledged$/);
    await expectNextServed(it.daemon, it.origin);
  });

  test("that never finishes a head is told so and closed", async () => {
    await using it = await startFaulty(() => {});
    using client = await greeted(it.daemon, it.origin.port);
    client.send(frame(TYPE.HEADERS, FLAGS.END, 1, join(Uint8Array.of(0), text(":method"))));
    await client.until(() => false);
    expect(goAways(client)).toEqual([ENHANCE_YOUR_CALM]);
    await blockedWhen(it.daemon, /^HTTP\/2: a frame or head that took too long$/);
    await expectNextServed(it.daemon, it.origin);
  });

  test("that never finishes a frame is told so, however many octets it sends", async () => {
    await using it = await startFaulty(() => {});
    using client = await greeted(it.daemon, it.origin.port);
    const whole = headers(1, asking(it.origin.port, { "x-long": "x".repeat(1_000) }), FLAGS.END);
    for (const octet of whole) {
      if (client.isClosed) break;
      client.send(Uint8Array.of(octet));
      await Bun.sleep(5);
    }
    await client.until(() => false);
    expect(goAways(client)).toEqual([ENHANCE_YOUR_CALM]);
    expect(it.origin.text).toBe("");
  });

  test("that is idle for too long is told that this is the end, politely", async () => {
    const usual = PATIENCE.nextRequestMs;
    await using it = await startFaulty(() => {});
    PATIENCE.nextRequestMs = 50;
    using client = await greeted(it.daemon, it.origin.port);
    await client.until(() => false);
    PATIENCE.nextRequestMs = usual;
    expect(goAways(client)).toEqual([0]);
  });

  test("that does not answer a PING while it waits has left, which reaches the upstream", async () => {
    const { promise: asked, resolve: isAsked } = Promise.withResolvers<net.Socket>();
    await using it = await startFaulty(whenAsked(isAsked));
    using client = await greeted(it.daemon, it.origin.port);
    client.send(headers(1, asking(it.origin.port), FLAGS.END));
    const upstream = await asked;
    await new Promise((resolve) => upstream.once("close", resolve));
    await logWhen(it.daemon, /connection lost: host=localhost reason="a PING was not answered"/);
    await expectNextServed(it.daemon, it.origin);
  });

  test("whose request is malformed leaves a row, and its other requests go on", async () => {
    await using it = await startFaulty(whenAsked(answer(2)));
    using client = await greeted(it.daemon, it.origin.port);
    client.send(headers(1, [...asking(it.origin.port), ["Upper", "case"]], FLAGS.END));
    client.send(headers(3, asking(it.origin.port), FLAGS.END));
    await client.until(() => client.answered.includes(3));
    expect(client.codes(TYPE.RST_STREAM, 0, 1)).toEqual([1]);
    await blockedWhen(it.daemon, /^HTTP\/2: .*name/);
  });

  test("whose head is too large leaves a row", async () => {
    await using it = await startFaulty(whenAsked(answer(2)));
    using client = await greeted(it.daemon, it.origin.port);
    const large = Array.from({ length: 70 }, (_, i) => [`x-${i}`, "x".repeat(1_000)] as const);
    const block = Buffer.concat(
      [...asking(it.origin.port), ...large].map(([name, value]) =>
        join(Uint8Array.of(0), text(name), text(value)),
      ),
    );
    client.send(frame(TYPE.HEADERS, FLAGS.END, 1, block.subarray(0, 10_000)));
    for (let at = 10_000; at < block.length; at += 10_000)
      client.send(
        frame(
          TYPE.CONTINUATION,
          at + 10_000 < block.length ? 0 : FLAGS.END_HEADERS,
          1,
          block.subarray(at, at + 10_000),
        ),
      );
    await client.until(() => client.answered.includes(1));
    await blockedWhen(it.daemon, /^HTTP\/2: header list too large$/);
  });

  test("that trickles a body on which the decision hangs is told so", async () => {
    const origin = await startRawOrigin();
    await using daemon = await startDaemon({
      trust: [origin],
      policy: `generic:\n  inspect: ["localhost:${origin.port}"]\n  default: escalate\n`,
    });
    using client = await greeted(daemon, origin.port);
    client.send(headers(1, asking(origin.port, { ":method": "PUT", "content-length": "1000" })));
    while (!client.isClosed && !client.answered.includes(1)) {
      client.send(data(1, "x"));
      await Bun.sleep(10);
    }
    await blockedWhen(daemon, /^the body took too long$/);
    expect(origin.text).toBe("");
    await origin[Symbol.asyncDispose]();
  });

  const MEGABYTE = "x".repeat(1_000_000);

  test("whose windows stay closed over more than a few paused streams is told so and closed", async () => {
    await using it = await startFaulty(whenAsked((socket) => socket.write(`${head(1_000_000)}${MEGABYTE}`)));
    using client = await greeted(it.daemon, it.origin.port, [INITIAL_WINDOW, 0]);
    for (let id = 1; id < 80; id += 2) client.send(headers(id, asking(it.origin.port), FLAGS.END));
    const answering = setInterval(() => client.send(frame(TYPE.PRIORITY, 0, 1, new Uint8Array(5))), 50);
    await client.until(() => false);
    clearInterval(answering);
    expect(goAways(client)).toEqual([ENHANCE_YOUR_CALM]);
    await blockedWhen(it.daemon, /^HTTP\/2: windows that never open$/);
    await expectNextServed(it.daemon, it.origin);
  }, 120_000);

  test("that pauses a stream for longer than that gets the rest of it", async () => {
    await using it = await startFaulty(whenAsked((socket) => socket.write(`${head(1_000_000)}${MEGABYTE}`)));
    using client = await greeted(it.daemon, it.origin.port, [INITIAL_WINDOW, 10]);
    client.send(headers(1, asking(it.origin.port), FLAGS.END));
    const answering = setInterval(() => client.send(frame(TYPE.PRIORITY, 0, 3, new Uint8Array(5))), 50);
    await Bun.sleep(PATIENCE.http2StarvedMs * 4);
    clearInterval(answering);
    client.send(numbered(TYPE.WINDOW_UPDATE, 0, 2_000_000), numbered(TYPE.WINDOW_UPDATE, 1, 2_000_000));
    await client.until(() => client.answered.includes(1));
    const received = client.frames.filter(({ type }) => type === TYPE.DATA);
    expect(received.reduce((sum, { payload }) => sum + payload.length, 0)).toBe(1_000_000);
  });
});

function head(length: number): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
}

function answer(length: number) {
  return (socket: net.Socket) => void socket.write(head(length) + "x".repeat(length));
}

async function blockedWhen(daemon: Daemon, reason: RegExp): Promise<void> {
  await daemon.rowsWhen((rows) =>
    rows.some(({ op, fields }) => op === "block" && reason.test(fields.reason ?? "")),
  );
}

describe("an upstream over HTTP/2", () => {
  const OK = headers(1, [[":status", "200"]]);
  const GREETING = join(settings(), ACKNOWLEDGED);

  /** Once it is asked, it sends this. */
  async function upstreamThat(said: Uint8Array, then: (socket: net.Socket) => void = () => {}) {
    const asked = new WeakSet<net.Socket>();
    const origin = await startRawOrigin(
      (socket) => {
        if (asked.has(socket)) return;
        asked.add(socket);
        socket.write(said, () => then(socket));
      },
      { tls: { ALPNProtocols: ["h2"] } },
    );
    const healthy = await startRawOrigin();
    const daemon = await daemonFor([origin.port, healthy.port], [origin, healthy]);
    return {
      origin,
      healthy,
      daemon,
      async [Symbol.asyncDispose]() {
        for (const each of [daemon, origin, healthy]) await each[Symbol.asyncDispose]();
      },
    };
  }

  const UNANSWERED: [string, Uint8Array, ((socket: net.Socket) => void) | undefined, RegExp][] = [
    ["never acknowledges our settings", settings(), undefined, /settings not acknowledged/],
    ["says nothing at all", new Uint8Array(0), undefined, /a PING was not answered/],
    ["does not answer a PING", GREETING, undefined, /a PING was not answered/],
    [
      "never finishes its head",
      join(GREETING, frame(TYPE.HEADERS, 0, 1, join(Uint8Array.of(0), text(":status")))),
      undefined,
      /a frame or head that took too long/,
    ],
    [
      "resets the stream",
      join(GREETING, numbered(TYPE.RST_STREAM, 1, 2)),
      undefined,
      /code 2: reset by the peer/,
    ],
    ["closes the connection", GREETING, (socket) => socket.end(), /the connection was lost/],
    ["resets the connection", GREETING, (socket) => socket.destroy(), /the connection was lost/],
    ["answers with a malformed head", join(GREETING, headers(1, [[":status", "2x0"]])), undefined, /status/],
    ["breaks the rules", join(GREETING, data(0, "x")), undefined, /data on an idle stream/],
    [
      "sends another protocol",
      octets("HTTP/1.1 400 Bad Request\r\n\r\n"),
      undefined,
      /frame larger than allowed/,
    ],
    [
      "sends interim answers without end",
      join(GREETING, ...Array.from({ length: 50 }, () => headers(1, [[":status", "103"]]))),
      undefined,
      /too many interim answers/,
    ],
  ];
  for (const [name, said, then, reason] of UNANSWERED)
    test(`that ${name} is a 502 with the reason`, async () => {
      await using it = await upstreamThat(said, then);
      using client = await intercepted(it.daemon, it.origin.port);
      client.send(`GET /a HTTP/1.1\r\nHost: localhost:${it.origin.port}\r\n\r\n`);
      expect(await client.until("}")).toMatch(/HTTP\/1\.1 502 Bad Gateway\r\n/);
      expect(await logWhen(it.daemon, /upstream failed/)).toMatch(reason);
      await it.daemon.rowsWhen((rows) => rows.some((row) => row.fields.status === 502));
      await expectNextServed(it.daemon, it.healthy);
    });

  const HALF = join(GREETING, OK, data(1, "half"));
  const CUT: [string, Uint8Array, ((socket: net.Socket) => void) | undefined][] = [
    ["resets the stream", join(HALF, numbered(TYPE.RST_STREAM, 1, 0)), undefined],
    ["closes the connection", HALF, (socket) => socket.end()],
    ["resets the connection", HALF, (socket) => socket.destroy()],
    [
      "says that it goes away, and goes",
      join(HALF, frame(TYPE.GOAWAY, 0, 0, new Uint8Array(8))),
      (socket) => socket.end(),
    ],
    ["stops answering PINGs", HALF, undefined],
    [
      "sends less than it said",
      join(
        GREETING,
        headers(1, [
          [":status", "200"],
          ["content-length", "10"],
        ]),
        data(1, "half", FLAGS.END),
      ),
      undefined,
    ],
    [
      "sends more than it said",
      join(
        GREETING,
        headers(1, [
          [":status", "200"],
          ["content-length", "4"],
        ]),
        data(1, "half"),
        data(1, "more", FLAGS.END),
      ),
      undefined,
    ],
  ];
  for (const [name, said, then] of CUT)
    test(`that ${name} in the middle of its answer makes a cut answer`, async () => {
      await using it = await upstreamThat(said, then);
      using client = await intercepted(it.daemon, it.origin.port);
      client.send(`GET /a HTTP/1.1\r\nHost: localhost:${it.origin.port}\r\n\r\n`);
      const received = await client.closed();
      expect(received).not.toContain("\r\n0\r\n\r\n");
      expect(received).not.toContain("more");
      await logWhen(it.daemon, /request broken off: .*cut off/);
      await expectNextServed(it.daemon, it.healthy);
    });
});
