// Names to addresses, by the system's resolver (so that /etc/hosts and split DNS count).
// Owns a small bounded cache; which addresses are whose is address-memory.ts.

import { lookup } from "node:dns/promises";
import { canonicalAddress } from "../../../match/destination.ts";
import { PATIENCE } from "../../stream/patience.ts";
import { UpstreamError } from "../upstream-error.ts";

const CACHE_MS = 5_000;
const CACHE_MAX = 1_000;

/** Resolves host names; one per daemon. */
export class Resolver {
  readonly #cache = new Map<
    string,
    { readonly addresses: Promise<readonly string[]>; readonly until: number }
  >();

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
}

/** The promise, or after so long a rejection; a later result is dropped. */
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
