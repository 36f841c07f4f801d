// The body of one message on its way through: read from a connection by its framing, checked, and
// handed on in pieces. Owns the bounded look ahead that classifier and approval need: the octets
// that were looked at are handed on first, byte for byte.

import type { Header } from "../../model/request.ts";
import { BodyDecoder } from "../../wire/http1/body.ts";
import type { Framing } from "../../wire/http1/head.ts";
import type { Channel } from "../stream/channel.ts";
import { PATIENCE } from "../stream/patience.ts";
import type { BodyReader } from "./upstream-answer.ts";

/** A body that broke its framing or ended before it was complete. */
export class BodyError extends Error {}

/** A body that lasts until the connection closes, and TLS did not confirm that it closed (RFC 9112 9.8). */
export class UnconfirmedEnd extends BodyError {}

const NONE: readonly Uint8Array[] = [];
const NO_TRAILERS: readonly Header[] = [];

/** Reads one body; after `done` the channel stands at the first byte behind it. */
export class BodySource implements BodyReader {
  readonly framing: Framing;
  readonly #channel: Channel;
  /** Made for the first bytes: most requests have none. */
  #decoder: BodyDecoder | undefined;
  #ahead = NONE;
  readonly #keep: ((trailers: readonly Header[]) => readonly Header[]) | undefined;
  #trailers: readonly Header[] = NO_TRAILERS;
  #isDone: boolean;

  /** `keep`: which trailers there are; all of them without it. */
  constructor(channel: Channel, framing: Framing, keep?: (trailers: readonly Header[]) => readonly Header[]) {
    this.#keep = keep;
    this.framing = framing;
    this.#channel = channel;
    this.#isDone = framing.kind === "none" || (framing.kind === "length" && framing.length === 0);
  }

  /** Every byte was read from the connection (some may still be looked-ahead ones). */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Whether `next` would return undefined without waiting. */
  get isDrained(): boolean {
    return this.#isDone && this.#ahead.length === 0;
  }

  /** The trailer fields; complete once `next` returned undefined. */
  get trailers(): readonly Header[] {
    return this.#trailers;
  }

  /**
   * Reads ahead up to `limit` bytes. The whole body, or undefined when it is larger; either way nothing is
   * lost for `next`. `onWanted` is called before bytes are waited for: the place to send 100 Continue;
   * `arrived` for the bytes that came: its promise is awaited before more are read, and false ends it. Throws
   * BodyError when the body is malformed, cut off or takes too long: somebody waits for it.
   */
  async peek(
    limit: number,
    onWanted?: () => void,
    arrived?: (octets: number) => Promise<boolean> | undefined,
  ): Promise<Uint8Array | undefined> {
    if (this.framing.kind === "length" && this.framing.length > limit) return undefined;
    let size = 0;
    const ahead = [...this.#ahead];
    this.#ahead = ahead;
    for (const piece of ahead) size += piece.length;
    if (size > 0 && (await arrived?.(size)) === false) return undefined;
    const deadline = performance.now() + PATIENCE.judgedBodyMs;
    let hasRoom = true;
    while (!this.#isDone && size <= limit) {
      if (this.#channel.buffered === 0) onWanted?.();
      for (const piece of await this.#pull(deadline)) {
        ahead.push(piece);
        size += piece.length;
        const room = arrived?.(piece.length);
        if (room !== undefined && !(await room)) hasRoom = false;
      }
      if (!hasRoom) return undefined;
    }
    if (!this.#isDone || size > limit) return undefined;
    const first = ahead[0];
    if (ahead.length === 1 && first) return first;
    const whole = Buffer.concat(ahead, size);
    if (size > 0) this.#ahead = [whole];
    return whole;
  }

  /** The next pieces, or undefined at the end. Throws BodyError as `peek` does. */
  async next(): Promise<readonly Uint8Array[] | undefined> {
    if (this.#ahead.length > 0) {
      const pieces = this.#ahead;
      this.#ahead = NONE;
      return pieces;
    }
    return this.#isDone ? undefined : this.#pull();
  }

  /** Returns the pieces that are there without waiting, or undefined when there are none. Throws BodyError. */
  nextBuffered(): readonly Uint8Array[] | undefined {
    if (this.#ahead.length > 0) {
      const pieces = this.#ahead;
      this.#ahead = NONE;
      return pieces;
    }
    if (this.#isDone || this.#channel.buffered === 0) return undefined;
    return this.#decode();
  }

  async #pull(deadline?: number): Promise<readonly Uint8Array[]> {
    if (this.#channel.buffered > 0 || (await this.#more(deadline))) return this.#decode();
    if (!this.#channel.isOver) throw new BodyError("the body took too long");
    if (this.#decoding().end() !== "complete" || this.#channel.error)
      throw new BodyError("the body ended before it was complete");
    if (this.#channel.stream.wasCutOff) throw new UnconfirmedEnd("the body ended without TLS's goodbye");
    this.#isDone = true;
    return [];
  }

  #decoding(): BodyDecoder {
    this.#decoder ??= new BodyDecoder(this.framing);
    return this.#decoder;
  }

  #more(deadline: number | undefined): Promise<boolean> {
    return deadline === undefined
      ? this.#channel.more()
      : this.#channel.moreWithin(deadline - performance.now());
  }

  #decode(): readonly Uint8Array[] {
    const bytes = this.#channel.read();
    const step = this.#decoding().push(bytes);
    if (step.kind === "bad") throw new BodyError(step.reason);
    if (step.done) {
      this.#isDone = true;
      this.#trailers = this.#keep?.(step.trailers) ?? step.trailers;
      if (step.consumed < bytes.length) this.#channel.unread(bytes.subarray(step.consumed));
    }
    return step.data;
  }
}
