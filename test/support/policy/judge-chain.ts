// Asks the verifier about made chains: root, authority and server, right but for what a test
// changes.

import { type AnchorSource, TrustAnchors } from "../../../src/ca/verify/trust-anchors.ts";
import { type ChainVerdict, verifyChain } from "../../../src/ca/verify/verify-chain.ts";
import {
  type CertificateParts,
  type MadeCertificate,
  makeAuthority,
  makeRoot,
  makeServer,
  type Name,
} from "../certificates/certificate-maker.ts";

/** When made chains are judged. */
export const NOW_MS = Date.parse("2030-06-01T12:00:00Z");

/** The parts of a question that are not the usual ones. */
export interface Asked {
  readonly name?: string;
  readonly source?: AnchorSource;
  readonly nowMs?: number;
}

/** The verdict on what was presented, with these roots trusted. */
export function verify(
  presented: readonly MadeCertificate[],
  roots: readonly MadeCertificate[],
  { name = "example.com", source = "operator", nowMs = NOW_MS }: Asked = {},
): ChainVerdict {
  const anchors = new TrustAnchors(
    roots.map(({ pem }) => pem),
    source,
  );
  return verifyChain(
    presented.map((each) => each.der),
    { name, anchors, nowMs },
  );
}

/** Changes to the three certificates of a chain, and the names that its server has. */
export interface ChainParts {
  readonly root?: CertificateParts;
  readonly authority?: CertificateParts;
  readonly server?: CertificateParts;
  readonly names?: readonly Name[];
}

/** The verdict on a chain of three with these changes. */
export function judge(
  { root, authority, server, names = ["example.com"] }: ChainParts,
  asked: Asked = {},
): ChainVerdict {
  const top = makeRoot("root", root);
  const middle = makeAuthority(top, "authority", authority);
  return verify([makeServer(middle, names, server), middle], [top], asked);
}

/** Why a chain was refused, or "verified". */
export function reasonOf(verdict: ChainVerdict): string {
  return verdict.kind === "refused" ? verdict.reason : "verified";
}
