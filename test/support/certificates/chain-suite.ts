// Rows of published suites of certificate chains, as far as tests use them.

import { sharedRows } from "../shared/data.ts";

/** One chain with what a correct verifier answers. */
export interface ChainRow {
  readonly id: string;
  readonly name: string;
  /** PEM texts. */
  readonly roots: readonly string[];
  readonly presented: readonly string[];
  readonly key: string;
  readonly nowMs: number;
  readonly isValid: boolean;
  /** Nothing but RFC 5280 and the Baseline Requirements is needed to tell. */
  readonly isCore: boolean;
  /** The suite leaves it to the verifier. */
  readonly isOpen: boolean;
}

interface SuiteRow {
  readonly id: string;
  readonly features: readonly string[];
  readonly trusted_certs: string | readonly string[];
  readonly untrusted_intermediates: string | readonly string[];
  readonly peer_certificate: string;
  readonly peer_certificate_key: string;
  readonly expected_peer_name: { readonly value: string };
  readonly expected_result: "SUCCESS" | "FAILURE";
  readonly validation_time?: string | null;
}

/** False accepts that the rules here cannot avoid: revocation is not asked for, and what is doubtful or harmless passes. */
export const KNOWN_ACCEPTED: ReadonlySet<string> = new Set([
  "crl::revoked-certificate-with-crl",
  "crl::crlnumber-missing",
  "crl::crlnumber-critical",
  "badssl::revoked",
  "rfc5280::aki::cross-signed-root-missing-aki",
  "webpki::eku::root-has-eku",
]);

/** The chains of a suite; empty when it is not there. */
export function chainRows(suite: "x509-limbo" | "badssl"): readonly ChainRow[] {
  return (
    sharedRows<SuiteRow>(`suites/${suite}.jsonl.gz`)
      // It was only made to expire two days later.
      .filter(({ id }) => id !== "badssl::expired")
      .map((row) => ({
        id: row.id,
        name: row.expected_peer_name.value,
        roots: [row.trusted_certs].flat(),
        presented: [row.peer_certificate, row.untrusted_intermediates].flat(),
        key: row.peer_certificate_key,
        nowMs: row.validation_time ? Date.parse(row.validation_time) : Date.now(),
        isValid: row.expected_result === "SUCCESS",
        isCore: row.features.length === 0,
        isOpen: row.features.includes("either"),
      }))
  );
}
