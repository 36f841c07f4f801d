// The client of every measurement. Raw sockets and as little work as can be; every reply is
// checked, so that a peer that answers wrongly or by itself scores nothing.

import { alpn, helloMessage, records, serverName } from "../../test/support/wire/client-hello.ts";
import { NUMBER_OFFSET, putNumber, requestBytes } from "../target.ts";
import { answerCalls } from "../worker.ts";
import { BulkTransfer } from "./bulk.ts";
import { type LoadRoute, openConnection, ReplyReader } from "./connection.ts";

/** How much was done in which time. */
export interface LoadResult {
  readonly count: number;
  readonly elapsedMs: number;
}

/** The orders of a load. */
export interface LoadOrder {
  readonly route: LoadRoute;
  /** Connections at the same time. */
  readonly connections: number;
  readonly durationMs: number;
}

let number = 0;

/** Requests one after the other on each of the connections. */
async function keepAlive({ route, connections, durationMs }: LoadOrder): Promise<LoadResult> {
  const readers = await Promise.all(
    Array.from({ length: connections }, async () => new ReplyReader(await openConnection(route))),
  );
  const request = requestBytes(route.authority);
  const one = async (reader: ReplyReader) => {
    number += 1;
    putNumber(request, NUMBER_OFFSET, number % 100_000_000);
    await reader.exchange(request);
  };
  const run = async (until: number) => {
    let count = 0;
    const loop = async (reader: ReplyReader) => {
      while (performance.now() < until) {
        await one(reader);
        count += 1;
      }
    };
    await Promise.all(readers.map(loop));
    return count;
  };
  await run(performance.now() + Math.min(500, durationMs / 4));
  const started = performance.now();
  const count = await run(started + durationMs);
  const elapsedMs = performance.now() - started;
  for (const reader of readers) reader.close();
  return { count, elapsedMs };
}

/** A fixed number of requests in all, on as many connections; for growth of memory. */
async function requests(order: LoadOrder & { readonly count: number }): Promise<LoadResult> {
  const started = performance.now();
  let left = order.count;
  const request = requestBytes(order.route.authority);
  const loop = async () => {
    const reader = new ReplyReader(await openConnection(order.route));
    while (left > 0) {
      left -= 1;
      number += 1;
      putNumber(request, NUMBER_OFFSET, number % 100_000_000);
      await reader.exchange(request);
    }
    reader.close();
  };
  await Promise.all(Array.from({ length: order.connections }, loop));
  return { count: order.count, elapsedMs: performance.now() - started };
}

async function repeat(
  { connections, durationMs }: LoadOrder,
  once: () => Promise<void>,
): Promise<LoadResult> {
  const started = performance.now();
  let count = 0;
  const loop = async () => {
    while (performance.now() - started < durationMs) {
      await once();
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, loop));
  return { count, elapsedMs: performance.now() - started };
}

/** One request on a new connection, and that connection's end. */
async function freshRequest(route: LoadRoute): Promise<void> {
  const reader = new ReplyReader(await openConnection(route));
  const request = requestBytes(route.authority);
  number += 1;
  putNumber(request, NUMBER_OFFSET, number % 100_000_000);
  await reader.exchange(request);
  reader.close();
}

/** A ClientHello, for peers that look; the echo server gives it back. */
const HELLO = Buffer.from(records(helloMessage([...serverName("example.com"), ...alpn("h2", "http/1.1")])));

/** A new tunnel, one message there and back, and its end. */
async function freshTunnel(route: LoadRoute): Promise<void> {
  const connection = await openConnection(route);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let got = 0;
  connection.onBytes = (bytes) => {
    if (!bytes.equals(HELLO.subarray(got, got + bytes.length)))
      reject(new Error("the echo is not what was sent"));
    got += bytes.length;
    if (got === HELLO.length) resolve();
  };
  connection.onClose = () => reject(new Error("the tunnel closed before the echo"));
  connection.send(HELLO);
  await promise;
  connection.onClose = () => {};
  connection.close();
}

/** Milliseconds that single requests take, one after the other, each on a new connection. */
async function latencies({ route, count }: { route: LoadRoute; count: number }): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const started = performance.now();
    await freshRequest(route);
    times.push(performance.now() - started);
  }
  return times;
}

async function bulk(order: { route: LoadRoute; connections: number; bytes: number }): Promise<LoadResult> {
  const started = performance.now();
  const each = async () => new BulkTransfer(await openConnection(order.route), order.bytes).done;
  await Promise.all(Array.from({ length: order.connections }, each));
  return { count: order.connections * order.bytes, elapsedMs: performance.now() - started };
}

const idle: { close(): void }[] = [];

answerCalls({
  keepAlive,
  requests,
  fresh: (order: LoadOrder) => repeat(order, () => freshRequest(order.route)),
  tunnels: (order: LoadOrder) => repeat(order, () => freshTunnel(order.route)),
  latencies,
  bulk,
  async openIdle({ route, count }: { route: LoadRoute; count: number }) {
    for (let index = 0; index < count; index += 50)
      idle.push(...(await Promise.all(Array.from({ length: 50 }, () => openConnection(route)))));
    return idle.length;
  },
  closeIdle() {
    for (const connection of idle.splice(0)) connection.close();
  },
});
