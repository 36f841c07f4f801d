// How much a peer may ask without getting on: the bound of every flood that HTTP/2 makes cheap,
// without a clock. Two budgets, spent by frames that only cost us, refilled by frames that carry a
// message. A peer that sends each frame in a packet of its own pays for them itself, so every
// packet refills a little.

/** Of the budget of frames: to begin with, and at most. */
const FRAMES = 1000;
/** Every packet that arrives gives this many frames back: keep-alive on an idle watch may go on for ever. */
const FRAMES_A_PACKET = 8;
/** Of the budget of resets: at most, in multiples of its start. */
const RESETS_FACTOR = 5;
/** Octets of replies that wait to be written: anyone who does not read them gets no more. */
const REPLY_BYTES = 65_536;

/** Spent to below zero, the connection is to be ended with ENHANCE_YOUR_CALM. */
export class Http2Patience {
  readonly #maxResets: number;
  #frames = FRAMES;
  #resets: number;
  #replyBytes = 0;

  /** `resets`: requests that may be given up before any was answered. */
  constructor(resets: number) {
    this.#resets = resets;
    this.#maxResets = resets * RESETS_FACTOR;
  }

  get isSpent(): boolean {
    return this.#frames < 0 || this.#resets < 0 || this.#replyBytes > REPLY_BYTES;
  }

  /** Bytes have arrived, in however many frames. */
  onPacket(): void {
    this.earn(FRAMES_A_PACKET);
  }

  /** A frame that carries no part of a message: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA, unknown ones. */
  spend(frames: number): void {
    this.#frames -= frames;
  }

  /** Part of a message came or went. */
  earn(frames: number): void {
    this.#frames = Math.min(FRAMES, this.#frames + frames);
  }

  /** A stream ended before its time by the peer's doing. */
  spendReset(): void {
    this.#resets--;
  }

  /** A stream ran to completion. */
  earnReset(): void {
    if (this.#resets < this.#maxResets) this.#resets++;
  }

  /** The peer made us answer. */
  onReply(octets: number): void {
    this.#replyBytes += octets;
  }

  /** All answers have been handed on for writing. */
  onTaken(): void {
    this.#replyBytes = 0;
  }
}
