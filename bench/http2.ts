// Measures the HTTP/2 engine: two connections in memory, small request and response pairs and bulk
// DATA, medians of rounds. Prints and judges nothing; run it with `bun bench/http2.ts`.

import type { Header } from "../src/model/request.ts";
import { Http2Connection, type Http2Event } from "../src/wire/http2/connection.ts";

const REQUEST: readonly Header[] = [
  [":method", "GET"],
  [":scheme", "https"],
  [":authority", "8a1c0f2b7d.gr7.eu-central-1.eks.amazonaws.com"],
  [":path", "/api/v1/namespaces/payments/pods?limit=500&labelSelector=app%3Dcheckout"],
  ["accept", "application/json"],
  ["user-agent", "kubectl/v1.32.1 (linux/amd64) kubernetes/e9c9be4"],
  ["accept-encoding", "gzip"],
];
const RESPONSE: readonly Header[] = [
  [":status", "200"],
  ["content-type", "application/json"],
  ["cache-control", "no-cache, private"],
  ["date", "Tue, 03 Mar 2026 10:00:00 GMT"],
  ["content-length", "256"],
];
const BODY = new Uint8Array(256).fill(0x78);
const ROUNDS = 7;
const NO_EVENTS: readonly Http2Event[] = [];

interface Pair {
  readonly client: Http2Connection;
  readonly server: Http2Connection;
}

function connected(): Pair {
  const pair = { client: new Http2Connection("client"), server: new Http2Connection("server") };
  toServer(pair);
  toClient(pair);
  toServer(pair);
  toClient(pair);
  return pair;
}

function toServer({ client, server }: Pair): readonly Http2Event[] {
  const output = client.takeOutput();
  return output === undefined ? NO_EVENTS : server.receive(output);
}

function toClient({ client, server }: Pair): readonly Http2Event[] {
  const output = server.takeOutput();
  return output === undefined ? NO_EVENTS : client.receive(output);
}

/** Requests in groups of `atOnce`, each answered with head and body. */
function exchange(
  pair: Pair,
  count: number,
  atOnce: number,
  request: (index: number) => readonly Header[],
): void {
  let answered = 0;
  for (let sent = 0; sent < count; sent += atOnce) {
    for (let i = 0; i < atOnce; i++) pair.client.open(request(sent + i), true);
    for (const event of toServer(pair)) {
      if (event.kind !== "headers") continue;
      pair.server.sendHeaders(event.streamId, RESPONSE, false);
      pair.server.sendData(event.streamId, BODY, true);
    }
    for (const event of toClient(pair)) {
      if (event.kind !== "data") continue;
      pair.client.consumed(event.streamId, event.flowBytes);
      if (event.endStream) answered++;
    }
  }
  if (answered !== count) throw new Error(`${answered} of ${count} answered`);
}

/** `megabytes` of DATA from server to client over one stream; pieces of 64 KiB, cut as TLS records are. */
function download(pair: Pair, megabytes: number): void {
  const piece = new Uint8Array(65_536).fill(0x78);
  const id = pair.client.open(REQUEST, true);
  toServer(pair);
  pair.server.sendHeaders(id, [[":status", "200"]], false);
  let received = 0;
  for (let sent = 0; sent < megabytes * 16; sent++) {
    pair.server.sendData(id, piece, sent === megabytes * 16 - 1);
    const output = pair.server.takeOutput();
    for (let at = 0; output !== undefined && at < output.length; at += 16_384) {
      for (const event of pair.client.receive(output.subarray(at, at + 16_384))) {
        if (event.kind !== "data") continue;
        received += event.flowBytes;
        pair.client.consumed(id, event.flowBytes);
      }
    }
    toServer(pair);
  }
  if (received !== megabytes * 1_048_576) throw new Error(`${received} octets received`);
}

/** Median, slowest and fastest round, in units of work a second. */
function row(name: string, unit: string, work: number, run: () => void): void {
  const rates: number[] = [];
  run();
  for (let round = 0; round < ROUNDS; round++) {
    const start = Bun.nanoseconds();
    run();
    rates.push((work * 1e9) / (Bun.nanoseconds() - start));
  }
  rates.sort((a, b) => a - b);
  const shown = (index: number): string => Math.round(rates[index] as number).toLocaleString("en");
  process.stdout.write(
    `${name.padEnd(44)} ${shown(ROUNDS >> 1).padStart(10)} ${unit}/s   (${shown(0)} to ${shown(ROUNDS - 1)})\n`,
  );
}

const fresh = (index: number): readonly Header[] =>
  REQUEST.map(
    (header): Header => (header[0] === ":path" ? [":path", `${header[1]}&continue=${index}`] : header),
  );
const PAIRS = 19_200;
const same = (): readonly Header[] => REQUEST;
const pair = connected();
row("small pairs, one at a time", "pairs", PAIRS, () => exchange(pair, PAIRS, 1, same));
row("small pairs, 32 at a time", "pairs", PAIRS, () => exchange(pair, PAIRS, 32, same));
row("small pairs, every path another", "pairs", PAIRS, () => exchange(pair, PAIRS, 1, fresh));
row("new connections with one pair", "pairs", 2_000, () => {
  for (let i = 0; i < 2_000; i++) exchange(connected(), 1, 1, same);
});
row("bulk DATA", "MB", 256, () => download(pair, 256));
