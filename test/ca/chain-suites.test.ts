// Published certificate chains through the verifier alone; test/gateway/upstream/verification.test.ts sends
// them through a real gateway, as far as a TLS server can present them.

import { describe, expect, test } from "bun:test";
import { derCertificates, TrustAnchors } from "../../src/ca/verify/trust-anchors.ts";
import { verifyChain } from "../../src/ca/verify/verify-chain.ts";
import { type ChainRow, chainRows, KNOWN_ACCEPTED } from "../support/certificates/chain-suite.ts";

function verify({ presented, roots, name, nowMs }: ChainRow) {
  const anchors = new TrustAnchors(roots, "operator");
  return verifyChain(presented.flatMap(derCertificates), { name, anchors, nowMs });
}

for (const suite of ["x509-limbo", "badssl"] as const)
  describe(`of ${suite}`, () => {
    const rows = chainRows(suite).filter(({ isOpen }) => !isOpen);
    test("no invalid core chain is among those known to pass, but the revoked one", () => {
      const core = rows.filter(({ id, isCore, isValid }) => isCore && !isValid && KNOWN_ACCEPTED.has(id));
      expect(core.map(({ id }) => id)).toEqual(
        suite === "badssl" && rows.length > 0 ? ["badssl::revoked"] : [],
      );
    });
    for (const row of rows) {
      const isAccepted = row.isValid || KNOWN_ACCEPTED.has(row.id);
      test(`${row.id} is ${isAccepted ? "accepted" : "refused"}`, () => {
        expect(verify(row)).toMatchObject(isAccepted ? { kind: "verified" } : { kind: "refused" });
      });
    }
  });
