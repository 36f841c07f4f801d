// Finds the first of many globs that matches a name without trying them all: exact names by one
// look-up, the others by the longer of their literal ends. Order of the array is priority, so a
// caller that wants the strictest or the most specific sorts before it builds. Does not know what
// the values mean.

import type { Glob } from "./glob.ts";

interface Slot<T> {
  readonly rank: number;
  readonly glob: Glob;
  readonly value: T;
}

/** Slots by a literal end of a certain length. */
interface Ends<T> {
  readonly length: number;
  readonly slots: Map<string, Slot<T>[]>;
}

/** An immutable, ordered set of globs. */
export class GlobIndex<T> {
  readonly #exact = new Map<string, Slot<T>[]>();
  readonly #heads: Ends<T>[] = [];
  readonly #tails: Ends<T>[] = [];
  readonly #rest: Slot<T>[] = [];

  /** Earlier pairs win over later ones. */
  constructor(pairs: readonly { readonly glob: Glob; readonly value: T }[]) {
    pairs.forEach(({ glob, value }, rank) => {
      const slot = { rank, glob, value };
      if (glob.isExact) push(this.#exact, glob.head, slot);
      else if (glob.head === "" && glob.tail === "") this.#rest.push(slot);
      else if (glob.head.length >= glob.tail.length) pushByLength(this.#heads, glob.head, slot);
      else pushByLength(this.#tails, glob.tail, slot);
    });
  }

  /** The value of the first glob that matches and whose value is accepted; undefined when none is. */
  first(name: string, accept?: (value: T) => boolean): T | undefined {
    let best = pick(this.#exact.get(name), name, undefined, accept);
    for (const { length, slots } of this.#heads)
      if (length <= name.length) best = pick(slots.get(name.slice(0, length)), name, best, accept);
    for (const { length, slots } of this.#tails)
      if (length <= name.length) best = pick(slots.get(name.slice(-length)), name, best, accept);
    best = pick(this.#rest, name, best, accept);
    return best?.value;
  }
}

function pick<T>(
  slots: readonly Slot<T>[] | undefined,
  name: string,
  best: Slot<T> | undefined,
  accept: ((value: T) => boolean) | undefined,
): Slot<T> | undefined {
  if (slots === undefined) return best;
  for (const slot of slots) {
    if (best !== undefined && slot.rank > best.rank) return best;
    if (slot.glob.test(name) && (accept === undefined || accept(slot.value))) return slot;
  }
  return best;
}

function push<K, T>(map: Map<K, T[]>, key: K, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function pushByLength<T>(ends: Ends<T>[], key: string, slot: Slot<T>): void {
  const known = ends.find(({ length }) => length === key.length);
  if (known !== undefined) push(known.slots, key, slot);
  else ends.push({ length: key.length, slots: new Map([[key, [slot]]]) });
}
