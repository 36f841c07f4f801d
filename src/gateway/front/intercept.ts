// Ends the client's TLS at the gateway. Owns the handshake and its bound; http1.ts reads the
// messages inside. The leaf carries exactly the one name that the client asked for.

import tls from "node:tls";
import type { Leaf, LeafStore } from "../../ca/leaf.ts";
import type { Channel } from "../stream/channel.ts";
import { PATIENCE } from "../stream/patience.ts";
import { acceptTls, TLS_CLOSED, TLS_TIMEOUT, TlsError, type TurnClient } from "../stream/secure-stream.ts";
import type { HttpVersion, TlsConnection } from "../upstream/dial/dial.ts";

/** The client did not complete the handshake; the usual cause is that it does not trust the iddio CA. */
export class HandshakeError extends Error {
  /** The host that the client asked for. */
  readonly host: string;
  /** It said that it does not take the certificate. */
  readonly isRefusal: boolean;
  constructor(host: string, reason: string, options?: ErrorOptions & { readonly isRefusal?: boolean }) {
    super(reason, options);
    this.host = host;
    this.isRefusal = options?.isRefusal ?? false;
  }
}

const contexts = new WeakMap<Leaf, tls.SecureContext>();

/** Accepts TLS from the client under `name`, offering `versions`, best first. Throws HandshakeError. */
export async function intercept(
  client: Channel,
  name: string,
  leaves: LeafStore,
  versions: readonly HttpVersion[],
  owner?: TurnClient,
): Promise<TlsConnection> {
  const leaf = await leaves.leafFor(name);
  let context = contexts.get(leaf);
  if (!context) {
    context = tls.createSecureContext({ cert: leaf.certPem, key: leaf.keyPem, minVersion: "TLSv1.2" });
    contexts.set(leaf, context);
  }
  try {
    const options = { context, protocols: versions, timeoutMs: PATIENCE.handshakeMs, client: owner };
    const { channel, protocol } = await acceptTls(client, options);
    return { channel, version: protocol === "h2" ? "h2" : "http/1.1" };
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    throw new HandshakeError(name, reasonOf(error), { cause: error, isRefusal: REFUSALS.test(error.code) });
  }
}

/** Alerts by which clients refuse a certificate, as the TLS library names them. */
const REFUSALS = /ALERT.*(?:CERT|UNKNOWN_CA|ACCESS_DENIED|DECRYPT)/;

function reasonOf({ code }: TlsError): string {
  switch (code) {
    case TLS_TIMEOUT:
      return "the client did not finish the TLS handshake";
    case TLS_CLOSED:
    case "ECONNRESET":
      return "the client closed the connection during the TLS handshake";
    default:
      return `the client broke off the TLS handshake (${code})`;
  }
}
