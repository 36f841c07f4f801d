// How the latest streams of a connection ended: what a late frame means depends on it (RFC 9113 5.1,
// "closed"). Remembers a fixed number; of older ones only that they were.

/** reset-by-us: what is under way must be borne. unknown: so long ago that nobody remembers. never: the id was skipped. */
export type Http2Ending = "ended" | "reset-by-peer" | "reset-by-us" | "unknown" | "never";

const REMEMBERED = 256;
const ENDINGS: readonly Http2Ending[] = ["ended", "reset-by-peer", "reset-by-us"];

/** Remembers the streams that one side opens: all odd or all even. */
export class Http2ClosedStreams {
  readonly #ids = new Int32Array(REMEMBERED);
  readonly #endings = new Uint8Array(REMEMBERED);

  add(id: number, ending: "ended" | "reset-by-peer" | "reset-by-us"): void {
    const slot = (id >> 1) & (REMEMBERED - 1);
    this.#ids[slot] = id;
    this.#endings[slot] = ENDINGS.indexOf(ending);
  }

  /** For an id that is not above the highest used, of a stream that is not open. */
  endingOf(id: number): Http2Ending {
    const slot = (id >> 1) & (REMEMBERED - 1);
    const found = this.#ids[slot] as number;
    if (found !== id) return found > id ? "unknown" : "never";
    return ENDINGS[this.#endings[slot] as number] as Http2Ending;
  }
}
