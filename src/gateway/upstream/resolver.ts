// Names to addresses, by the system's resolver (so that /etc/hosts and split DNS count).
// Owns a small bounded cache and the memory of which addresses inspected names had: a
// CONNECT to such an address is as good as one to the name.

import { lookup } from "node:dns/promises";
import { canonicalAddress } from "../../match/destination.ts";
import { PATIENCE } from "../stream/patience.ts";
import { UpstreamError } from "./upstream-error.ts";

const CACHE_MS = 5_000;
const CACHE_MAX = 1_000;
/** Addresses of inspected names are remembered this long after they were last seen. */
const INSPECTED_MS = 60 * 60_000;
const INSPECTED_MAX = 4_096;

/** Resolves host names; one per daemon. */
export class Resolver {
  readonly #cache = new Map<
    string,
    { readonly addresses: Promise<readonly string[]>; readonly until: number }
  >();
  readonly #inspected = new Map<string, { readonly name: string; readonly until: number }>();

  /** Addresses in the system's order of preference; a literal address is itself. Throws UpstreamError. */
  async resolve(host: string): Promise<readonly string[]> {
    const literal = canonicalAddress(host);
    if (literal !== undefined) return [literal];
    const now = Date.now();
    const known = this.#cache.get(host);
    if (known && known.until > now) return known.addresses;
    const addresses = this.#lookup(host);
    bound(this.#cache, CACHE_MAX);
    this.#cache.set(host, { addresses, until: now + CACHE_MS });
    addresses.catch(() => this.#cache.delete(host));
    return addresses;
  }

  async #lookup(host: string): Promise<readonly string[]> {
    try {
      const found = await inTime(lookup(host, { all: true }), PATIENCE.resolveMs);
      const addresses = found.map((entry) => canonicalAddress(entry.address) ?? entry.address);
      if (addresses.length === 0) throw new Error("no address");
      return addresses;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "no answer";
      throw new UpstreamError("unreachable", `the name '${host}' could not be resolved (${code})`, {
        cause: error,
      });
    }
  }

  /** Remembers that an inspected name has these addresses. */
  noteInspected(name: string, addresses: readonly string[]): void {
    const until = Date.now() + INSPECTED_MS;
    for (const address of addresses) {
      if (address === name) continue;
      this.#inspected.delete(address);
      bound(this.#inspected, INSPECTED_MAX);
      this.#inspected.set(address, { name, until });
    }
  }

  /** The inspected name that was last seen to have this address, if one was. */
  inspectedNameOf(address: string): string | undefined {
    const found = this.#inspected.get(address);
    return found && found.until > Date.now() ? found.name : undefined;
  }
}

/** The promise, or after so long a rejection; what it still brings is dropped. */
function inTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no answer in time")), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function bound(map: Map<string, unknown>, max: number): void {
  if (map.size < max) return;
  const oldest = map.keys().next().value;
  if (oldest !== undefined) map.delete(oldest);
}
