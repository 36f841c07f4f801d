// The names that the resolver inside a run has given addresses to, from 198.18.0.0/15 (RFC 2544:
// never on a real network). An address is never given to a second name in a run, so that a late
// connection cannot reach another host.

/** Addresses in 198.18.0.0/15, without the first. */
const CAPACITY = 131_071;
const FIRST = (198 << 24) | (18 << 16);

/** Names and their addresses; one per run. */
export class FakeNames {
  readonly #byName = new Map<string, number>();
  readonly #byAddress = new Map<number, string>();

  /** The address of a name, as four bytes; undefined when none are left. */
  addressOf(name: string): Uint8Array | undefined {
    let index = this.#byName.get(name);
    if (index === undefined) {
      if (this.#byName.size >= CAPACITY) return undefined;
      index = this.#byName.size + 1;
      this.#byName.set(name, index);
      this.#byAddress.set(index, name);
    }
    const address = FIRST + index;
    return Uint8Array.of(
      (address >>> 24) & 0xff,
      (address >>> 16) & 0xff,
      (address >>> 8) & 0xff,
      address & 0xff,
    );
  }

  /** The name that was given this address; undefined for any other address. */
  nameOf(address: string): string | undefined {
    const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address);
    if (match === null) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = match.slice(1).map(Number);
    return this.#byAddress.get(((a << 24) | (b << 16) | (c << 8) | d) - FIRST);
  }
}

/** Whether an address is from the range that is given out, known or not. */
export function isFakeAddress(address: string): boolean {
  return /^198\.1[89]\./.test(address);
}

/** Whether a name is one that a host can have; everything else is answered as not existing. */
export function isHostName(name: string): boolean {
  return /^(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/.test(name) && !/^[\d.]+$/.test(name);
}
