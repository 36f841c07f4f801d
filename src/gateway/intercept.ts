// Ends the client's TLS at the gateway. Owns the handshake and its bound; what is said
// inside is for http1.ts. The leaf carries exactly the one name that the client asked for.

import tls from "node:tls";
import type { Leaf, LeafStore } from "../ca/leaf.ts";
import { Channel } from "./channel.ts";
import type { HttpVersion, TlsConnection } from "./dial.ts";
import { duplexOver, NodeStream } from "./node-stream.ts";
import { PATIENCE } from "./patience.ts";

/** The client did not complete the handshake; the usual cause is that it does not trust the iddio CA. */
export class HandshakeError extends Error {}

const contexts = new WeakMap<Leaf, tls.SecureContext>();

/** Accepts TLS from the client under `name`, offering `versions`, best first. Throws HandshakeError. */
export async function intercept(
  client: Channel,
  name: string,
  leaves: LeafStore,
  versions: readonly HttpVersion[],
): Promise<TlsConnection> {
  const leaf = await leaves.leafFor(name);
  let secureContext = contexts.get(leaf);
  if (!secureContext) {
    secureContext = tls.createSecureContext({ cert: leaf.certPem, key: leaf.keyPem, minVersion: "TLSv1.2" });
    contexts.set(leaf, secureContext);
  }
  const raw = duplexOver(client);
  const socket = new tls.TLSSocket(raw as never, {
    isServer: true,
    secureContext,
    ALPNProtocols: [...versions],
  });
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => {
      clearTimeout(timer);
      socket.destroy();
      raw.destroy();
      reject(new HandshakeError(reason));
    };
    const timer = setTimeout(() => fail("the client did not finish the TLS handshake"), PATIENCE.handshakeMs);
    const onError = (error: Error) => fail(`the client broke off the TLS handshake (${codeOf(error)})`);
    const onClose = () => fail("the client closed the connection during the TLS handshake");
    socket.once("error", onError);
    socket.once("close", onClose);
    // Bun leaves the TLS socket open when what is under it ends before the handshake is done.
    socket.once("end", onClose);
    socket.once("secure", () => {
      clearTimeout(timer);
      socket.off("error", onError);
      socket.off("close", onClose);
      socket.off("end", onClose);
      const version = socket.alpnProtocol === "h2" ? "h2" : "http/1.1";
      resolve({ channel: new Channel(new NodeStream(socket)), version });
    });
  });
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}
