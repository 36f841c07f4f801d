// Reads the certificate that a TLS 1.2 server shows before anything is encrypted (RFC 5246 7.4.2).
// Holds a hello that asks for it, without a session to resume and without TLS 1.3, and the reader
// of the answer. Nothing here is cryptography.

const HANDSHAKE = 22;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
/** A flight with a long chain has some 10 KB. */
const MAX_FLIGHT = 131_072;

/** need-more: a proper prefix. none: no certificate will come in the clear. found: the server's own, in DER. */
export type FlightResult =
  | { readonly kind: "need-more" }
  | { readonly kind: "none" }
  | { readonly kind: "found"; readonly der: Uint8Array };

/** A ClientHello of TLS 1.2 for `serverName` (undefined: none is named); `random` is 32 octets. */
export function plainHello(serverName: string | undefined, random: Uint8Array): Uint8Array {
  const name = new TextEncoder().encode(serverName ?? "");
  const extensions = [
    ...(serverName === undefined ? [] : [extension(0, counted(2, [0, ...counted(2, [...name])]))]),
    // x25519, P-256, P-384, P-521; uncompressed points; every signature that a server may have.
    extension(10, counted(2, words(0x001d, 0x0017, 0x0018, 0x0019))),
    extension(11, counted(1, [0])),
    extension(13, counted(2, words(...SIGNATURES))),
  ].flat();
  const body = [3, 3, ...random, 0, ...counted(2, words(...SUITES)), 1, 0, ...counted(2, extensions)];
  return Uint8Array.from([HANDSHAKE, 3, 1, ...counted(2, [1, ...counted(3, body)])]);
}

const SUITES = [
  ...[0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc009, 0xc013, 0xc00a, 0xc014, 0xc023, 0xc027],
  ...[0x009e, 0x009f, 0x0033, 0x0039, 0x009c, 0x009d, 0x003c, 0x003d, 0x002f, 0x0035, 0x000a],
];
const SIGNATURES = [
  0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201,
];

const words = (...values: readonly number[]) => values.flatMap((value) => [value >> 8, value & 255]);

function counted(size: 1 | 2 | 3, content: readonly number[]): number[] {
  const length = Array.from({ length: size }, (_, at) => (content.length >> (8 * (size - 1 - at))) & 255);
  return [...length, ...content];
}

const extension = (type: number, content: readonly number[]) => [...words(type), ...counted(2, content)];

/** Reads the beginning of the server's octets. */
export function certificateInFlight(bytes: Uint8Array): FlightResult {
  if (bytes.length > MAX_FLIGHT) return { kind: "none" };
  const pieces: Uint8Array[] = [];
  let isWhole = true;
  for (let at = 0; at < bytes.length; ) {
    // An alert, or encrypted octets.
    if (bytes[at] !== HANDSHAKE || (at + 1 < bytes.length && bytes[at + 1] !== 3)) {
      isWhole = false;
      break;
    }
    const end = at + 5 + (((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0));
    if (at + 5 > bytes.length) break;
    pieces.push(bytes.subarray(at + 5, Math.min(end, bytes.length)));
    at = end;
  }
  const found = certificateIn(Buffer.concat(pieces));
  return found.kind === "need-more" && !isWhole ? { kind: "none" } : found;
}

function certificateIn(messages: Buffer): FlightResult {
  for (let at = 0; at + 4 <= messages.length; ) {
    const type = messages[at];
    const end = at + 4 + messages.readUIntBE(at + 1, 3);
    if (type !== SERVER_HELLO && type !== CERTIFICATE) return { kind: "none" };
    if (end > messages.length) break;
    if (type === CERTIFICATE) {
      // The list's length, then the first certificate's.
      if (end < at + 10) return { kind: "none" };
      const length = messages.readUIntBE(at + 7, 3);
      const der = messages.subarray(at + 10, at + 10 + length);
      return length > 0 && at + 10 + length <= end ? { kind: "found", der } : { kind: "none" };
    }
    at = end;
  }
  return { kind: "need-more" };
}
