// Reads the frames of one direction of a WebSocket (RFC 6455 5) as they pass, without holding any
// back: pieces of a payload come out as pieces arrive. Only looks; nothing here answers, joins or
// checks UTF-8. Octets that are no frame end it.

/** A piece of a message. */
export interface WebSocketPiece {
  /** 0 continues a message, 1 text, 2 binary, 8 close, 9 ping, 10 pong. */
  readonly opcode: number;
  /** The first piece of a frame. */
  readonly isFrameStart: boolean;
  /** The last piece of a frame that ends its message. */
  readonly isMessageEnd: boolean;
  /** Unmasked. Valid only until the next push. */
  readonly payload: Uint8Array;
}

const EMPTY = new Uint8Array(0);
const HEAD_MAX = 14;

/** One direction. */
export class WebSocketFrameReader {
  readonly #isMasked: boolean;
  readonly #head = new Uint8Array(HEAD_MAX);
  #headLength = 0;
  #left = 0;
  #opcode = 0;
  #isFinal = false;
  #isStart = false;
  readonly #mask = new Uint8Array(4);
  #maskAt = 0;
  #plain = EMPTY;
  /** Why no further frame can be read. */
  problem: string | undefined;

  /** `isMasked`: frames of the client, which must be. */
  constructor(isMasked: boolean) {
    this.#isMasked = isMasked;
  }

  /** Reads the next octets; calls back for each piece in order. Nothing after a problem. */
  push(bytes: Uint8Array, piece: (piece: WebSocketPiece) => void): void {
    let at = 0;
    while (at < bytes.length && this.problem === undefined) {
      if (this.#left > 0) {
        const end = Math.min(bytes.length, at + this.#left);
        const part = bytes.subarray(at, end);
        this.#left -= part.length;
        this.#give(this.#isMasked ? this.#unmask(part) : part, piece);
        at = end;
        continue;
      }
      this.#head[this.#headLength++] = bytes[at++] as number;
      if (this.#headLength === this.#wantedHead()) this.#begin(piece);
    }
  }

  /** How long the head is, as far as it is known. */
  #wantedHead(): number {
    if (this.#headLength < 2) return 2;
    const length = (this.#head[1] as number) & 0x7f;
    return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (this.#isMasked ? 4 : 0);
  }

  #begin(piece: (piece: WebSocketPiece) => void): void {
    const head = this.#head;
    const [first, second] = [head[0] as number, head[1] as number];
    this.#headLength = 0;
    const view = new DataView(head.buffer);
    const short = second & 0x7f;
    const long = short === 127 ? view.getBigUint64(2) : 0n;
    const opcode = first & 0x0f;
    // Some servers take a reserved opcode for data.
    if ((opcode > 2 && opcode < 8) || opcode > 10) this.problem = "a frame has an opcode that is reserved";
    else if (opcode >= 8 && ((first & 0x80) === 0 || short > 125))
      this.problem = "a control frame is in pieces or too long";
    else if ((first & 0x70) !== 0) this.problem = "a frame uses an extension";
    else if (((second & 0x80) !== 0) !== this.#isMasked)
      this.problem = "a frame is masked that must not be, or the reverse";
    else if (long > BigInt(Number.MAX_SAFE_INTEGER)) this.problem = "a frame is longer than anything";
    if (this.problem !== undefined) return;
    const length = short === 126 ? view.getUint16(2) : short === 127 ? Number(long) : short;
    const at = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (this.#isMasked) this.#mask.set(head.subarray(at, at + 4));
    this.#maskAt = 0;
    this.#opcode = opcode;
    this.#isFinal = (first & 0x80) !== 0;
    this.#left = length;
    this.#isStart = true;
    if (length === 0) this.#give(EMPTY, piece);
  }

  #give(payload: Uint8Array, piece: (piece: WebSocketPiece) => void): void {
    const isFrameStart = this.#isStart;
    this.#isStart = false;
    piece({ opcode: this.#opcode, isFrameStart, isMessageEnd: this.#left === 0 && this.#isFinal, payload });
  }

  /** The octets themselves go on to the other side, so they are copied, into memory that is used again. */
  #unmask(part: Uint8Array): Uint8Array {
    if (this.#plain.length < part.length) this.#plain = new Uint8Array((part.length + 3) & ~3);
    const plain = this.#plain;
    plain.set(part);
    const turned = Uint8Array.from(this.#mask, (_, at) => this.#mask[(this.#maskAt + at) & 3] as number);
    const word = new Uint32Array(turned.buffer)[0] as number;
    // Four octets at a time: one at a time took longer than everything else about a frame.
    const words = new Uint32Array(plain.buffer, 0, part.length >> 2);
    for (let at = 0; at < words.length; at += 1) words[at] = (words[at] as number) ^ word;
    for (let at = words.length * 4; at < part.length; at += 1)
      plain[at] = (plain[at] as number) ^ (turned[at & 3] as number);
    this.#maskAt = (this.#maskAt + part.length) & 3;
    return plain.subarray(0, part.length);
  }
}
