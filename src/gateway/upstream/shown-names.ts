// The names in the certificate that a server shows: they tell what else a literal address, or a
// name that leads to another's address, is called. One handshake of ours for each address and
// server name, and then for an hour nothing; the server's word is never trusted: it can only get a
// connection inspected that otherwise would not be.

import { isIP } from "node:net";
import tls from "node:tls";
import { parseCertificate } from "../../ca/certificates/certificate.ts";
import { addressText } from "../../ca/verify/server-identity.ts";
import { certificateInFlight, plainHello } from "../../wire/tls/server-flight.ts";
import { PATIENCE } from "../stream/patience.ts";
import type { ProxiedDestination } from "./dial/corporate-proxy.ts";
import { secureChannel, type UpstreamTrust } from "./dial/dial.ts";
import type { Dialler } from "./dial/dialler.ts";

const KEPT_MS = 60 * 60_000;
/** A handshake that failed is tried again sooner. */
const FAILED_MS = 60_000;
const MAX = 4_096;
/** A certificate with more names is a front's; the first ones say whose. */
const NAMES_MAX = 256;

interface Shown {
  readonly names: Promise<readonly string[]>;
  until: number;
}

/** Looks at servers; one per daemon. */
export class ShownNames {
  readonly #dialler: Dialler;
  readonly #shown = new Map<string, Shown>();
  #context: tls.SecureContext | undefined;

  constructor(dialler: Dialler) {
    this.#dialler = dialler;
  }

  /** The alternative names, lower case, of the certificate shown there to `serverName`; empty when there is none to be had. */
  at(destination: ProxiedDestination, serverName: string | undefined): Promise<readonly string[]> {
    const key = `${destination.addresses[0] ?? destination.host} ${destination.port} ${serverName ?? ""}`;
    const known = this.#shown.get(key);
    if (known !== undefined && known.until > performance.now()) return known.names;
    const oldest = this.#shown.size >= MAX ? this.#shown.keys().next().value : undefined;
    if (oldest !== undefined) this.#shown.delete(oldest);
    const names = this.#look(destination, serverName).catch(() => {
      shown.until = performance.now() + FAILED_MS;
      return [];
    });
    const shown: Shown = { names, until: performance.now() + KEPT_MS };
    this.#shown.delete(key);
    this.#shown.set(key, shown);
    return names;
  }

  async #look(destination: ProxiedDestination, serverName: string | undefined): Promise<readonly string[]> {
    let names: readonly string[] = [];
    this.#context ??= tls.createSecureContext({ minVersion: "TLSv1.2" });
    const context = Promise.resolve(this.#context);
    const trust: UpstreamTrust = {
      key: "look",
      context: () => context,
      verify(presented) {
        names = namesOf(presented[0]);
        return { kind: "refused", reason: "it was only looked at", remedy: undefined };
      },
    };
    const channel = await this.#dialler.tcp(destination);
    const name = serverName ?? destination.host;
    try {
      const where = `${destination.host}:${destination.port}`;
      await secureChannel(channel, where, name, trust, ["http/1.1"]);
    } catch (error) {
      channel.destroy();
      // A server that wants a certificate of its client, or is too old for iddio, has shown its own by then.
      if (names.length === 0) names = await this.#overhear(destination, name);
      if (names.length === 0) throw error;
    } finally {
      channel.destroy();
    }
    return names;
  }

  /** The names in the certificate that the server shows in the clear to anyone who offers TLS 1.2 at most. */
  async #overhear(destination: ProxiedDestination, name: string): Promise<readonly string[]> {
    const channel = await this.#dialler.tcp(destination);
    const until = performance.now() + PATIENCE.connectMs;
    try {
      channel.write(plainHello(isIP(name) ? undefined : name, crypto.getRandomValues(new Uint8Array(32))));
      for (;;) {
        const bytes = channel.read();
        const flight = certificateInFlight(bytes);
        if (flight.kind === "found") return namesOf(flight.der);
        channel.unread(bytes);
        if (flight.kind === "none" || !(await channel.moreWithin(until - performance.now()))) return [];
      }
    } finally {
      channel.destroy();
    }
  }
}

function namesOf(der: Uint8Array | undefined): readonly string[] {
  const certificate = der && parseCertificate(der);
  if (certificate === undefined || "problem" in certificate) return [];
  const names: string[] = [];
  for (const name of certificate.extensions.alternativeNames ?? []) {
    if (name.kind === "dns") names.push(name.name.toLowerCase());
    const address = name.kind === "address" ? addressText(name.bytes) : undefined;
    if (address !== undefined) names.push(address);
    if (names.length >= NAMES_MAX) break;
  }
  return names;
}
