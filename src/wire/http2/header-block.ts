// A header block that comes in several frames (RFC 9113 4.3): HEADERS, then CONTINUATIONs and
// nothing else. Bounded in octets and in frames, whatever the peer does (CVE-2024-27316).

/** More than our frame size and list limit make anyone need. */
const MAX_FRAMES = 32;
const FIRST_BYTES = 32_768;

/** Puts one block together at a time. */
export class Http2HeaderBlock {
  readonly #maxBytes: number;
  #bytes = new Uint8Array(0);
  #frames = 0;
  length = 0;
  /** 0 while no block is open. */
  streamId = 0;
  endStream = false;
  isSelfDependent = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  open(streamId: number, endStream: boolean, isSelfDependent: boolean): void {
    this.streamId = streamId;
    this.endStream = endStream;
    this.isSelfDependent = isSelfDependent;
    this.length = 0;
    this.#frames = 0;
  }

  /** False when the block has become too much. */
  add(bytes: Uint8Array, start: number, end: number): boolean {
    const length = this.length + end - start;
    if (++this.#frames > MAX_FRAMES || length > this.#maxBytes) return false;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(FIRST_BYTES, length * 2));
      larger.set(this.#bytes.subarray(0, this.length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes.subarray(start, end), this.length);
    this.length = length;
    return true;
  }

  /** The block is whole, or of no more interest. */
  close(): void {
    this.streamId = 0;
    this.#bytes = new Uint8Array(0);
  }
}
