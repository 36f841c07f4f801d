// The certificates that a TLS server presented, all of them and in its order. The runtime's view of
// a peer follows issuers and costs a tenth of a millisecond; its TLS session holds the bytes as
// they came.

import { DerCursor, DerError, enterOnly, TAG } from "../../ca/certificates/der.ts";
import type { TlsPeer } from "../stream/secure-stream.ts";

/** Fields of BoringSSL's SSL_SESSION (ssl_asn1.cc): the server's own certificate, and what followed it. */
const PEER = TAG.context + TAG.constructed + 3;
const CHAIN = TAG.context + TAG.constructed + 19;

/** The presented chain in DER, the server's own certificate first; empty when there was none. */
export function presentedChain(peer: TlsPeer): readonly Uint8Array[] {
  const session = peer.getSession();
  return (session && chainOfSession(session)) ?? chainOfPeer(peer);
}

/** Undefined when the bytes are no session as this BoringSSL writes it. */
export function chainOfSession(session: Uint8Array): readonly Uint8Array[] | undefined {
  try {
    const fields = enterOnly(session, TAG.sequence);
    const chain: Uint8Array[] = [];
    while (!fields.isAtEnd) {
      const { tag, content } = fields.next();
      if (tag !== PEER && tag !== CHAIN) continue;
      const certificates = new DerCursor(content);
      while (!certificates.isAtEnd) chain.push(certificates.take(TAG.sequence).whole);
    }
    return chain.length > 0 ? chain : undefined;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function chainOfPeer(peer: TlsPeer): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  for (let shown = peer.getPeerCertificate(true); shown?.raw; shown = shown.issuerCertificate) {
    const { raw } = shown;
    // A self-signed certificate is its own issuer.
    if (chain.some((earlier) => Buffer.compare(earlier, raw) === 0)) break;
    chain.push(raw);
  }
  return chain;
}
