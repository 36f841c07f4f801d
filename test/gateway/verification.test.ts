// Chains that upstreams present, judged where it counts: through a real daemon to a real TLS server. A request that
// should not have been sent is one that the server saw.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { type ChainRow, chainRows, KNOWN_ACCEPTED } from "../support/chain-suite.ts";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import { connectTls } from "../support/proxy-client.ts";

let daemon: Daemon;
let nowMs = Date.now();

beforeAll(async () => {
  daemon = await startDaemon({
    now: () => nowMs,
    policy: `generic:\n  inspect: ["127.0.0.1"]\n  groups: { all: { tiers: [observe] } }\n  default: allow\n  rules: { allow: { groups: [all] } }\n`,
  });
});
afterAll(() => daemon[Symbol.asyncDispose]());

interface ChainServer extends AsyncDisposable {
  readonly port: number;
  /** Requests that it was sent. */
  readonly seen: number;
}

/** A server that presents `presented`; rejects when the TLS library cannot. */
async function startServer({ presented, key }: Pick<ChainRow, "presented" | "key">): Promise<ChainServer> {
  let seen = 0;
  const server = tls.createServer({ cert: presented.join("\n"), key }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", () => {
      seen += 1;
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
  });
  server.on("tlsClientError", () => {});
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get seen() {
      return seen;
    },
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

/** What a client gets that asks `server` through the daemon, which trusts `roots` for it. */
async function ask(
  server: ChainServer,
  name: string,
  roots: readonly string[],
  source = "manual",
): Promise<string> {
  const trust = { host: "127.0.0.1", port: server.port, ca_pem: roots.join("\n"), source };
  await daemon.control.call("upstreams_add", { ...trust, server_name: name });
  using client = await connectTls(daemon.port, `127.0.0.1:${server.port}`, { ca: daemon.caPem });
  client.send(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: close\r\n\r\n`);
  return await client.closed();
}

/** Chains whose key nobody has, or that no TLS library presents. */
const NOT_PRESENTABLE: ReadonlySet<string> = new Set([
  "rfc5280::mismatching-signature-algorithm",
  "webpki::explicit-curve",
  "webpki::cryptographydotio-chain",
  "webpki::cryptographydotio-chain-missing-intermediate",
]);

for (const suite of ["x509-limbo", "badssl"] as const)
  describe(`of ${suite}`, () => {
    for (const row of chainRows(suite)) {
      if (row.isOpen || NOT_PRESENTABLE.has(row.id)) continue;
      const isAccepted = row.isValid || KNOWN_ACCEPTED.has(row.id);
      test(`${row.id} is ${isAccepted ? "accepted" : "refused"}`, async () => {
        nowMs = row.nowMs;
        await using server = await startServer(row);
        const answer = await ask(server, row.name, row.roots);
        expect(answer).toStartWith(isAccepted ? "HTTP/1.1 200 " : "HTTP/1.1 502 ");
        expect(server.seen).toBe(isAccepted ? 1 : 0);
      });
    }
  });
