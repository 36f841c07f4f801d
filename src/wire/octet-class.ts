// Which octets may stand where in an HTTP message, as one table of bits indexed by octet.
// Everything the codec accepts is accepted by this table; nothing else in the folder may widen it.

/** tchar of RFC 9110 5.6.2: field names, codings, connection options. */
export const TOKEN = 1;
/** Class of the octets inside a field value: HTAB, SP, VCHAR, obs-text (RFC 9110 5.5). No other control. */
export const FIELD_VALUE = 2;
/** Class of the octets of a request target: visible ASCII without "#" (a fragment is never sent). */
export const TARGET = 4;
/** Class of the octets of a Host value or a CONNECT target: letters, digits and `-._:[]%`. */
export const AUTHORITY = 8;
/** 0x80 to 0x9f, where the web's "latin1" (windows-1252) is not ISO 8859-1. */
export const C1 = 16;
/** 0 to 9. */
export const DIGIT = 32;
/** Letters and "-": every registered method; other tokens are legal there, and in no client's use. */
export const METHOD = 64;
/** tchar without capitals: field names of HTTP/2 (RFC 9113 8.2). */
export const LOWER_TOKEN = 128;

function buildTable(): Uint8Array {
  const table = new Uint8Array(256);
  const mark = (characters: string, bit: number): void => {
    for (let i = 0; i < characters.length; i++) {
      const code = characters.charCodeAt(i);
      table[code] = (table[code] as number) | bit;
    }
  };
  mark("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", TOKEN | AUTHORITY | METHOD);
  mark("0123456789", TOKEN | AUTHORITY);
  mark("!#$%&'*+-.^_`|~", TOKEN);
  mark("-", METHOD);
  mark("-._:[]%", AUTHORITY);
  mark("0123456789", DIGIT);
  mark("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~", LOWER_TOKEN);
  for (let code = 0x20; code <= 0xff; code++) {
    if (code === 0x7f) continue;
    let bits = FIELD_VALUE;
    if (code > 0x20 && code < 0x7f && code !== 0x23) bits |= TARGET;
    if (code >= 0x80 && code <= 0x9f) bits |= C1;
    table[code] = (table[code] as number) | bits;
  }
  table[0x09] = FIELD_VALUE;
  return table;
}

/** Bits of the classes that an octet belongs to; index with 0 to 255. */
export const OCTET_CLASS: Uint8Array = buildTable();

/** Whether every character of a non-empty text is in the class; characters above 0xff are in none. */
export function isAll(text: string, octetClass: number): boolean {
  for (let i = 0; i < text.length; i++) {
    // Out of range of the table is undefined, and `undefined & bit` is 0: not in the class.
    if (((OCTET_CLASS[text.charCodeAt(i)] as number) & octetClass) === 0) return false;
  }
  return text.length > 0;
}
