// The streams of one connection by their ids: which are open, which ids nobody has used yet, and
// how the latest of the others ended, on which the meaning of a late frame depends (RFC 9113 5.1).
// Of older ones it knows only that they were.

import type { Http2StreamRecord } from "./stream.ts";

/**
 * reset-by-us: frames that are under way must be accepted. unknown: forgotten, as it is long ago. never: the
 * id was passed over.
 */
export type Http2Ending = "ended" | "reset-by-peer" | "reset-by-us" | "unknown" | "never";

/** How a stream ends. */
export type Http2StreamEnd = "ended" | "reset-by-peer" | "reset-by-us";

/** The largest stream id; as a GOAWAY's last stream it means "soon" and names none. */
export const MAX_STREAM_ID = 0x7fffffff;
/** How many ended streams are remembered. */
const REMEMBERED = 256;
const ENDINGS: readonly Http2StreamEnd[] = ["ended", "reset-by-peer", "reset-by-us"];

/** Clients open odd ids in rising order; nobody opens even ones, as push is off. */
export class Http2StreamTable {
  readonly #isServer: boolean;
  readonly #open = new Map<number, Http2StreamRecord>();
  readonly #endedIds = new Int32Array(REMEMBERED);
  readonly #endings = new Uint8Array(REMEMBERED);
  #highestPeerId = 0;
  #nextId = 1;

  constructor(isServer: boolean) {
    this.#isServer = isServer;
  }

  /** Streams that are open in at least one direction. */
  get size(): number {
    return this.#open.size;
  }

  /** Server: the highest id that the client has used; 0 for none. */
  get highestPeerId(): number {
    return this.#highestPeerId;
  }

  /** Client: the id of the next stream; above `MAX_STREAM_ID` when all are used. */
  get nextId(): number {
    return this.#nextId;
  }

  get(id: number): Http2StreamRecord | undefined {
    return this.#open.get(id);
  }

  has(id: number): boolean {
    return this.#open.has(id);
  }

  values(): MapIterator<Http2StreamRecord> {
    return this.#open.values();
  }

  /** Nobody has used this id: frames on it, HEADERS aside, are an error. */
  isIdle(id: number): boolean {
    if ((id & 1) === 0) return true;
    return this.#isServer ? id > this.#highestPeerId : id >= this.#nextId;
  }

  /** Server: the client has used this id, which is above all before; those between are passed over. */
  onPeerId(id: number): void {
    this.#highestPeerId = id;
  }

  /** Client: the head of the stream `nextId` went out. */
  onOwnId(): void {
    this.#nextId += 2;
  }

  add(stream: Http2StreamRecord): void {
    this.#open.set(stream.id, stream);
  }

  /** A stream whose head could not be sent; its id is used again. */
  withdraw(stream: Http2StreamRecord): void {
    this.#open.delete(stream.id);
  }

  /** Whether it was open or not, this is how it ended. */
  end(id: number, ending: Http2StreamEnd): void {
    this.#open.delete(id);
    const slot = (id >> 1) & (REMEMBERED - 1);
    this.#endedIds[slot] = id;
    this.#endings[slot] = ENDINGS.indexOf(ending);
  }

  /** All at once, without a trace: the connection has failed. */
  clear(): void {
    this.#open.clear();
  }

  /** For an id that is neither idle nor open. */
  endingOf(id: number): Http2Ending {
    const slot = (id >> 1) & (REMEMBERED - 1);
    const found = this.#endedIds[slot] as number;
    if (found !== id) return found > id ? "unknown" : "never";
    return ENDINGS[this.#endings[slot] as number] as Http2Ending;
  }
}
