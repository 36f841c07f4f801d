// The rules for an HTTP/2 server through the real gateway: TLS, a tunnel, an upstream that answers.
// What the engine alone cannot show: that a GOAWAY arrives, and that the connection is then closed.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type net from "node:net";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { connectFrames, type FrameClient } from "../../support/wire/frame-client.ts";
import {
  FLAGS,
  frame,
  headers,
  PREFACE_OCTETS,
  request,
  settings,
  TYPE,
} from "../../support/wire/http2-frames.ts";
import { serverRules } from "../../support/wire/http2-rules.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";

let daemon: Daemon;
let origin: RawOrigin;
let port = 0;

/** How much of what came on a connection has been answered. */
const answered = new WeakMap<net.Socket, number>();

/** Says hello to every request that has come whole; node's own servers do not take every one of these. */
function sayHello(socket: net.Socket, received: string): void {
  for (;;) {
    const start = answered.get(socket) ?? 0;
    const length = requestLength(received.slice(start));
    if (length === undefined) return;
    answered.set(socket, start + length);
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  }
}

function requestLength(text: string): number | undefined {
  const head = text.indexOf("\r\n\r\n") + 4;
  if (head < 4) return undefined;
  if (/\r\ntransfer-encoding: chunked\r\n/i.test(text.slice(0, head))) {
    const last = /(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(text.slice(head));
    return last ? head + last.index + last[0].length : undefined;
  }
  const end = head + Number(/\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(0, head))?.[1] ?? 0);
  return end <= text.length ? end : undefined;
}

beforeAll(async () => {
  origin = await startRawOrigin(sayHello);
  ({ port } = origin);
  daemon = await startDaemon({
    trust: [origin],
    policy: `generic:\n  inspect: ["localhost:${port}"]\n  default: allow\n`,
  });
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

const connect = () => connectFrames(daemon, port);

async function greeted(): Promise<FrameClient> {
  const client = await connect();
  client.send(PREFACE_OCTETS, settings());
  await client.until(() => client.frames.filter(({ type }) => type === TYPE.SETTINGS).length === 2);
  client.send(frame(TYPE.SETTINGS, FLAGS.ACK, 0));
  return client;
}

/** The port is only known once the origin runs; the names and the number of the cases are always the same. */
const NAMED = serverRules("localhost:1");

for (const [group, { section, want, cases }] of NAMED.entries()) {
  describe(section, () => {
    for (const [index, [rule]] of cases.entries()) {
      test(rule, async () => {
        const [, ...frames] = serverRules(`localhost:${port}`)[group]?.cases[index] ?? [rule];
        using client = await greeted();
        client.send(...frames);
        const goAways = () => client.codes(TYPE.GOAWAY, 4);
        if (want.kind === "answers") {
          await client.until(() => want.streams.every((id) => client.answered.includes(id)));
          expect(client.answered).toEqual([...want.streams]);
          expect(goAways()).toEqual([]);
        } else if (want.kind === "ends") {
          await client.until(() => false);
          expect(goAways()).toEqual([want.code]);
        } else {
          const resets = () => client.codes(TYPE.RST_STREAM, 0, 1);
          await client.until(() => resets().length + goAways().length > 0);
          // RFC 9113 5.4.2: a stream error may be treated as one of the connection, if its code says the same.
          expect([...resets(), ...goAways()][0]).toBe(want.code);
          if (goAways().length > 0) return;
          client.send(
            settings([4, 65_535]),
            headers(1001, request({ ":authority": `localhost:${port}` }), FLAGS.END),
          );
          await client.until(() => client.answered.includes(1001));
          expect(client.answered).toContain(1001);
        }
      });
    }
  });
}

test("another preface ends the connection", async () => {
  using client = await connect();
  client.send(new TextEncoder().encode("INVALID CONNECTION PREFACE\r\n\r\n"));
  await client.until(() => false);
  expect(client.isClosed).toBe(true);
});
