// One request at the upstream: its number and kind by its target, its body held against what it
// should be, its reply.

import { type Kind, kindOf, numberIn, replyBody, requestBody } from "./kinds.ts";
import { ARRIVED, type Ledger, noteArrival } from "./ledger.ts";

const NONE = Buffer.alloc(0);

/** A request as it arrives. */
export class Arrival {
  readonly kind: Kind | undefined;
  /** The reply's body; empty for requests that are not of the ledger. */
  readonly reply: Buffer;
  readonly #ledger: Ledger;
  readonly #id: number;
  #expected: Buffer | undefined;
  #length = 0;
  #isRight = true;

  constructor(ledger: Ledger, target: string) {
    this.#ledger = ledger;
    this.#id = numberIn(target) ?? -1;
    this.kind = kindOf(ledger.kinds[this.#id]);
    this.reply = this.kind ? replyBody(this.kind, this.#id) : NONE;
    if (this.kind) noteArrival(ledger, this.#id);
  }

  /** A piece of the request's body. */
  take(bytes: Uint8Array): void {
    if (!this.kind) return;
    this.#expected ??= requestBody(this.kind, this.#id);
    const end = this.#length + bytes.length;
    if (!this.#expected.subarray(this.#length, end).equals(bytes)) this.#isRight = false;
    this.#length = end;
  }

  /** The body's framing says that it is whole. */
  end(): void {
    if (!this.kind) return;
    const { arrived } = this.#ledger;
    const isRight = this.#isRight && this.#length === this.kind.body;
    arrived[this.#id] = (arrived[this.#id] ?? 0) | (isRight ? ARRIVED.whole : ARRIVED.wrong);
  }
}

/** How often a watch asks for an event, in milliseconds; undefined for a target that is none. */
export function everyMs(target: string): number | undefined {
  const found = /[?&]watch=1&every=(\d+)/.exec(target)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** A watch is sent this now and then. */
export const WATCH_EVENT: Buffer = Buffer.from('{"type":"MODIFIED","object":{"kind":"Pod"}}\n');

/** How long a slow reply rests between its pieces. */
export const REST_MS = 40;

/** The reply in the pieces in which it is sent, each but the first after a rest. */
export function piecesOf({ kind, reply }: Arrival): readonly Buffer[] {
  if (!kind?.isSlow) return [reply];
  const third = Math.ceil(reply.length / 3);
  return [reply.subarray(0, third), reply.subarray(third, 2 * third), reply.subarray(2 * third)];
}
