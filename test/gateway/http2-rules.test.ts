// The rules for an HTTP/2 server through the real gateway: TLS, a tunnel, an upstream that answers. What
// the engine alone cannot show: that a GOAWAY arrives, and that the connection is then closed.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import https from "node:https";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { createAuthority } from "../support/cluster/authority.ts";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import {
  FLAGS,
  frame,
  headers,
  join,
  numberIn,
  PREFACE_OCTETS,
  type ReadFrame,
  readFrames,
  request,
  settings,
  TYPE,
} from "../support/http2-frames.ts";
import { serverRules } from "../support/http2-rules.ts";
import { connectTunnel } from "../support/proxy-client.ts";

/** Frames as they come from the gateway. */
class FrameClient implements Disposable {
  readonly frames: ReadFrame[] = [];
  isClosed = false;
  readonly #socket: tls.TLSSocket;
  #rest: Uint8Array = new Uint8Array(0);
  #wake: () => void = () => {};

  constructor(socket: tls.TLSSocket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#receive(bytes));
    socket.on("error", () => {});
    for (const event of ["end", "close"])
      socket.on(event, () => {
        this.isClosed = true;
        this.#wake();
      });
  }

  #receive(bytes: Uint8Array): void {
    const all = Buffer.from(join(this.#rest, bytes));
    let end = 0;
    while (end + 9 <= all.length && end + 9 + all.readUIntBE(end, 3) <= all.length)
      end += 9 + all.readUIntBE(end, 3);
    this.frames.push(...readFrames(all.subarray(0, end)));
    this.#rest = new Uint8Array(all.subarray(end));
    this.#wake();
  }

  send(...parts: readonly Uint8Array[]): void {
    this.#socket.write(join(...parts));
  }

  /** Resolves when this holds, or the connection is over. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds() && !this.isClosed)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }

  codes(type: number, at: number, streamId = 0): number[] {
    return this.frames
      .filter((sent) => sent.type === type && sent.streamId === streamId)
      .map(({ payload }) => numberIn(payload, at));
  }

  get answered(): number[] {
    return this.frames
      .filter(({ type, flags }) => (type === TYPE.DATA || type === TYPE.HEADERS) && (flags & FLAGS.END) !== 0)
      .map(({ streamId }) => streamId);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

let daemon: Daemon;
let origin: https.Server;
let port = 0;

beforeAll(async () => {
  const authority = await createAuthority("origin");
  const { certPem, keyPem } = await authority.serverCertificate(["localhost"]);
  origin = https.createServer({ cert: certPem, key: keyPem }, (incoming, answer) => {
    incoming.resume();
    incoming.on("end", () => answer.end("hello"));
    incoming.on("error", () => {});
  });
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  port = (origin.address() as AddressInfo).port;
  daemon = await startDaemon({
    trust: [{ port, caPem: authority.caPem }],
    policy: `generic:\n  inspect: ["localhost:${port}"]\n  default: allow\n`,
  });
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  origin.closeAllConnections();
  origin.close();
});

async function connect(): Promise<FrameClient> {
  const { client } = await connectTunnel(daemon.port, `localhost:${port}`);
  client.socket.removeAllListeners("data");
  const socket = tls.connect({
    socket: client.socket,
    ca: [daemon.caPem],
    servername: "localhost",
    ALPNProtocols: ["h2"],
  });
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  return new FrameClient(socket);
}

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
