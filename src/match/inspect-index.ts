// Finds the inspect entry that decides for a destination among thousands: the most specific one,
// ties to the first listed. Names and suffixes by look-up, CIDR blocks by one look-up a distinct
// prefix length.

import { type AddressParts, readAddress } from "./destination.ts";
import { GlobIndex } from "./glob-index.ts";
import type { InspectEntry } from "./inspect-entry.ts";

/** An entry with the value that the owner of the list attached to it. */
export interface IndexedEntry<T> {
  readonly entry: InspectEntry;
  readonly value: T;
}

type Bucket<T> = Map<string, IndexedEntry<T>[]>;

/** An immutable set of inspect entries. */
export class InspectIndex<T> {
  readonly #exact: Bucket<T> = new Map();
  readonly #suffixes: Bucket<T> = new Map();
  /** Most bits first. */
  readonly #networks: { readonly prefix: number; readonly blocks: Bucket<T> }[] = [];
  readonly #globs: GlobIndex<IndexedEntry<T>>;
  readonly #catchAll: IndexedEntry<T>[] = [];

  /** Order matters only between equally specific entries: the first one wins. */
  constructor(entries: readonly IndexedEntry<T>[]) {
    // Array.prototype.sort is stable, which is what keeps "ties to the first listed".
    const sorted = [...entries].sort((a, b) => b.entry.specificity - a.entry.specificity);
    const globs: { glob: InspectEntry["globs"][number]; value: IndexedEntry<T> }[] = [];
    for (const item of sorted) {
      const { entry } = item;
      if (entry.isCatchAll) this.#catchAll.push(item);
      else if (entry.kind === "suffix") push(this.#suffixes, entry.host, item);
      else if (entry.network !== undefined)
        push(this.#blocks(entry.network.prefix), networkKey(entry.network, entry.network.prefix), item);
      else if (entry.kind === "glob") for (const glob of entry.globs) globs.push({ glob, value: item });
      else push(this.#exact, entry.host, item);
    }
    this.#networks.sort((a, b) => b.prefix - a.prefix);
    this.#globs = new GlobIndex(globs);
  }

  /** The entry that decides for this destination, or undefined when none matches. Any spelling of the host is folded first. */
  lookup(host: string, port: number): IndexedEntry<T> | undefined {
    const folded = foldName(host);
    const address = mayBeAddress(folded) ? readAddress(folded) : undefined;
    const name = address?.text ?? folded;
    const isMatch = (item: IndexedEntry<T>): boolean =>
      item.entry.port === undefined || item.entry.port === port;
    const named = this.#exact.get(name)?.find(isMatch) ?? this.#lookupSuffix(name, isMatch);
    if (named !== undefined) return named;
    return (
      (address && this.#lookupNetwork(address, isMatch)) ??
      this.#globs.first(name, isMatch) ??
      this.#catchAll.find((item) => isMatch(item) && coversAddress(item.entry, name, address))
    );
  }

  #lookupSuffix(name: string, isMatch: (item: IndexedEntry<T>) => boolean): IndexedEntry<T> | undefined {
    if (this.#suffixes.size === 0) return undefined;
    for (let dot = name.indexOf(".", 1); dot > 0; dot = name.indexOf(".", dot + 1)) {
      const found = this.#suffixes.get(name.slice(dot))?.find(isMatch);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #lookupNetwork(
    address: AddressParts,
    isMatch: (item: IndexedEntry<T>) => boolean,
  ): IndexedEntry<T> | undefined {
    for (const { prefix, blocks } of this.#networks) {
      const found = blocks.get(networkKey(address, prefix))?.find(isMatch);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #blocks(prefix: number): Bucket<T> {
    const known = this.#networks.find((one) => one.prefix === prefix);
    if (known !== undefined) return known.blocks;
    const blocks: Bucket<T> = new Map();
    this.#networks.push({ prefix, blocks });
    return blocks;
  }
}

function foldName(host: string): string {
  const name = host.toLowerCase();
  return name.endsWith(".") ? name.slice(0, -1) : name;
}

// Spares names the attempt to read them as an address.
function mayBeAddress(name: string): boolean {
  const last = name.charCodeAt(name.length - 1);
  return (last >= 48 && last <= 57) || name.includes(":");
}

function coversAddress(entry: InspectEntry, name: string, address: AddressParts | undefined): boolean {
  if (entry.network !== undefined) return entry.network.family === address?.family;
  return entry.kind === "any" || entry.globs.some((glob) => glob.test(name));
}

/** A text that is equal for two addresses exactly when their first `prefix` bits are. */
export function networkKey(address: AddressParts, prefix: number): string {
  const width = address.family === 4 ? 8 : 16;
  let key = `${address.family}`;
  let left = prefix;
  for (const part of address.parts) {
    if (left <= 0) break;
    const kept = left >= width ? part : part >> (width - left);
    key += `.${kept}`;
    left -= width;
  }
  return key;
}

function push<T>(map: Bucket<T>, key: string, item: IndexedEntry<T>): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [item]);
  else list.push(item);
}
