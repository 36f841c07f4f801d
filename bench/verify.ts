// Measures the verification of an upstream's chain: fresh, by a verifier that has seen nothing, and
// again for a further connection. Medians of rounds in microseconds. Prints and judges nothing; run
// it with `bun bench/verify.ts`.

import * as tls from "node:tls";
import { parseCertificate } from "../src/ca/certificates/certificate.ts";
import { ChainVerifier } from "../src/ca/verify/chain-verifier.ts";
import { TrustAnchors } from "../src/ca/verify/trust-anchors.ts";
import { verifyChain } from "../src/ca/verify/verify-chain.ts";
import {
  type CertificateParts,
  makeAuthority,
  makeKeys,
  makeOtherKeys,
  makeRoot,
  makeServer,
} from "../test/support/certificates/certificate-maker.ts";
import { NULL, oid, sequence } from "../test/support/certificates/der-writer.ts";

const ROUNDS = 9;
const NOW_MS = Date.parse("2030-06-01");

/** Median of the rounds and their spread, in microseconds a call. */
function measure(call: () => unknown, calls: number): string {
  for (let i = 0; i < calls; i += 1) call();
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = Bun.nanoseconds();
    for (let i = 0; i < calls; i += 1) call();
    return (Bun.nanoseconds() - start) / calls / 1000;
  }).sort((a, b) => a - b);
  const shown = (index: number) => (rounds[index] ?? 0).toFixed(1);
  return `${shown(ROUNDS >> 1).padStart(8)} µs  (${shown(0)} to ${shown(ROUNDS - 1)})`;
}

function row(name: string, call: () => unknown, calls = 300): void {
  process.stdout.write(`${name.padEnd(52)}${measure(call, calls)}\n`);
}

const RSA_SHA256 = { id: sequence(oid("1.2.840.113549.1.1.11"), NULL), hash: "sha256" };

function chainOf(keys: () => ReturnType<typeof makeKeys>, parts: CertificateParts = {}) {
  const root = makeRoot("root", { keys: keys(), ...parts });
  const middle = makeAuthority(root, "authority", { keys: keys(), ...parts });
  return {
    root,
    presented: [makeServer(middle, ["example.com"], { keys: keys(), ...parts }).der, middle.der],
  };
}

const KINDS = [
  ["ECDSA P-256", chainOf(makeKeys)],
  ["RSA 2048", chainOf(() => makeOtherKeys({ rsaBits: 2048 }), { algorithm: RSA_SHA256 })],
] as const;

for (const [kind, { root, presented }] of KINDS) {
  const [server = new Uint8Array()] = presented;
  const anchors = new TrustAnchors([root.pem], "operator");
  const question = { name: "example.com", anchors, nowMs: NOW_MS };
  const verifier = new ChainVerifier(() => NOW_MS);
  row(`${kind}: read one certificate`, () => parseCertificate(server), 2_000);
  row(`${kind}: three certificates, root read and imported`, () => verifyChain(presented, question));
  row(`${kind}: three certificates, nothing read before`, () =>
    verifyChain(presented, { ...question, anchors: new TrustAnchors([root.pem], "operator") }),
  );
  row(
    `${kind}: again, for a further connection`,
    () => verifier.verify(presented, "example.com", anchors),
    5_000,
  );
}

const [, { presented: unknown }] = KINDS[0];
const [, { root: ownRoot }] = KINDS[0];
row(
  "index of the public roots, and one chain below them",
  () => {
    const anchors = new TrustAnchors([...tls.rootCertificates, ownRoot.pem], "system");
    return verifyChain(unknown, { name: "example.com", anchors, nowMs: NOW_MS });
  },
  20,
);
