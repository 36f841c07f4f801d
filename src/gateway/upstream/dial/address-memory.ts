// Which addresses belong to inspected names: a CONNECT to such an address is as good as one to the
// name. Exact entries and registered clusters are resolved at load and again and again, so that no
// flood of other names pushes them out; matches of a wildcard are kept by route, so that one
// route's flood costs no other route anything. Kept in state.db: a restart forgets nothing.

import type { AddressStore } from "../../../state/tables/known-addresses.ts";
import type { Resolver } from "./resolver.ts";

/** An address is believed this long after it was last seen under a name. */
const KEPT_MS = 24 * 60 * 60_000;
/** A row is written again only when it would otherwise be this much older than it should be. */
const STALE_MS = 60 * 60_000;
const RESOLVE_EVERY_MS = 5 * 60_000;
const RESOLVE_AT_ONCE = 4;
const ROUTE_MAX = 4_096;
const WRITE_AFTER_MS = 500;

/** The route of names that were matched exactly. */
const EXACT = "";

interface Sighting {
  readonly name: string;
  until: number;
}

/** One per daemon. */
export class AddressMemory {
  readonly #resolver: Resolver;
  readonly #store: AddressStore | undefined;
  /** Address to exact name to the time until which it is believed; bounded by the policy alone. */
  readonly #exact = new Map<string, Map<string, Sighting>>();
  /** Route to address, oldest first. */
  readonly #routes = new Map<string, Map<string, Sighting>>();
  #watched: ReadonlySet<string> = new Set();
  readonly #unsaved = new Map<string, { route: string; address: string; name: string; until: number }>();
  #writer: NodeJS.Timeout | undefined;
  #resolving: Promise<void> = Promise.resolve();
  #isClosed = false;
  readonly #timer = setInterval(() => this.#refresh(), RESOLVE_EVERY_MS).unref();

  /** Begins with what `store` kept; without one nothing outlasts it. */
  constructor(resolver: Resolver, store?: AddressStore) {
    this.#resolver = resolver;
    this.#store = store;
    const now = Date.now();
    for (const { route, address, name, untilMs } of store?.load(now) ?? [])
      this.#keep(route, address, name, untilMs);
  }

  /** The exact names whose addresses must be known; each is resolved now. Settles when all of them were tried. */
  watch(names: Iterable<string>): Promise<void> {
    const before = this.#watched;
    this.#watched = new Set(names);
    return this.#resolve([...this.#watched].filter((name) => !before.has(name)));
  }

  /** An inspected name was seen to have these addresses; `route` is the entry that matched it. */
  note(name: string, addresses: readonly string[], route: string): void {
    const kind = this.#watched.has(name) ? EXACT : route;
    const until = Date.now() + KEPT_MS;
    for (const address of addresses) {
      if (address === name) continue;
      if (this.#keep(kind, address, name, until)) this.#save(kind, address, name, until);
    }
  }

  /** Every inspected name that was seen to have this address, one for each route. */
  namesOf(address: string): readonly string[] {
    const now = Date.now();
    const names = new Set<string>();
    for (const { name, until } of this.#exact.get(address)?.values() ?? []) if (until > now) names.add(name);
    for (const sightings of this.#routes.values()) {
      const found = sightings.get(address);
      if (found !== undefined && found.until > now) names.add(found.name);
    }
    return [...names];
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#writer);
    this.#write();
  }

  /** Whether it is news. */
  #keep(route: string, address: string, name: string, until: number): boolean {
    const isExact = route === EXACT;
    const sightings = isExact ? mapIn(this.#exact, address) : mapIn(this.#routes, route);
    const key = isExact ? name : address;
    const known = sightings.get(key);
    const isNews = known?.name !== name || until - known.until > STALE_MS;
    if (!isNews) return false;
    sightings.delete(key);
    sightings.set(key, { name, until });
    if (!isExact && sightings.size > ROUTE_MAX) sightings.delete(sightings.keys().next().value ?? "");
    return true;
  }

  #save(route: string, address: string, name: string, until: number): void {
    if (this.#store === undefined) return;
    this.#unsaved.set(`${route} ${address} ${name}`, { route, address, name, until });
    this.#writer ??= setTimeout(() => this.#write(), WRITE_AFTER_MS).unref();
  }

  #write(): void {
    this.#writer = undefined;
    const rows = [...this.#unsaved.values()].map(({ until, ...row }) => ({ ...row, untilMs: until }));
    if (rows.length === 0) return;
    try {
      this.#store?.save(rows);
      this.#unsaved.clear();
    } catch {
      // A full disk: unwritten rows stay in memory and are written with the next ones.
      while (this.#unsaved.size > ROUTE_MAX) this.#unsaved.delete(this.#unsaved.keys().next().value ?? "");
    }
  }

  #refresh(): void {
    const now = Date.now();
    for (const [address, sightings] of this.#exact) {
      for (const [name, { until }] of sightings) if (until <= now) sightings.delete(name);
      if (sightings.size === 0) this.#exact.delete(address);
    }
    try {
      this.#store?.forget(now);
    } catch {
      // An expired entry is never read, so a late sweep does no harm.
    }
    void this.#resolve([...this.#watched]);
  }

  /** A name that does not resolve keeps the addresses it had. One round after the other: a slow resolver is not flooded. */
  #resolve(names: readonly string[]): Promise<void> {
    const queue = [...names];
    const work = async () => {
      for (let name = queue.shift(); name !== undefined && !this.#isClosed; name = queue.shift()) {
        const addresses = await this.#resolver.resolve(name).catch(() => []);
        if (!this.#isClosed && this.#watched.has(name)) this.note(name, addresses, EXACT);
      }
    };
    const round = async () => {
      await Promise.all(Array.from({ length: RESOLVE_AT_ONCE }, work));
    };
    this.#resolving = this.#resolving.then(round);
    return this.#resolving;
  }
}

function mapIn<V>(maps: Map<string, Map<string, V>>, key: string): Map<string, V> {
  let found = maps.get(key);
  if (found === undefined) {
    found = new Map();
    maps.set(key, found);
  }
  return found;
}
