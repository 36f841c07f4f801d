// An answer whose body is kept, as far as it is small, while it passes on as it is: for whoever has
// to know what an upstream said without asking it again.

import type { BodyReader, UpstreamAnswer } from "./upstream-answer.ts";

/** The answer; `seen` is called once with its whole body, or with undefined where that is longer or broke off. */
export function watchedAnswer(
  answer: UpstreamAnswer,
  limit: number,
  seen: (body: Uint8Array | undefined) => void,
): UpstreamAnswer {
  const body = new WatchedBody(answer.body, limit);
  let isTold = false;
  return {
    status: answer.status,
    statusText: answer.statusText,
    headers: answer.headers,
    verbatim: answer.verbatim,
    upgraded: answer.upgraded,
    body,
    finish() {
      if (!isTold) seen(body.whole);
      isTold = true;
      answer.finish();
    },
  };
}

class WatchedBody implements BodyReader {
  readonly #body: BodyReader;
  readonly #limit: number;
  #kept: Uint8Array[] | undefined = [];
  #size = 0;

  constructor(body: BodyReader, limit: number) {
    this.#body = body;
    this.#limit = limit;
  }

  /** All of it; undefined while it is not all there, and where it is too long. */
  get whole(): Uint8Array | undefined {
    return this.#body.isDrained && this.#kept !== undefined
      ? Buffer.concat(this.#kept, this.#size)
      : undefined;
  }

  get framing() {
    return this.#body.framing;
  }

  get trailers() {
    return this.#body.trailers;
  }

  get isDone(): boolean {
    return this.#body.isDone;
  }

  get isDrained(): boolean {
    return this.#body.isDrained;
  }

  async next(): Promise<readonly Uint8Array[] | undefined> {
    return this.#see(await this.#body.next());
  }

  nextBuffered(): readonly Uint8Array[] | undefined {
    return this.#see(this.#body.nextBuffered());
  }

  #see(pieces: readonly Uint8Array[] | undefined): readonly Uint8Array[] | undefined {
    for (const piece of pieces ?? []) {
      this.#size += piece.length;
      if (this.#size > this.#limit) this.#kept = undefined;
      // A copy: the piece is given back once it is written.
      this.#kept?.push(new Uint8Array(piece));
    }
    return pieces;
  }
}
