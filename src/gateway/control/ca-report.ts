// The authority as `ca info` shows it, and whether this system's own store trusts it. macOS is
// asked by its own program: that a certificate is in a keychain says nothing.

import { X509Certificate } from "node:crypto";
import type { CaReport } from "../../api/reports.ts";
import type { Authority } from "../../ca/authority.ts";
import { derCertificates } from "../../ca/verify/trust-anchors.ts";
import type { Environment } from "../../host/process/environment.ts";
import { toolPlatform } from "../../host/process/system-tool.ts";
import { KeychainTrust } from "../../host/trust/darwin.ts";
import { systemRoots } from "../../host/trust/system-roots.ts";
import { readCertificate } from "../../host/trust/trust.ts";
import type { StatePaths } from "../../state/paths.ts";

/** Reads the system's roots again each time: trust changes outside iddio. */
export async function readCaReport(
  authority: Authority,
  paths: StatePaths,
  env: Environment,
  platform: NodeJS.Platform = toolPlatform(env),
): Promise<CaReport> {
  const isTrusted =
    platform === "darwin"
      ? await new KeychainTrust(env).isTrusted(await readCertificate(paths.caCertificate))
      : (await systemRoots({ env })).some((pem) => isSameCertificate(pem, authority));
  return {
    path: paths.caCertificate,
    bundle: paths.bundle,
    fingerprint: authority.fingerprint,
    not_before_ms: authority.notBefore.getTime(),
    not_after_ms: authority.notAfter.getTime(),
    trust: isTrusted ? "trusted" : "untrusted",
  };
}

/** Whether a PEM block is the authority's certificate. Compares octets: there are hundreds of roots to look at. */
export function isSameCertificate(pem: string, { certificate: { raw } }: Authority): boolean {
  const [der] = derCertificates(pem);
  // Readers leave out what stands behind a certificate in its block.
  return der !== undefined && raw.equals(der.subarray(0, raw.length));
}

/** SHA-256 fingerprint of the first certificate in a PEM text, colon-separated hex; "" when there is none. */
export function fingerprintOfPem(pem: string): string {
  try {
    return new X509Certificate(pem).fingerprint256;
  } catch {
    return "";
  }
}
