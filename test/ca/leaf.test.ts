// Leaves in front of the strictest verifiers that are installed, in real handshakes, for names and
// addresses.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tls from "node:tls";
import { Authority } from "../../src/ca/authority.ts";
import { parseCertificate } from "../../src/ca/certificates/certificate.ts";
import { LeafStore } from "../../src/ca/leaf.ts";
import { statePaths } from "../../src/state/paths.ts";
import { type CertificateParts, extension, ID, makeRoot } from "../support/certificates/certificate-maker.ts";
import { octetString, TRUE } from "../support/certificates/der-writer.ts";

const root = mkdtempSync(join(tmpdir(), "iddio-leaf-"));
const paths = statePaths({ IDDIO_HOME: root });
let authority: Authority;
let leaves: LeafStore;

beforeAll(async () => {
  authority = await Authority.open(paths);
  leaves = new LeafStore(authority);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const LONG_NAME = `${"a".repeat(40)}.${"b".repeat(40)}.gr7.eu-west-1.eks.amazonaws.com`;
const SUBJECTS: [subject: string, alternative: string][] = [
  ["example.com", "DNS:example.com"],
  ["Example.COM.", "DNS:example.com"],
  ["my_bucket.s3.amazonaws.com", "DNS:my_bucket.s3.amazonaws.com"],
  ["xn--bcher-kva.example", "DNS:xn--bcher-kva.example"],
  [LONG_NAME, `DNS:${LONG_NAME}`],
  ["localhost", "DNS:localhost"],
  ["127.0.0.1", "IP Address:127.0.0.1"],
  ["::1", "IP Address:0:0:0:0:0:0:0:1"],
  ["[2001:db8::7]", "IP Address:2001:DB8:0:0:0:0:0:7"],
  ["::ffff:10.1.2.3", "IP Address:10.1.2.3"],
];

describe("a leaf for", () => {
  for (const [subject, alternative] of SUBJECTS)
    test(`${subject} has the fields that RFC 5280 and clients ask for`, async () => {
      const { certPem } = await leaves.leafFor(subject);
      const leaf = new X509Certificate(certPem);
      const text = await run(["openssl", "x509", "-noout", "-text"], certPem);
      expect(text.out).toContain(`X509v3 Subject Alternative Name: \n                ${alternative}\n`);
      expect(text.out).toContain("X509v3 Key Usage: critical\n                Digital Signature\n");
      expect(text.out).toContain(
        "X509v3 Extended Key Usage: \n                TLS Web Server Authentication\n",
      );
      expect(text.out).toContain("X509v3 Basic Constraints: critical\n                CA:FALSE\n");
      expect(text.out).toContain("X509v3 Subject Key Identifier");
      expect(text.out).toContain("X509v3 Authority Key Identifier");
      expect(text.out).toContain("ecdsa-with-SHA256");
      const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
      expect(to - from).toBeLessThan(398 * 86_400_000);
      expect(from).toBeLessThan(Date.now() - 3_600_000);
      expect(from).toBeGreaterThanOrEqual(authority.notBefore.getTime());
    });

  for (const [subject] of SUBJECTS)
    test(`${subject} passes openssl verify -x509_strict`, async () => {
      const leafFile = join(root, "leaf.pem");
      writeFileSync(leafFile, (await leaves.leafFor(subject)).certPem);
      const verify = [
        "openssl",
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-CAfile",
        paths.caCertificate,
      ];
      expect((await run([...verify, leafFile])).out).toBe(`${leafFile}: OK\n`);
    });

  for (const subject of [
    "",
    ".",
    "a b",
    "exa mple.com",
    "*.example.com",
    "bücher.example",
    "a..b",
    `${"a".repeat(64)}.x`,
    "a/b",
  ])
    test(`${JSON.stringify(subject)} is refused, and not remembered as anything`, async () => {
      await expect(leaves.leafFor(subject)).rejects.toThrow("no certificate can be made for");
      await expect(leaves.leafFor(subject)).rejects.toThrow("no certificate can be made for");
    });
});

type Client = (at: { address: string; port: number; name: string }) => string[];

const PYTHON = `
import socket, ssl, sys
ca, address, port, name = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.verify_flags |= ssl.VERIFY_X509_STRICT
with socket.create_connection((address, int(port))) as raw, context.wrap_socket(raw, server_hostname=name) as s:
    s.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
    while data := s.recv(100): last = data
    print(last.decode()[-2:], end="")
`;

const CLIENTS: [program: string, what: string, client: Client][] = [
  [
    "curl",
    "curl",
    ({ address, port, name }) => {
      const target = `${bracketed(name)}:${port}`;
      const to = `::${bracketed(address)}:${port}`;
      return ["curl", "-sS", "--cacert", paths.caCertificate, "--connect-to", to, `https://${target}/`];
    },
  ],
  [
    "python3",
    "Python with VERIFY_X509_STRICT",
    ({ address, port, name }) => ["python3", "-c", PYTHON, paths.caCertificate, address, String(port), name],
  ],
  [
    "kubectl",
    "Go, as kubectl,",
    ({ address, port, name }) => [
      "kubectl",
      "--kubeconfig=/dev/null",
      `--server=https://${bracketed(address)}:${port}`,
      `--tls-server-name=${name}`,
      `--certificate-authority=${paths.caCertificate}`,
      "--token=none",
      "get",
      "--raw=/",
    ],
  ],
];

describe("in a handshake", () => {
  const server = tls.createServer({
    SNICallback: (name, done) => {
      leaves.leafFor(name).then(
        ({ certPem, keyPem }) => done(null, tls.createSecureContext({ cert: certPem, key: keyPem })),
        (error: Error) => done(error),
      );
    },
  });
  const servers: tls.Server[] = [server];
  server.on("secureConnection", answer);
  afterAll(() => {
    for (const each of servers) each.close();
  });

  async function serverFor(address: string): Promise<number> {
    const { certPem, keyPem } = await leaves.leafFor(address);
    const own = tls.createServer({ cert: certPem, key: keyPem }, answer);
    servers.push(own);
    return listen(own, address);
  }

  for (const address of ["127.0.0.1", "::1"])
    test(`node:tls accepts ${address}`, async () => {
      const port = await serverFor(address);
      const socket = tls.connect({ host: address, port, ca: authority.certificatePem, servername: "" });
      await once(socket, "secureConnect");
      expect(socket.authorized).toBe(true);
      socket.destroy();
    });

  for (const [program, what, client] of CLIENTS) {
    for (const address of ["127.0.0.1", "::1"])
      test(`${what} accepts ${address}`, async () => {
        if (!isInstalled(program)) return;
        const port = await serverFor(address);
        expect(await run(client({ address, port, name: address }))).toEqual({ out: "ok", err: "", code: 0 });
      });

    test(`${what} accepts names by SNI`, async () => {
      if (!isInstalled(program)) return;
      const port = server.listening ? portOf(server) : await listen(server, "127.0.0.1");
      for (const name of ["api.example.com", LONG_NAME]) {
        const done = await run(client({ address: "127.0.0.1", port, name }));
        expect(done).toEqual({ out: "ok", err: "", code: 0 });
      }
    });

    test(`${what} refuses the leaf of another name`, async () => {
      if (!isInstalled(program)) return;
      const port = await serverFor("127.0.0.1");
      expect(await run(client({ address: "127.0.0.1", port, name: "other.example.com" }))).not.toMatchObject({
        code: 0,
      });
    });
  }
});

describe("below an authority that another tool made", () => {
  const sha1 = (bytes: Uint8Array) => new Uint8Array(createHash("sha1").update(bytes).digest());
  const ownId = Uint8Array.from({ length: 32 }, (_, at) => 200 - at);
  const cases: [what: string, parts: CertificateParts, keyId: (spki: Uint8Array) => Uint8Array][] = [
    [
      "with a key identifier of its own",
      { extensions: [extension(ID.ski, octetString(ownId))] },
      () => ownId,
    ],
    ["without a key identifier", { withoutExtensions: [ID.ski] }, (spki) => sha1(spki.subarray(-65))],
    ["with extensions that mean nothing here", { extensions: [extension("1.2.3.4", TRUE)] }, sha1],
  ];
  for (const [what, parts, keyId] of cases)
    test(`${what} the leaf repeats its name and key identifier`, async () => {
      const root = makeRoot("Ümlaut & Söhne", parts);
      const home = statePaths({ IDDIO_HOME: mkdtempSync(join(tmpdir(), "iddio-leaf-")) });
      writeFileSync(home.caCertificate, root.pem);
      writeFileSync(home.caKey, root.keyPem);
      const { certPem } = await new LeafStore(await Authority.open(home)).leafFor("example.com");
      rmSync(home.root, { recursive: true });
      const leaf = parseCertificate(new Uint8Array(new X509Certificate(certPem).raw));
      if ("problem" in leaf) throw new Error(leaf.problem);
      expect(leaf.issuer).toEqual(root.subject);
      expect(leaf.extensions.authorityKeyId?.keyId).toEqual(keyId(root.keys.spki));
      expect(new X509Certificate(certPem).verify(new X509Certificate(root.pem).publicKey)).toBe(true);
    });
});

describe("the store", () => {
  test("mints once for calls at the same time and for later ones", async () => {
    const store = new LeafStore(authority);
    const both = await Promise.all([store.leafFor("once.example"), store.leafFor("ONCE.example.")]);
    expect(both[0]).toBe(both[1] as (typeof both)[0]);
    expect(await store.leafFor("once.example")).toBe(both[0] as (typeof both)[0]);
  });

  test("uses one key for all leaves of the process, and another than the authority's", async () => {
    const [a, b] = await Promise.all([leaves.leafFor("a.example"), leaves.leafFor("b.example")]);
    expect(a.keyPem).toBe(b.keyPem);
    expect(
      new X509Certificate(a.certPem).publicKey.equals(
        new X509Certificate(authority.certificatePem).publicKey,
      ),
    ).toBe(false);
  });

  test("gives each certificate its own positive serial number", async () => {
    const serials = new Set<string>();
    for (let number = 0; number < 20; number++) {
      const { serialNumber } = new X509Certificate((await leaves.leafFor(`n${number}.example`)).certPem);
      expect(serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
      serials.add(serialNumber);
    }
    expect(serials.size).toBe(20);
  });

  test("forgets the least recently used beyond its capacity", async () => {
    const store = new LeafStore(authority, { capacity: 2 });
    const first = await store.leafFor("1.example");
    const second = await store.leafFor("2.example");
    expect(await store.leafFor("1.example")).toBe(first);
    await store.leafFor("3.example");
    expect(await store.leafFor("1.example")).toBe(first);
    expect(await store.leafFor("2.example")).not.toBe(second);
  });

  test("mints again long before a leaf expires", async () => {
    let now = Date.now();
    const store = new LeafStore(authority, { now: () => now });
    const old = await store.leafFor("renewed.example");
    now += 50 * 86_400_000;
    expect(await store.leafFor("renewed.example")).toBe(old);
    now += 11 * 86_400_000;
    const renewed = await store.leafFor("renewed.example");
    expect(renewed).not.toBe(old);
    expect(Date.parse(new X509Certificate(renewed.certPem).validTo)).toBeGreaterThan(now + 80 * 86_400_000);
  });

  test("never makes a leaf that outlives the authority", async () => {
    const now = authority.notAfter.getTime() - 5 * 86_400_000;
    const { certPem } = await new LeafStore(authority, { now: () => now }).leafFor("late.example");
    expect(Date.parse(new X509Certificate(certPem).validTo)).toBe(authority.notAfter.getTime());
  });
});

function isInstalled(program: string): boolean {
  if (Bun.which(program) !== null) return true;
  process.stderr.write(`${program} is not installed: its handshakes are not tried\n`);
  return false;
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function answer(socket: tls.TLSSocket): void {
  socket.on("error", () => {});
  socket.once("data", () =>
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"),
  );
}

function portOf(server: tls.Server): number {
  return (server.address() as { port: number }).port;
}

function listen(server: tls.Server, address: string): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, address, () => resolve(portOf(server)));
  });
}

function once(socket: tls.TLSSocket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once("error", reject);
  });
}

async function run(argv: string[], input = ""): Promise<{ out: string; err: string; code: number }> {
  const env = { PATH: process.env.PATH, HOME: root, NO_PROXY: "*" };
  const child = Bun.spawn(argv, { stdin: Buffer.from(input), stdout: "pipe", stderr: "pipe", env });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { out, err, code };
}
