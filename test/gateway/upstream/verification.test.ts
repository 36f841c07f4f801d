// Chains that upstreams present, judged where it counts: through a real daemon to a real TLS
// server. A request that should not have been sent is one that the server saw.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import type { Entry } from "../../../src/model/entry.ts";
import {
  alternativeNames,
  basicConstraints,
  keyUsage,
  type MadeCertificate,
  makeAuthority,
  makeOtherKeys,
  makeRoot,
  makeServer,
} from "../../support/certificates/certificate-maker.ts";
import { type ChainRow, chainRows, KNOWN_ACCEPTED } from "../../support/certificates/chain-suite.ts";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { NOW_MS } from "../../support/policy/judge-chain.ts";
import { connectTls } from "../../support/wire/proxy-client.ts";

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
async function startServer(
  { presented, key }: Pick<ChainRow, "presented" | "key">,
  options: tls.TlsOptions = {},
): Promise<ChainServer> {
  let seen = 0;
  const server = tls.createServer({ ...options, cert: presented.join("\n"), key }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", () => {
      seen += 1;
      // Every request needs a connection of its own, or nothing would be verified.
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
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

/** Asks `server` through the daemon, which trusts `roots` for it, and returns the client's answer. */
async function ask(
  server: ChainServer,
  name: string,
  roots: readonly string[],
  source = "manual",
): Promise<string> {
  const trust = { host: "127.0.0.1", port: server.port, ca_pem: roots.join("\n"), source };
  await daemon.control.call("upstreams_add", { ...trust, server_name: name });
  return await askAgain(server);
}

async function askAgain(server: ChainServer): Promise<string> {
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

describe("through a real handshake", () => {
  const NAME = "api.example.com";
  const root = makeRoot();
  const middle = makeAuthority(root, "authority");
  const server = makeServer(middle, [NAME]);
  const presenting = (...chain: readonly MadeCertificate[]) => ({
    presented: chain.map(({ pem }) => pem),
    key: server.keyPem,
  });
  const whole = presenting(server, middle);

  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const)
    test(`the whole chain is seen in ${maxVersion}, whatever its order and whatever else is in it`, async () => {
      nowMs = NOW_MS;
      const stray = makeAuthority(makeRoot("stray"), "authority", { keys: middle.keys });
      const expired = makeAuthority(root, "authority", { to: new Date("2021-01-01") });
      await using upstream = await startServer(presenting(server, stray, expired, root, middle), {
        maxVersion,
      });
      expect(await ask(upstream, NAME, [root.pem])).toStartWith("HTTP/1.1 200 ");
    });

  test("who is not trusted is refused with the command that fixes it, and audited", async () => {
    nowMs = NOW_MS;
    await using upstream = await startServer(whole);
    const answer = await ask(upstream, NAME, [makeRoot("stray").pem]);
    expect(answer).toStartWith("HTTP/1.1 502 ");
    expect(answer).toContain(`shows for '${NAME}' is refused: its issuer 'root' is not trusted here`);
    expect(answer).toContain(`iddio upstream add --ca <file> 127.0.0.1:${upstream.port}`);
    expect(upstream.seen).toBe(0);
    const isOfUpstream = ({ op, fields }: Entry) => op === "block" && fields?.port === upstream.port;
    const rows = await daemon.rowsWhen((all) => all.some(isOfUpstream));
    const row = rows.find(isOfUpstream);
    expect(row?.fields).toMatchObject({ decision: "deny", outcome: "blocked", status: 502, path: "/" });
    expect(String(row?.fields?.reason)).toContain("its issuer 'root' is not trusted here");
  });

  test("no command is offered for what no registration fixes", async () => {
    nowMs = Date.parse("2060-01-01");
    await using upstream = await startServer(whole);
    const answer = await ask(upstream, NAME, [root.pem]);
    expect(answer).toContain("is refused: it expired on 2049-01-01 00:00 UTC");
    expect(answer).not.toContain("iddio upstream add");
  });

  test("a chain that was verified is asked again once it has expired", async () => {
    nowMs = NOW_MS;
    await using upstream = await startServer(whole);
    expect(await ask(upstream, NAME, [root.pem])).toStartWith("HTTP/1.1 200 ");
    expect(await askAgain(upstream)).toStartWith("HTTP/1.1 200 ");
    nowMs = Date.parse("2060-01-01");
    expect(await askAgain(upstream)).toStartWith("HTTP/1.1 502 ");
    expect(upstream.seen).toBe(2);
  });

  test("a server's own certificate can be registered, and then no other is taken for it", async () => {
    nowMs = NOW_MS;
    const own = makeRoot("own", {
      keys: server.keys,
      extensions: [keyUsage(0, 5), alternativeNames([NAME])],
    });
    await using upstream = await startServer(presenting(own));
    expect(await ask(upstream, NAME, [root.pem])).toContain("the server's own certificate");
    expect(await ask(upstream, NAME, [own.pem])).toStartWith("HTTP/1.1 200 ");
    await using other = await startServer(whole);
    expect(await ask(other, NAME, [own.pem])).toStartWith("HTTP/1.1 502 ");
  });

  test("a cluster's authority is taken as kubectl takes it", async () => {
    nowMs = NOW_MS;
    const old = makeRoot("old", { extensions: [basicConstraints(true, undefined, false)] });
    const api = makeServer(old, [NAME]);
    await using upstream = await startServer(presenting(api));
    const refusal = await ask(upstream, NAME, [old.pem]);
    expect(refusal).toContain("the trusted root 'old' has basic constraints that are not critical");
    expect(refusal).toContain("the server's own certificate");
    expect(await ask(upstream, NAME, [old.pem], "kubeconfig")).toStartWith("HTTP/1.1 200 ");
  });

  test("a certificate that the TLS library itself refuses is not to be asked for again", async () => {
    nowMs = NOW_MS;
    // A key that may only encipher keys signs the handshake: some clients let it pass, iddio's library does not.
    const keys = makeOtherKeys({ rsaBits: 2048 });
    const api = makeServer(root, [NAME], { keys, extensions: [keyUsage(2)] });
    await using upstream = await startServer({ presented: [api.pem], key: api.keyPem });
    const refusal = await ask(upstream, NAME, [root.pem]);
    expect(refusal).toMatch(/^HTTP\/1\.1 502 [\s\S]*broke off the TLS handshake \(\w*KEY_USAGE/);
    expect(refusal).toContain("do not retry");
    expect(refusal).not.toContain("may be retried");
    expect(upstream.seen).toBe(0);
  });

  test("several certificates can be registered for one upstream", async () => {
    nowMs = NOW_MS;
    await using upstream = await startServer(whole);
    const roots = [makeRoot("stray").pem, "what stands between is passed over", root.pem];
    expect(await ask(upstream, NAME, roots)).toStartWith("HTTP/1.1 200 ");
  });
});
