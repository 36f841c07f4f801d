// How many lines of the log each client may cause: many at once, then so many a second. Further
// lines of the same client are only counted, so that no loop turns the log over and hides earlier
// lines.

/** Lines at once; a busy minute of a real client stays below it. */
const BURST = 1_000;
/** Lines a second after that. */
const PER_SECOND = 50;
const CLIENTS_MAX = 1_024;

interface Allowance {
  left: number;
  at: number;
  dropped: number;
}

/** The allowances of one log. */
export class LineAllowance {
  readonly #clients = new Map<string, Allowance>();
  #dropped = 0;

  /** Whether a line for this client may be written at `at`, in milliseconds; else it was counted. */
  take(client: string, at: number): boolean {
    const allowance = this.#of(client, at);
    const passed = Math.max(0, at - allowance.at);
    allowance.at = at;
    allowance.left = Math.min(BURST, allowance.left + (passed * PER_SECOND) / 1000);
    if (allowance.left >= 1) {
      allowance.left -= 1;
      return true;
    }
    allowance.dropped += 1;
    this.#dropped += 1;
    return false;
  }

  /** Whether lines were left out since `takeDropped`. */
  get hasDropped(): boolean {
    return this.#dropped > 0;
  }

  /** How many lines of whom were left out; they are counted again afterwards. */
  takeDropped(): readonly { readonly client: string; readonly lines: number }[] {
    this.#dropped = 0;
    const found: { client: string; lines: number }[] = [];
    for (const [client, allowance] of this.#clients)
      if (allowance.dropped > 0) {
        found.push({ client, lines: allowance.dropped });
        allowance.dropped = 0;
      }
    return found;
  }

  #of(client: string, at: number): Allowance {
    let found = this.#clients.get(client);
    if (found !== undefined) return found;
    // Anyone who starts many processes does not get an allowance for each: they share the last one.
    const key = this.#clients.size < CLIENTS_MAX || this.#forgetOne(at) ? client : "other clients";
    found = this.#clients.get(key);
    if (found === undefined) {
      found = { left: BURST, at, dropped: 0 };
      this.#clients.set(key, found);
    }
    return found;
  }

  /** Anyone who has said nothing for so long that its allowance is whole again. */
  #forgetOne(at: number): boolean {
    const wholeMs = (BURST / PER_SECOND) * 1000;
    for (const [client, allowance] of this.#clients)
      if (allowance.dropped === 0 && at - allowance.at > wholeMs) return this.#clients.delete(client);
    return false;
  }
}
