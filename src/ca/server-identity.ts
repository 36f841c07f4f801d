// Whether a server's certificate carries the name that was asked for (RFC 9525). Only
// subject alternative names count, never the common name: a client behind iddio cannot
// check by itself any more, so this must be no laxer than the strictest client.

import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { PeerCertificate } from "node:tls";

/** One clause that says why the certificate is not the server's, or undefined when it is. `name` is a host name or address. */
export function strictIdentityProblem(name: string, peer: PeerCertificate): string | undefined {
  if (!peer.raw) return "the server showed no certificate";
  const certificate = new X509Certificate(peer.raw);
  if (certificate.subjectAltName === undefined) return "the certificate has no subject alternative name";
  const isMatch =
    isIP(name) === 0
      ? certificate.checkHost(name, { subject: "never", wildcards: true, partialWildcards: false })
      : certificate.checkIP(name);
  return isMatch === undefined ? `the certificate is not for '${name}'` : undefined;
}
