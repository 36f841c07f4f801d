// The gateway before an upstream that misbehaves, for tests of faults: waits cut short, everything
// allowed, and a way to show that anyone who comes next does not notice.

import { afterAll, beforeAll, expect } from "bun:test";
import { readFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import tls from "node:tls";
import { PATIENCE } from "../../../src/gateway/stream/patience.ts";
import { type Daemon, startDaemon } from "../daemon.ts";
import { eventually } from "../eventually.ts";
import { connectTls, type RawClient } from "./proxy-client.ts";
import { answerOk, type RawOrigin, type Responder, startRawOrigin } from "./raw-origin.ts";

/** Every wait that is cut short takes this long. */
export const SHORT_MS = 300;

/** The name of a wait. */
export type Wait = keyof typeof PATIENCE;

/** Cuts these waits short until it is disposed of. On a busy machine a short wait also ends what would have come. */
export function shortWaits(...names: readonly Wait[]): Disposable {
  const usual = { ...PATIENCE };
  for (const name of names) PATIENCE[name] = SHORT_MS;
  return { [Symbol.dispose]: () => void Object.assign(PATIENCE, usual) };
}

/** Cuts waits short for the tests of one file or block: the named ones, or all but those for what may be quiet for long. */
export function beImpatient(...names: readonly Wait[]): void {
  const all = Object.keys(PATIENCE) as Wait[];
  let short: Disposable | undefined;
  beforeAll(() => {
    short = shortWaits(...(names.length > 0 ? names : all.filter((name) => name !== "nextRequestMs")));
  });
  afterAll(() => short?.[Symbol.dispose]());
}

/** A daemon that inspects these ports of localhost and allows everything there. */
export function daemonFor(ports: readonly number[], trust: readonly RawOrigin[]): Promise<Daemon> {
  return startDaemon({ policy: allowing(ports), trust });
}

/** The policy of such a daemon. */
export function allowing(ports: readonly number[]): string {
  return `
generic:
  inspect: ${JSON.stringify(ports.map((port) => `localhost:${port}`))}
  groups: { all: { tiers: [observe, modify, sensitive, break-glass] } }
  rules: { allow: { groups: [all] } }
`;
}

/** The log, once something in it fits. */
export function logWhen(daemon: { readonly home: string }, wanted: RegExp): Promise<string> {
  return eventually(
    () => readFile(join(daemon.home, "iddio.log"), "utf8").catch(() => ""),
    (text) => wanted.test(text),
  );
}

/** A client inside TLS that iddio has opened. */
export function intercepted(
  daemon: { readonly port: number; readonly caPem: string },
  port: number,
): Promise<RawClient> {
  return connectTls(daemon.port, `localhost:${port}`, { ca: daemon.caPem });
}

/** The gateway and this upstream still work for anyone who comes next. */
export async function expectNextServed(
  daemon: { readonly port: number; readonly caPem: string },
  origin: { readonly port: number },
): Promise<void> {
  using client = await intercepted(daemon, origin.port);
  client.send(`GET /next HTTP/1.1\r\nHost: localhost:${origin.port}\r\n\r\n`);
  expect(await client.until("\r\n\r\nok")).toStartWith("HTTP/1.1 200 OK\r\n");
}

/** An origin that serves `/next` as it should and everything else by `fault`, and a daemon before it. */
export async function startFaulty(fault: Responder) {
  const origin = await startRawOrigin((socket, received, piece) =>
    piece.toString("latin1").startsWith("GET /next ")
      ? answerOk(socket, received, piece)
      : fault(socket, received, piece),
  );
  const daemon = await daemonFor([origin.port], [origin]);
  return {
    origin,
    daemon,
    host: `Host: localhost:${origin.port}\r\n`,
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}

const COMPLETE = /\r\n\r\n$/;

/** Calls back for every complete request head. */
export function whenAsked(answer: (socket: net.Socket) => void): Responder {
  return (socket, received) => {
    if (COMPLETE.test(received)) answer(socket);
  };
}

/** The first bytes that a TLS client of this machine sends. */
export async function clientHello(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", resolve);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const client = tls.connect({ port: (server.address() as net.AddressInfo).port, servername: "localhost" });
  client.on("error", () => {});
  const hello = await promise;
  client.destroy();
  server.close();
  return hello.toString("latin1");
}
