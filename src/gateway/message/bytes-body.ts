// A body that iddio has in memory: of a request of its own, or in place of the one that the client
// sent. It is whole from the start, so nobody waits for it and nothing of it can break.

import type { Header } from "../../model/request.ts";
import type { Framing } from "../../wire/http1/head.ts";
import type { BodyReader } from "./upstream-answer.ts";

/** Octets in memory as the body of a message. */
export class BytesBody implements BodyReader {
  readonly framing: Framing;
  readonly trailers: readonly Header[] = [];
  #bytes: Uint8Array | undefined;

  constructor(bytes: Uint8Array | undefined) {
    this.#bytes = bytes === undefined || bytes.length === 0 ? undefined : bytes;
    this.framing =
      this.#bytes === undefined ? { kind: "none" } : { kind: "length", length: this.#bytes.length };
  }

  get isDone(): boolean {
    return true;
  }

  get isDrained(): boolean {
    return this.#bytes === undefined;
  }

  next(): Promise<readonly Uint8Array[] | undefined> {
    return Promise.resolve(this.nextBuffered());
  }

  nextBuffered(): readonly Uint8Array[] | undefined {
    const bytes = this.#bytes;
    this.#bytes = undefined;
    return bytes === undefined ? undefined : [bytes];
  }
}

/** Fields that speak of a body that is not sent any more. */
const OF_BODY = new Set([
  "content-length",
  "transfer-encoding",
  "content-encoding",
  "content-type",
  "trailer",
  "expect",
]);

/** The fields of a request whose body is now these octets of JSON. */
export function withJsonBody(headers: readonly Header[], bytes: Uint8Array): Header[] {
  const kept = headers.filter(([name]) => !OF_BODY.has(name.toLowerCase()));
  return [...kept, ["Content-Type", "application/json"], ["Content-Length", String(bytes.length)]];
}
