// Octets to text and back, one character an octet (ISO 8859-1), so that obs-text in field values
// survives byte for byte. The platform's "latin1" decoder is windows-1252: equal except for the
// octets 0x80 to 0x9f, which therefore take the slow way.

const decoder = new TextDecoder("latin1");
const CALL_SIZE = 4096;

/** The octets as text. `hasC1` says whether any lies in 0x80..0x9f; when in doubt pass true. */
export function decodeLatin1(bytes: Uint8Array, hasC1: boolean): string {
  if (!hasC1) return decoder.decode(bytes);
  let text = "";
  for (let start = 0; start < bytes.length; start += CALL_SIZE)
    text += String.fromCharCode(...bytes.subarray(start, start + CALL_SIZE));
  return text;
}
