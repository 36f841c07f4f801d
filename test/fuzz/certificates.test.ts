// Laws of the certificate parser and the chain verifier, on random bytes and on damaged
// certificates: nothing throws, nothing that was damaged is trusted, and what is trusted is what
// another reader sees too.

import { expect, setDefaultTimeout, test } from "bun:test";
import { sign, X509Certificate } from "node:crypto";
import fc from "fast-check";
import { parseCertificate } from "../../src/ca/certificates/certificate.ts";
import { DerCursor, enterOnly, TAG } from "../../src/ca/certificates/der.ts";
import { chainOfSession } from "../../src/gateway/upstream/presented-chain.ts";
import {
  ALGORITHM,
  alternativeNames,
  type MadeCertificate,
  makeAuthority,
  makeRoot,
  makeServer,
  nameConstraints,
  pemOf,
} from "../support/certificates/certificate-maker.ts";
import { bitString, context, sequence } from "../support/certificates/der-writer.ts";
import { fuzzRuns } from "../support/fuzz-runs.ts";
import { NOW_MS, verify } from "../support/policy/judge-chain.ts";

setDefaultTimeout(fuzzRuns(300_000));

const root = makeRoot("root", { extensions: [nameConstraints({ permitted: ["example.com"] })] });
const authority = makeAuthority(root, "authority");
const server = makeServer(authority, ["example.com", "*.example.com"], {
  extensions: [alternativeNames(["example.com", "*.example.com"])],
});

/** One to three changes of bytes: put over, put in, taken out. */
const damage = fc.array(
  fc.tuple(fc.nat({ max: 2_000 }), fc.constantFrom("put over", "put in", "take out"), fc.nat({ max: 255 })),
  { minLength: 1, maxLength: 3 },
);
type Damage = typeof damage extends fc.Arbitrary<infer Value> ? Value : never;

function damaged(bytes: Uint8Array, changes: Damage): Uint8Array {
  const result = [...bytes];
  for (const [at, how, byte] of changes)
    result.splice(at % result.length, how === "put in" ? 0 : 1, ...(how === "take out" ? [] : [byte]));
  return Uint8Array.from(result);
}

const withDer = (certificate: MadeCertificate, der: Uint8Array): MadeCertificate => ({
  ...certificate,
  der,
  pem: pemOf(der),
});
const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

test("random bytes are read or refused, never thrown over", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(parseCertificate(bytes)).toHaveProperty("problem");
      chainOfSession(bytes);
    }),
    { numRuns: fuzzRuns(2_000) },
  );
});

test("a certificate that was changed after it was signed is never trusted", () => {
  fc.assert(
    fc.property(damage, fc.boolean(), (changes, isServer) => {
      const original = isServer ? server : authority;
      const changed = withDer(original, damaged(original.der, changes));
      if (isSame(changed.der, original.der)) return;
      const presented = isServer ? [changed, authority] : [server, changed];
      expect(verify(presented, [root]).kind).toBe("refused");
    }),
    { numRuns: fuzzRuns(1_500) },
  );
});

test("what a hostile authority signs is trusted only as far as others read the same in it", () => {
  const body = enterOnly(server.der, TAG.sequence).take(TAG.sequence).whole;
  let accepted = 0;
  fc.assert(
    fc.property(damage, (changes) => {
      const signed = damaged(body, changes);
      const signature = sign("sha256", signed, authority.keys.privateKey);
      const issued = withDer(server, sequence(signed, ALGORITHM.ecdsaSha256.id, bitString(signature)));
      if (verify([issued, authority], [root], { source: "cluster" }).kind === "refused") return;
      accepted += 1;
      const other = new X509Certificate(issued.der);
      expect(other.checkHost("example.com", { subject: "never" })).toBeDefined();
      expect(Date.parse(other.validTo)).toBeGreaterThanOrEqual(NOW_MS);
      expect(Date.parse(other.validFrom)).toBeLessThanOrEqual(NOW_MS);
      expect(other.ca).toBe(false);
      expect(other.verify(new X509Certificate(authority.der).publicKey)).toBe(true);
    }),
    { numRuns: fuzzRuns(1_500) },
  );
  expect(accepted).toBeGreaterThan(0);
});

test("a TLS session gives back the chain in its order, whatever else is in it", () => {
  const others = fc.array(
    fc
      .tuple(fc.integer({ min: 4, max: 18 }), fc.uint8Array({ maxLength: 20 }))
      .map(([number, bytes]) => context(number, true, bytes)),
  );
  fc.assert(
    fc.property(others, others, (before, after) => {
      const chain = [server.der, authority.der, root.der];
      const [peer = new Uint8Array(), ...rest] = chain;
      const session = sequence(context(3, true, peer), ...before, context(19, true, ...rest), ...after);
      expect(chainOfSession(session)?.map((each) => Buffer.from(each))).toEqual(
        chain.map((each) => Buffer.from(each)),
      );
    }),
    { numRuns: fuzzRuns(200) },
  );
});

test("a cursor ends exactly where its bytes do", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (contents) => {
      const cursor = new DerCursor(Buffer.concat(contents.map((content) => context(1, false, content))));
      const read: Uint8Array[] = [];
      while (!cursor.isAtEnd) read.push(cursor.next().content);
      expect(read.map((each) => Buffer.from(each))).toEqual(contents.map((each) => Buffer.from(each)));
    }),
    { numRuns: fuzzRuns(200) },
  );
});
