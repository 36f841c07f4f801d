// The roots that one upstream's chain may end in, found by name. A root is read when a chain first
// names it: the system has a hundred and forty, and few are ever needed.

import { decodeLatin1 } from "../../wire/latin1.ts";
import { areEqualBytes, type Certificate, parseCertificate } from "../certificates/certificate.ts";
import { DerError, enterOnly, TAG } from "../certificates/der.ts";

/**
 * Where roots come from. `system`: the system's makers vetted them, and some are old; only certificates below
 * them must meet every rule. `operator`: registered by hand, asked for everything too. `cluster`: from the
 * kubeconfig that kubectl would read; authorities of older clusters lack key identifiers, and nobody can
 * issue them again.
 */
export type AnchorSource = "system" | "operator" | "cluster";

/** Whether the rules for tidy issuing (issuance-rules.ts) apply to the root, and to the certificates below it. */
export interface IssuanceDemand {
  readonly ofRoot: boolean;
  readonly ofChain: boolean;
}

/** Trusted certificates. Those that cannot be read are left out: nothing chains to them. */
export class TrustAnchors {
  readonly demand: IssuanceDemand;
  readonly #pems: readonly string[];
  #unread: Map<string, Uint8Array[]> | undefined;
  readonly #bySubject = new Map<string, Named>();

  /** Each text may hold several certificates. */
  constructor(pems: readonly string[], source: AnchorSource) {
    this.#pems = pems;
    this.demand = { ofRoot: source === "operator", ofChain: source !== "cluster" };
  }

  /** Roots with this name, in the order given. */
  named(subject: Uint8Array): readonly Certificate[] {
    return this.#read(subject).certificates;
  }

  /** Why a root with this name cannot be read, when one cannot. */
  problemOf(subject: Uint8Array): string | undefined {
    return this.#read(subject).problem;
  }

  #read(subject: Uint8Array): Named {
    const key = decodeLatin1(subject, true);
    const known = this.#bySubject.get(key);
    if (known) return known;
    this.#unread ??= indexBySubject(this.#pems);
    const found = this.#unread.get(key);
    // Names that others present are not remembered.
    if (!found) return NONE;
    const read = found.map(parseCertificate);
    const named = {
      certificates: read.filter((each): each is Certificate => !("problem" in each)),
      problem: read.find((each) => "problem" in each)?.problem,
    };
    this.#bySubject.set(key, named);
    return named;
  }

  /** Whether exactly this certificate is trusted. */
  includes(certificate: Certificate): boolean {
    return this.named(certificate.subject).some((anchor) => areEqualBytes(anchor.der, certificate.der));
  }
}

interface Named {
  readonly certificates: readonly Certificate[];
  readonly problem: string | undefined;
}

const NONE: Named = { certificates: [], problem: undefined };

function indexBySubject(pems: readonly string[]): Map<string, Uint8Array[]> {
  const index = new Map<string, Uint8Array[]>();
  for (const der of pems.flatMap(derCertificates)) {
    const subject = subjectOf(der);
    if (subject === undefined) continue;
    const same = index.get(subject);
    if (same) same.push(der);
    else index.set(subject, [der]);
  }
  return index;
}

function subjectOf(der: Uint8Array): string | undefined {
  try {
    const body = enterOnly(der, TAG.sequence).enter(TAG.sequence);
    body.takeIf(TAG.context + TAG.constructed);
    body.take(TAG.integer);
    for (let field = 0; field < 3; field += 1) body.take(TAG.sequence);
    return decodeLatin1(body.take(TAG.sequence).whole, true);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** The certificates of a PEM text in DER; text between the blocks is passed over. */
export function derCertificates(text: string): readonly Uint8Array[] {
  const blocks = text.matchAll(/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END/g);
  return [...blocks].map(([, body = ""]) => new Uint8Array(Buffer.from(body, "base64")));
}
