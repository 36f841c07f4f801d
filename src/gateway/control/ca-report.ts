// The authority as `ca info` shows it, and whether this system's own store trusts it.

import { X509Certificate } from "node:crypto";
import type { CaReport } from "../../api/reports.ts";
import type { Authority } from "../../ca/authority.ts";
import { systemRoots } from "../../ca/bundle.ts";
import type { StatePaths } from "../../state/paths.ts";

/** Reads the system's roots anew each time: trust changes outside iddio. */
export async function caReport(authority: Authority, paths: StatePaths): Promise<CaReport> {
  const roots = await systemRoots();
  const isTrusted = roots.some((pem) => fingerprintOfPem(pem) === authority.fingerprint);
  return {
    path: paths.caCertificate,
    bundle: paths.bundle,
    fingerprint: authority.fingerprint,
    not_before: authority.notBefore.toISOString(),
    not_after: authority.notAfter.toISOString(),
    trust: isTrusted ? "trusted" : "untrusted",
  };
}

/** SHA-256 fingerprint of the first certificate in a PEM text, colon-separated hex; "" when there is none. */
export function fingerprintOfPem(pem: string): string {
  try {
    return new X509Certificate(pem).fingerprint256;
  } catch {
    return "";
  }
}
