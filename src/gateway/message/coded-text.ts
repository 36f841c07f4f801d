// Whether a server that does not undo a content coding would find something to read in the packed
// octets. Readers of forms take any octets and look for the fields that they know; all others need
// text from the first octet to the last.

import { type Header, headerValues } from "../../model/request.ts";
import { decodeLoosely } from "../../protocols/lenient-path.ts";

const FORM = /^\s*(?:$|application\/x-www-form|multipart\/)/i;

/** All by which a field of a form decides, and what begins a part. By chance they are in one body of a billion. */
const TELLING = /action|_method|content-(?:disposition|type)/i;

/** Control characters but tab, line feed and carriage return are in no text. */
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/** Whether the packed octets are a request of their own to a server that takes them as they come. */
export function readsAsText(headers: readonly Header[], packed: Uint8Array): boolean {
  const types = headerValues(headers, "content-type");
  const latin = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength).toString("latin1");
  if ((types.length === 0 || types.some((type) => FORM.test(type))) && TELLING.test(decodeLoosely(latin)))
    return true;
  return packed.length > 0 && !CONTROL.test(latin) && isUtf8(packed);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
