// The authority on disk: what it makes, what it accepts back, and what it refuses to replace by
// itself.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { Authority, pemOf } from "../../src/ca/authority.ts";
import { isSameCertificate } from "../../src/gateway/control/ca-report.ts";
import { UserError } from "../../src/model/user-error.ts";
import { statePaths } from "../../src/state/paths.ts";

const root = mkdtempSync(join(tmpdir(), "iddio-ca-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function freshPaths() {
  return statePaths({ IDDIO_HOME: mkdtempSync(join(root, "home-")) });
}

async function refusal(paths: ReturnType<typeof freshPaths>): Promise<UserError> {
  const thrown = await Authority.open(paths).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(UserError);
  return thrown as UserError;
}

describe("the first start", () => {
  const paths = freshPaths();
  let authority: Authority;
  beforeAll(async () => {
    authority = await Authority.open(paths);
  });

  test("makes a world-readable certificate and a private key", () => {
    expect(statSync(paths.caCertificate).mode & 0o777).toBe(0o644);
    expect(statSync(paths.caKey).mode & 0o777).toBe(0o600);
  });

  test("prints the fingerprint that openssl prints", () => {
    expect(authority.fingerprint).toBe(new X509Certificate(readFileSync(paths.caCertificate)).fingerprint256);
  });

  test("is valid from before now and for years", () => {
    expect(authority.notBefore.getTime()).toBeLessThan(Date.now() - 3_600_000);
    expect(authority.notAfter.getTime()).toBeGreaterThan(Date.now() + 5 * 365 * 86_400_000);
  });

  test("is an authority for leaves only, and says so critically", () => {
    const text = Bun.spawnSync([
      "openssl",
      "x509",
      "-in",
      paths.caCertificate,
      "-noout",
      "-text",
    ]).stdout.toString();
    expect(text).toContain("X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0");
    expect(text).toContain("X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign");
    expect(text).toContain("X509v3 Subject Key Identifier");
    expect(text).toContain("ASN1 OID: prime256v1");
  });

  test("is loaded again unchanged at the next one", async () => {
    const again = await Authority.open(paths);
    expect(again.certificatePem).toBe(authority.certificatePem);
    expect(readFileSync(paths.caCertificate, "utf8")).toBe(authority.certificatePem);
  });
});

describe("a start with damaged files names them, says what to do and changes nothing", () => {
  const half = (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 100));
  const cases: [string, (paths: ReturnType<typeof freshPaths>) => void | Promise<void>, RegExp][] = [
    ["no certificate", (p) => rmSync(p.caCertificate), /ca\.crt' is missing, but '.*ca\.key' is there/],
    ["no key", (p) => rmSync(p.caKey), /ca\.key' is missing, but '.*ca\.crt' is there/],
    ["half a certificate", (p) => half(p.caCertificate), /ca\.crt' does not hold one whole certificate/],
    ["half a key", (p) => half(p.caKey), /ca\.key' does not hold a whole private key/],
    ["an empty certificate", (p) => writeFileSync(p.caCertificate, ""), /ca\.crt' does not hold/],
    ["an empty key", (p) => writeFileSync(p.caKey, ""), /ca\.key' does not hold/],
    [
      "the key of another authority",
      async (p) => {
        const other = freshPaths();
        await Authority.open(other);
        writeFileSync(p.caKey, readFileSync(other.caKey));
      },
      /ca\.key' is not the key of '.*ca\.crt'/,
    ],
    [
      "an RSA pair",
      (p) =>
        void openssl(
          "req",
          "-x509",
          "-newkey",
          "rsa:2048",
          "-nodes",
          "-subj",
          "/CN=x",
          "-keyout",
          p.caKey,
          "-out",
          p.caCertificate,
        ),
      /ca\.key' is not an ECDSA P-256 key/,
    ],
    [
      "a certificate that may not sign",
      (p) =>
        void openssl(
          "req",
          "-x509",
          "-newkey",
          "ec",
          "-pkeyopt",
          "ec_paramgen_curve:P-256",
          "-nodes",
          "-subj",
          "/CN=x",
          "-addext",
          "basicConstraints=critical,CA:FALSE",
          "-keyout",
          p.caKey,
          "-out",
          p.caCertificate,
        ),
      /ca\.crt' is not the certificate of an authority/,
    ],
    [
      "an expired authority",
      async (p) => {
        const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
          "sign",
          "verify",
        ]);
        const certificate = await x509.X509CertificateGenerator.createSelfSigned({
          name: "CN=x",
          keys,
          notBefore: new Date("2020-01-01"),
          notAfter: new Date("2021-01-01"),
          extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
        });
        writeFileSync(p.caCertificate, certificate.toString("pem"));
        writeFileSync(
          p.caKey,
          x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY"),
        );
      },
      /ca\.crt' expired on \d{4}-/,
    ],
  ];
  for (const [what, damage, wanted] of cases)
    test(what, async () => {
      const paths = freshPaths();
      await Authority.open(paths);
      await damage(paths);
      const before = [paths.caCertificate, paths.caKey].map(contentOf);
      const error = await refusal(paths);
      expect(error.message).toMatch(wanted);
      expect(error.hint).toMatch(/restore .* from a backup, or remove |^iddio repair makes a new one/);
      expect([paths.caCertificate, paths.caKey].map(contentOf)).toEqual(before);
    });
});

test("a key that others could read is made private again", async () => {
  const paths = freshPaths();
  await Authority.open(paths);
  chmodSync(paths.caKey, 0o644);
  await Authority.open(paths);
  expect(statSync(paths.caKey).mode & 0o777).toBe(0o600);
});

test("an authority that the operator made with openssl is used, whatever form its key has", async () => {
  const paths = freshPaths();
  openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", paths.caKey);
  openssl(
    "req",
    "-x509",
    "-key",
    paths.caKey,
    "-days",
    "100",
    "-subj",
    "/CN=corp",
    "-out",
    paths.caCertificate,
  );
  expect((await Authority.open(paths)).certificate.subject).toBe("CN=corp");
});

test("a root is the authority however its block is written, and no other one is", async () => {
  const [own, other] = [await Authority.open(freshPaths()), await Authority.open(freshPaths())];
  const block = (octets: Uint8Array) => pemOf(octets, "CERTIFICATE");
  const raw = new Uint8Array(own.certificate.raw);
  const inOneLine = `-----BEGIN CERTIFICATE-----\n${own.certificate.raw.toString("base64")}\n-----END CERTIFICATE-----`;
  for (const pem of [own.certificatePem, inOneLine, block(Uint8Array.of(...raw, 0, 1))])
    expect(isSameCertificate(pem, own)).toBe(true);
  for (const pem of [other.certificatePem, block(raw.subarray(0, 200)), "", "no certificate"])
    expect(isSameCertificate(pem, own)).toBe(false);
});

function openssl(...argv: string[]): void {
  const run = Bun.spawnSync(["openssl", ...argv], { stderr: "pipe" });
  if (run.exitCode !== 0) throw new Error(run.stderr.toString());
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
