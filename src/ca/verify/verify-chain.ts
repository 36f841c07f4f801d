// Finds a path from a server's certificate to a trusted root among the certificates that it
// presented, and judges it (RFC 5280 section 6). Tries every candidate, because authorities are
// cross-signed and servers present too much; bounded in work, because the other side chooses the
// presented certificates. Without a path it refuses.

import {
  areEqualBytes,
  type Certificate,
  isSelfIssued,
  parseCertificate,
} from "../certificates/certificate.ts";
import { describeName } from "../certificates/distinguished-name.ts";
import { nameConstraintCost, nameConstraintProblem } from "../certificates/name-constraints.ts";
import { policyProblem } from "../certificates/policies.ts";
import { isSignedBy } from "../certificates/signature.ts";
import { authorityProblem, serverProblem, timeProblem } from "./certificate-rules.ts";
import {
  intermediateIssuanceProblem,
  issuerIssuanceProblem,
  rootIssuanceProblem,
  serverIssuanceProblem,
} from "./issuance-rules.ts";
import { isNamed } from "./server-identity.ts";
import type { IssuanceDemand, TrustAnchors } from "./trust-anchors.ts";

/** The facts that a chain is judged by. */
export interface ChainQuestion {
  /** The host name or address that the certificate must carry. */
  readonly name: string;
  readonly anchors: TrustAnchors;
  readonly nowMs: number;
}

/**
 * `reason` is a clause whose "it" is the certificate. `remedy` names the registration that would make the
 * chain acceptable, when nothing but that is wrong: the authority's certificate or the server's own.
 */
export type ChainVerdict =
  | { readonly kind: "verified"; readonly validUntilMs: number }
  | { readonly kind: "refused"; readonly reason: string; readonly remedy: Remedy | undefined };

/** The registrations by an operator that would make a chain acceptable. */
export type Remedy = "authority" | "server";

/** Work that one chain may cost; a real one needs a tenth. */
const MOST_SIGNATURES = 100;
const MOST_STEPS = 2_000;
const MOST_COMPARISONS = 250_000;
const MOST_PRESENTED = 64;
/** Authorities between server and root; the longest in use has four. */
const MOST_AUTHORITIES = 10;

/** Judges the chain that a server presented, its own certificate first. */
export function verifyChain(presented: readonly Uint8Array[], question: ChainQuestion): ChainVerdict {
  const [first, ...rest] = presented;
  if (!first) return refuse("there is none");
  const server = parseCertificate(first);
  if ("problem" in server) return refuse(`it cannot be read: ${server.problem}`);
  const { name, anchors, nowMs } = question;
  // A server's own certificate that the operator registered is trusted as it is (as Go does); it may be the
  // self-signed certificate of an authority, and who issued it does not matter.
  const isPinned = anchors.includes(server);
  const nowSeconds = Math.floor(nowMs / 1000);
  const problem = timeProblem(server, nowSeconds) ?? serverProblem(server);
  if (problem !== undefined) return refuse(`it ${problem}`);
  if (!isNamed(name, server.extensions.alternativeNames ?? [])) return refuse(`it is not for '${name}'`);
  if (isPinned) return { kind: "verified", validUntilMs: server.notAfter * 1000 };
  const authorities = rest.slice(0, MOST_PRESENTED).map(parseCertificate);
  const verdict = judge(server, authorities, anchors, nowSeconds, anchors.demand);
  if (verdict.kind === "verified" || verdict.remedy !== undefined) return verdict;
  const lenient = judge(server, authorities, anchors, nowSeconds, NO_DEMAND);
  if (lenient.kind === "verified") return refuse(verdict.reason, "server");
  return lenient.remedy === undefined ? verdict : lenient;
}

/** The presented certificates, each parsed or with the reason why it could not be. */
type Presented = readonly ReturnType<typeof parseCertificate>[];

const NO_DEMAND: IssuanceDemand = { ofRoot: false, ofChain: false };

function judge(
  server: Certificate,
  presented: Presented,
  anchors: TrustAnchors,
  nowSeconds: number,
  demand: IssuanceDemand,
): ChainVerdict {
  const verdict = new PathSearch(presented, anchors, nowSeconds, demand).run(server);
  const problem = verdict.kind === "verified" && demand.ofChain ? serverIssuanceProblem(server) : undefined;
  return problem === undefined ? verdict : refuse(`it ${problem}`);
}

function refuse(reason: string, remedy?: Remedy): ChainVerdict {
  return { kind: "refused", reason, remedy };
}

/** How telling a failure is: one of a complete path says more than one of a path that leads nowhere. */
type Weight = 0 | 1 | 2 | 3;

class PathSearch {
  readonly #presented: readonly Certificate[];
  readonly #anchors: TrustAnchors;
  readonly #nowSeconds: number;
  readonly #demand: IssuanceDemand;
  readonly #unreadable: string | undefined;
  readonly #signatures = new Map<Certificate, Map<Certificate, boolean>>();
  #signaturesLeft = MOST_SIGNATURES;
  #stepsLeft = MOST_STEPS;
  #comparisonsLeft = MOST_COMPARISONS;
  #weight: Weight | undefined;
  #verdict: ChainVerdict = refuse("the chain could not be followed");

  constructor(presented: Presented, anchors: TrustAnchors, nowSeconds: number, demand: IssuanceDemand) {
    this.#presented = presented.filter((each): each is Certificate => !("problem" in each));
    this.#unreadable = presented.find((each) => "problem" in each)?.problem;
    this.#anchors = anchors;
    this.#nowSeconds = nowSeconds;
    this.#demand = demand;
  }

  run(server: Certificate): ChainVerdict {
    const path = this.#extend([server]);
    if (!path) return this.#verdict;
    return { kind: "verified", validUntilMs: Math.min(...path.map(({ notAfter }) => notAfter)) * 1000 };
  }

  /** A complete path that begins with `path`, from the server up; undefined when there is none. */
  #extend(path: readonly Certificate[]): readonly Certificate[] | undefined {
    const top = path.at(-1);
    if (!top || this.#stepsLeft <= 0) return undefined;
    this.#stepsLeft -= 1;
    if ("refused" in top.scheme) {
      this.#note(2, `${label(top, path)} ${top.scheme.refused}`);
      return undefined;
    }
    let hasIssuer = false;
    for (const root of this.#anchors.named(top.issuer)) {
      if (!this.#isIssuer(root, top)) continue;
      hasIssuer = true;
      const problem =
        this.#issuerProblem(root, path) ??
        (this.#demand.ofRoot ? (issuerIssuanceProblem(root, top) ?? rootIssuanceProblem(root)) : undefined) ??
        policyProblem([...path, root].toReversed());
      if (problem === undefined) return [...path, root];
      this.#note(3, `the trusted root ${describeName(root.subject)} ${problem}`);
    }
    if (path.length > MOST_AUTHORITIES) return undefined;
    for (const issuer of this.#presented) {
      if (!areEqualBytes(issuer.subject, top.issuer) || isIn(path, issuer)) continue;
      if (!this.#isIssuer(issuer, top)) continue;
      hasIssuer = true;
      const problem =
        this.#issuerProblem(issuer, path) ??
        (this.#demand.ofChain
          ? (issuerIssuanceProblem(issuer, top) ?? intermediateIssuanceProblem(issuer))
          : undefined);
      if (problem !== undefined) {
        this.#note(2, `the certificate of its authority ${describeName(issuer.subject)} ${problem}`);
        continue;
      }
      const found = this.#extend([...path, issuer]);
      if (found) return found;
    }
    if (!hasIssuer) this.#noteUntrusted(top, path);
    return undefined;
  }

  /** Whether `issuer` issued `certificate`: the key identifiers agree, where both are there, and the key fits the signature. */
  #isIssuer(issuer: Certificate, certificate: Certificate): boolean {
    const keyId = certificate.extensions.authorityKeyId?.keyId;
    const issuerKeyId = issuer.extensions.subjectKeyId;
    if (keyId && issuerKeyId && !areEqualBytes(keyId, issuerKeyId)) return false;
    const known = this.#signatures.get(certificate)?.get(issuer);
    if (known !== undefined) return known;
    if (this.#signaturesLeft <= 0) return false;
    this.#signaturesLeft -= 1;
    const isSigned = isSignedBy(certificate, issuer);
    const ofCertificate = this.#signatures.get(certificate) ?? new Map<Certificate, boolean>();
    this.#signatures.set(certificate, ofCertificate.set(issuer, isSigned));
    return isSigned;
  }

  /** Judges `issuer` as the next authority above `path`. */
  #issuerProblem(issuer: Certificate, path: readonly Certificate[]): string | undefined {
    const problem = timeProblem(issuer, this.#nowSeconds) ?? authorityProblem(issuer);
    if (problem !== undefined) return problem;
    const { basicConstraints, nameConstraints } = issuer.extensions;
    // Neither the server nor an authority's certificate for itself counts (RFC 5280 4.2.1.9).
    const below = path.slice(1).filter((each) => !isSelfIssued(each)).length;
    if (below > (basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY))
      return "does not allow so many authorities below it (path length)";
    if (!nameConstraints) return undefined;
    for (const [index, certificate] of path.entries()) {
      if (index > 0 && isSelfIssued(certificate)) continue;
      this.#comparisonsLeft -= nameConstraintCost(nameConstraints, certificate);
      if (this.#comparisonsLeft < 0) return "has name constraints that are too many to check";
      const names = nameConstraintProblem(nameConstraints, certificate);
      if (names !== undefined) return names;
    }
    return undefined;
  }

  #note(weight: Weight, reason: string, remedy?: Remedy): void {
    if (this.#weight !== undefined && this.#weight >= weight) return;
    this.#weight = weight;
    this.#verdict = refuse(reason, remedy);
  }

  #noteUntrusted(top: Certificate, path: readonly Certificate[]): void {
    const issuer = describeName(top.issuer);
    const isServer = path.length === 1;
    const unreadable = this.#anchors.problemOf(top.issuer);
    if (unreadable !== undefined) this.#note(3, `the trusted root ${issuer} cannot be read: ${unreadable}`);
    if (isServer && isSelfIssued(top)) this.#note(1, "it is self-signed and not trusted here", "server");
    const what = isSelfIssued(top)
      ? `its chain ends in ${issuer}, which is not trusted here`
      : `its issuer ${issuer} is not trusted here`;
    const more =
      this.#unreadable && `, and a certificate that came with it cannot be read: ${this.#unreadable}`;
    this.#note(isServer ? 0 : 1, what + (more ?? ""), "authority");
  }
}

function label(certificate: Certificate, path: readonly Certificate[]): string {
  return path.length === 1
    ? "it is"
    : `the certificate of its authority ${describeName(certificate.subject)} is`;
}

/** The same authority with the same key: going through it again leads nowhere new. */
function isIn(path: readonly Certificate[], issuer: Certificate): boolean {
  return path.some(
    (each) => areEqualBytes(each.subject, issuer.subject) && areEqualBytes(each.spki, issuer.spki),
  );
}
