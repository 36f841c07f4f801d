// Builds TLS ClientHello messages octet by octet, for tests of what the real stacks never send.

/** A vector with its length in front, in so many octets. */
export function vector(lengthOctets: 1 | 2 | 3, body: readonly number[]): number[] {
  const length = Array.from(
    { length: lengthOctets },
    (_, i) => (body.length >> (8 * (lengthOctets - 1 - i))) & 255,
  );
  return [...length, ...body];
}

/** The octets of ASCII text. */
export function ascii(text: string): number[] {
  return [...text].map((character) => character.charCodeAt(0));
}

/** An extension of this type. */
export function extension(type: number, body: readonly number[]): number[] {
  return [type >> 8, type & 255, ...vector(2, body)];
}

/** The server_name extension with one host name. */
export function serverName(name: string): number[] {
  return extension(0, vector(2, [0, ...vector(2, ascii(name))]));
}

/** The ALPN extension. */
export function alpn(...names: string[]): number[] {
  return extension(
    16,
    vector(
      2,
      names.flatMap((name) => vector(1, ascii(name))),
    ),
  );
}

/** A ClientHello handshake message with these extensions; undefined leaves the extension block out. */
export function helloMessage(extensions: readonly number[] | undefined, type = 1): number[] {
  const random = new Array<number>(32).fill(7);
  const body = [3, 3, ...random, ...vector(1, []), ...vector(2, [0x13, 0x01]), ...vector(1, [0])];
  if (extensions !== undefined) body.push(...vector(2, extensions));
  return [type, ...vector(3, body)];
}

/** Handshake records that carry the message in fragments of at most so many octets. */
export function records(message: readonly number[], fragment = 16_384): Uint8Array {
  const out: number[] = [];
  for (let at = 0; at < message.length; at += fragment)
    out.push(22, 3, 1, ...vector(2, message.slice(at, at + fragment)));
  return Uint8Array.from(out);
}
