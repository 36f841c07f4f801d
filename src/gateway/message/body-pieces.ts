// The pieces of a body as anyone may keep them: a reader gives views of a buffer that is used
// again, these are copies.

import { BodyError } from "./body-source.ts";
import type { BodyReader } from "./upstream-answer.ts";

/** Every piece, copied; `finish` is called once, however the loop is left. Throws BodyError when the body breaks. */
export async function* piecesOf(
  body: BodyReader,
  finish: () => void = () => {},
): AsyncGenerator<Uint8Array, undefined> {
  try {
    for (let pieces = await body.next(); pieces !== undefined; pieces = await body.next())
      for (const piece of pieces) yield new Uint8Array(piece);
    return undefined;
  } finally {
    finish();
  }
}

/** All of it in one. Throws BodyError for more than `octets`. */
export async function wholeOf(pieces: AsyncIterable<Uint8Array>, octets: number): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > octets) throw new BodyError(`the body is longer than ${octets} octets`);
    all.push(piece);
  }
  return Buffer.concat(all, size);
}
