// Writes DER for tests, also what no library would write.

import { der } from "../../src/ca/certificates/der-writer.ts";

export {
  bitString,
  context,
  der,
  flags,
  octetString,
  oid,
  sequence,
  set,
  TRUE,
  time,
  utf8 as text,
} from "../../src/ca/certificates/der-writer.ts";

/** NULL. */
export const NULL = der(0x05);

/** A non-negative INTEGER, minimal. */
export function integer(value: number | bigint): Uint8Array {
  let hex = value.toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  if (Number.parseInt(hex.slice(0, 2), 16) >= 0x80) hex = `00${hex}`;
  return der(0x02, Buffer.from(hex, "hex"));
}
