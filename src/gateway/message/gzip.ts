// Unpacks a body in gzip (RFC 1952) that is one member and nothing else. The format has places for
// any text beside the data: extra fields, a comment, a name, further members and whatever follows.
// Clients use none of them but the name, and a server that does not unpack could read a request
// there.

import { crc32, inflateRawSync } from "node:zlib";

/** The answer of Node's decoders with `info`; `bytesWritten` is how much of the input they took. */
export interface Unpacked {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

const HEAD_LENGTH = 10;
/** Checksum and length behind the data. */
const TAIL_LENGTH = 8;
const HAS_NAME = 8;
const MOST_NAME = 255;

/** The data, or undefined when there is anything else or more than `limit` octets. May throw what the decoder throws. */
export function unpackGzip(bytes: Uint8Array, limit: number): Uint8Array | undefined {
  const start = dataStart(bytes);
  if (start === undefined) return undefined;
  const options = { maxOutputLength: limit, info: true } as const;
  const { buffer, engine } = inflateRawSync(bytes.subarray(start), options) as unknown as Unpacked;
  const end = start + engine.bytesWritten;
  if (end + TAIL_LENGTH !== bytes.length) return undefined;
  const tail = new DataView(bytes.buffer, bytes.byteOffset + end, TAIL_LENGTH);
  const isIntact =
    tail.getUint32(0, true) === crc32(buffer) && tail.getUint32(4, true) === buffer.length % 2 ** 32;
  return isIntact ? buffer : undefined;
}

/** Where the data begins; undefined for another format and for a header that says more than a plain file name. */
function dataStart(bytes: Uint8Array): number | undefined {
  const [first, second, method, flags] = bytes;
  if (first !== 0x1f || second !== 0x8b || method !== 8) return undefined;
  if (flags === 0) return HEAD_LENGTH;
  if (flags !== HAS_NAME) return undefined;
  const end = bytes.indexOf(0, HEAD_LENGTH);
  if (end < 0 || end > HEAD_LENGTH + MOST_NAME) return undefined;
  const name = Buffer.from(bytes.subarray(HEAD_LENGTH, end)).toString("latin1");
  return /^[\w. -]*$/.test(name) ? end + 1 : undefined;
}
