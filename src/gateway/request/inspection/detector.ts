// Notices TLS that cannot be intercepted: upstreams whose certificate fails verification,
// clients that refuse our leaf. It opens nothing by itself unless the setting `detector`
// says so, and then only for a name that the gateway itself resolved to public addresses:
// an agent with a self-signed server must not be able to turn inspection off for a host.

import { isAddress, isPublicAddress } from "../../../match/destination.ts";
import type { Protocol } from "../../../model/protocol.ts";
import type { SettingsStore } from "../../../state/settings/settings-store.ts";
import type { Suspect, Suspects } from "../../../state/tables/suspects.ts";
import type { Upstreams } from "../../../state/tables/upstreams.ts";
import { parseDuration, renderDuration } from "../../../text/duration.ts";
import { hostPort } from "../../../text/host-port.ts";
import type { AddressMemory } from "../../upstream/dial/address-memory.ts";
import type { Events } from "../records/events.ts";
import type { Destination, Inspection } from "./inspection.ts";

interface DetectorParts {
  readonly suspects: Suspects;
  readonly settings: SettingsStore;
  readonly inspection: Inspection;
  readonly memory: AddressMemory;
  readonly upstreams: Upstreams;
  readonly events: Events;
}

const DEFAULT_TTL_MS = 60 * 60_000;
const EXPIRY_MS = 5_000;
const SAME_TRY_MS = 250;
/** A client that does not trust the leaf tries again; two that have nothing to do with each other are further apart. */
const SECOND_TRY_MS = 10 * 60_000;
const MAX_LEFT = 1_000;

/** The detector; one per daemon. */
export class Detector {
  readonly #parts: DetectorParts;
  readonly #listeners = new Set<() => void>();
  /** When a client last left in the middle of a handshake, by host and port, oldest first. */
  readonly #left = new Map<string, number>();
  /** Pins whose end was not announced yet. */
  readonly #pinned = new Map<string, Suspect>();
  readonly #timer = setInterval(() => this.#expire(), EXPIRY_MS).unref();

  constructor(parts: DetectorParts) {
    this.#parts = parts;
    for (const suspect of parts.suspects.list())
      if (suspect.pinnedUntilMs > Date.now()) this.#pinned.set(`${suspect.host} ${suspect.port}`, suspect);
  }

  /** Every finding, the latest first. */
  list(): readonly Suspect[] {
    return this.#parts.suspects.list();
  }

  /** An upstream's certificate could not be verified. The finding, pinned if the setting allows it. */
  upstreamFailed(destination: Destination, reason: string, now = Date.now()): Suspect {
    const { suspects, settings, events } = this.#parts;
    const { host, port } = destination;
    const ttlMs = parseDuration(settings.current.detector_ttl) ?? DEFAULT_TTL_MS;
    const isPin = this.#mayPin(destination, this.#parts.inspection.protocolsOf(destination));
    const isNew = suspects.get(host, port, "upstream") === undefined;
    const suspect = suspects.note({ host, port, failed: "upstream", reason }, now, isPin ? now + ttlMs : 0);
    if (isNew) events.publish("host_suspected", { host, port, failed: "upstream", reason });
    if (isPin) {
      this.#pinned.set(`${host} ${port}`, suspect);
      events.publish("host_pinned", { host, port, source: "detector", reason, until_ms: now + ttlMs });
    }
    return suspect;
  }

  /**
   * A client broke off the handshake with our leaf. Recorded, and nothing follows from it. `isRefusal`: it said that
   * it does not trust the certificate. One that merely left is listed from the second try on: anybody's may break once.
   */
  clientFailed({ host, port }: Destination, reason: string, isRefusal = true, now = Date.now()): void {
    const { suspects, events } = this.#parts;
    if (!isRefusal && suspects.get(host, port, "client") === undefined && !this.#isSecondTry(host, port, now))
      return;
    const isNew = suspects.get(host, port, "client") === undefined;
    suspects.note({ host, port, failed: "client", reason }, now);
    if (isNew) events.publish("host_suspected", { host, port, failed: "client", reason });
  }

  /** A client sent a request under our leaf: what broke off before was no refusal. */
  clientServed({ host, port }: Destination): void {
    this.#left.delete(`${host} ${port}`);
  }

  #isSecondTry(host: string, port: number, now: number): boolean {
    const key = `${host} ${port}`;
    const before = this.#left.get(key);
    // One try of a client may fail several times in a row.
    if (before !== undefined && now - before < SAME_TRY_MS) return false;
    this.#left.delete(key);
    if (before !== undefined && now - before < SECOND_TRY_MS) return true;
    const oldest = this.#left.keys().next().value;
    if (this.#left.size >= MAX_LEFT && oldest !== undefined) this.#left.delete(oldest);
    this.#left.set(key, now);
    return false;
  }

  /** The finding on whose account a connection of an inspected host is spliced at present. */
  passing(destination: Destination, protocols: readonly Protocol[], now = Date.now()): Suspect | undefined {
    const suspect = this.#parts.suspects.get(destination.host, destination.port, "upstream");
    if (suspect === undefined || suspect.pinnedUntilMs <= now) return undefined;
    return this.#mayPin(destination, protocols) ? suspect : undefined;
  }

  #mayPin({ host, port, addresses, serverName }: Destination, protocols: readonly Protocol[]): boolean {
    const { detector } = this.#parts.settings.current;
    if (detector === "off" || protocols.length === 0) return false;
    if (detector === "generic" && protocols.some((protocol) => protocol !== "generic")) return false;
    // The operator said whom to trust there: what fails that is not let through unread.
    if (this.#parts.upstreams.get(host, port) !== undefined) return false;
    if (serverName !== host || isAddress(host)) return false;
    // Anyone who owns a name decides where it points to: not to a host that is inspected under its own name.
    const isOthers = (address: string) => this.#parts.memory.namesOf(address).some((name) => name !== host);
    return addresses.length > 0 && addresses.every((each) => isPublicAddress(each) && !isOthers(each));
  }

  /** Tells the refused client in one clause how to reach a host whose certificate failed, other than trusting it. */
  advice({ host, port }: { readonly host: string; readonly port: number }, now = Date.now()): string {
    const pinned = this.#parts.suspects.get(host, port, "upstream")?.pinnedUntilMs ?? 0;
    if (pinned > now)
      return `it is passed through unread for the next ${renderDuration(pinned - now)}, so try again`;
    return `it can be left unread with: iddio detector promote ${hostPort(host, port)}`;
  }

  /** Forgets one host at a port; its splices are asked again. */
  remove(host: string, port: number): void {
    this.#parts.suspects.remove(host, port);
    this.#pinned.delete(`${host} ${port}`);
    this.#tell();
  }

  /** Forgets everything; returns the forgotten findings. */
  clear(): readonly Suspect[] {
    const removed = this.#parts.suspects.clear();
    this.#pinned.clear();
    this.#tell();
    return removed;
  }

  /** Calls when a pin has ended, by time or by command; returns the way to stop. */
  onUnpin(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#parts.suspects.flush();
  }

  #expire(now = Date.now()): void {
    let hasEnded = false;
    for (const [key, { host, port, pinnedUntilMs }] of this.#pinned) {
      if (pinnedUntilMs > now) continue;
      this.#pinned.delete(key);
      this.#parts.events.publish("host_unpinned", {
        host,
        port,
        source: "detector",
        reason: "it expired",
      });
      hasEnded = true;
    }
    if (hasEnded) this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
