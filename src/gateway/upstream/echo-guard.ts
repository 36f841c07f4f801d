// An answer that holds the credential which was put into its request is cut before the client sees
// it: an echo service, a debug page, an error that quotes the request. The value is looked for as
// it is, percent-encoded and in base64 at each of its three alignments, also where it lies across
// two pieces.

import type { Header } from "../../model/request.ts";
import { BodyError } from "../message/body-source.ts";
import type { BodyReader, UpstreamAnswer } from "../message/upstream-answer.ts";
import { UpstreamError } from "./upstream-error.ts";

const ECHOED = "the answer holds the credential that iddio put into the request";

/** The spellings of a value that are looked for. */
export function spellingsOf(value: string): readonly Uint8Array[] {
  const bytes = Buffer.from(value, "latin1");
  const texts = new Set([value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]);
  for (let shift = 0; shift < 3; shift += 1) {
    // The first and last letters depend on the octets beside the value.
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    const inner = encoded.slice(Math.ceil((shift * 4) / 3), -4);
    if (inner.length >= 8) texts.add(inner).add(inner.replaceAll("+", "-").replaceAll("/", "_"));
  }
  return [...texts].map((text) => new Uint8Array(Buffer.from(text, "latin1")));
}

/** The answer, watched. Throws UpstreamError when its head already holds the value, and its body breaks where it does. */
export function guardAnswer(
  answer: UpstreamAnswer,
  spellings: readonly Uint8Array[],
  onEcho: () => void,
): UpstreamAnswer {
  for (const [, value] of answer.headers)
    if (holds(Buffer.from(value, "latin1"), spellings)) {
      answer.finish();
      onEcho();
      throw new UpstreamError("broken", ECHOED, { hasAnswered: true });
    }
  return {
    status: answer.status,
    statusText: answer.statusText,
    headers: answer.headers,
    verbatim: answer.verbatim,
    upgraded: answer.upgraded,
    body: new GuardedBody(answer.body, spellings, onEcho),
    finish: () => answer.finish(),
  };
}

function holds(bytes: Buffer, spellings: readonly Uint8Array[]): boolean {
  return spellings.some((spelling) => bytes.includes(spelling));
}

/** A body whose pieces are passed on once it is known that no spelling begins in them. */
class GuardedBody implements BodyReader {
  readonly #body: BodyReader;
  readonly #spellings: readonly Uint8Array[];
  readonly #onEcho: () => void;
  readonly #keep: number;
  /** Holds back octets that may begin a placeholder; they go on together with the octets that follow. */
  #tail = Buffer.alloc(0);
  #isEnded = false;

  constructor(body: BodyReader, spellings: readonly Uint8Array[], onEcho: () => void) {
    this.#body = body;
    this.#spellings = spellings;
    this.#onEcho = onEcho;
    this.#keep = Math.max(0, ...spellings.map(({ length }) => length)) - 1;
  }

  get framing() {
    return this.#body.framing;
  }

  get trailers(): readonly Header[] {
    return this.#body.trailers;
  }

  get isDone(): boolean {
    return this.#body.isDone && this.#tail.length === 0;
  }

  get isDrained(): boolean {
    return this.#body.isDrained && this.#tail.length === 0;
  }

  async next(): Promise<readonly Uint8Array[] | undefined> {
    for (;;) {
      const pieces = await this.#body.next();
      if (pieces === undefined) return this.#end();
      const passed = this.#pass(pieces);
      if (passed.length > 0) return passed;
    }
  }

  nextBuffered(): readonly Uint8Array[] | undefined {
    for (;;) {
      const pieces = this.#body.nextBuffered();
      if (pieces === undefined) return this.#body.isDrained ? this.#end() : undefined;
      const passed = this.#pass(pieces);
      if (passed.length > 0) return passed;
    }
  }

  #pass(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
    const all = Buffer.concat([this.#tail, ...pieces]);
    if (holds(all, this.#spellings)) {
      this.#onEcho();
      throw new BodyError(ECHOED);
    }
    // Most of it cannot be the beginning of a spelling; a live stream must not wait for octets that never come.
    const kept = this.#beginningAt(all);
    this.#tail = Buffer.from(all.subarray(kept));
    return kept === 0 ? [] : [new Uint8Array(all.subarray(0, kept))];
  }

  /** Where a spelling may begin that is not whole yet; the length when none does. */
  #beginningAt(bytes: Buffer): number {
    for (let at = Math.max(0, bytes.length - this.#keep); at < bytes.length; at += 1) {
      const rest = bytes.subarray(at);
      if (this.#spellings.some((spelling) => rest.equals(spelling.subarray(0, rest.length)))) return at;
    }
    return bytes.length;
  }

  #end(): readonly Uint8Array[] | undefined {
    if (this.#isEnded || this.#tail.length === 0) return undefined;
    this.#isEnded = true;
    const rest = new Uint8Array(this.#tail);
    this.#tail = Buffer.alloc(0);
    return [rest];
  }
}
