// Reads the parts of a TLS ClientHello that are in the clear (RFC 8446 4.1.2): server name, ALPN,
// whether it is encrypted. The message is reassembled across records, because hellos with
// post-quantum key shares outgrow a TCP segment and some clients split them on purpose. Nothing
// here is cryptography.

/** need-more: a proper prefix. not-tls: the first octets are no handshake record. bad: a hello that no server should take. */
export type ClientHelloResult =
  | { readonly kind: "need-more" }
  | { readonly kind: "not-tls" }
  | { readonly kind: "bad"; readonly reason: string }
  | {
      readonly kind: "ok";
      /** SNI, lower case, without trailing dot; undefined when there is none. */
      readonly serverName: string | undefined;
      readonly alpn: readonly string[];
      /** An encrypted_client_hello extension is there, real or grease: the name may be a cover. */
      readonly hasEncryptedClientHello: boolean;
    };

/** Input that is longer than this without a complete hello is refused. */
export const MAX_CLIENT_HELLO_BYTES = 65_536;

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const MAX_RECORD = 16_384;
const EXTENSION_SERVER_NAME = 0;
const EXTENSION_ALPN = 16;
const EXTENSION_ECH = 0xfe0d;
const EXTENSION_ESNI = 0xffce;

const MORE: ClientHelloResult = { kind: "need-more" };
const NOT_TLS: ClientHelloResult = { kind: "not-tls" };

function malformed(reason: string): ClientHelloResult {
  return { kind: "bad", reason };
}

/** Reads the ClientHello at the start of a connection; octets after the hello are ignored. */
export function parseClientHello(bytes: Uint8Array): ClientHelloResult {
  if (bytes.length === 0) return MORE;
  if (bytes[0] !== HANDSHAKE) return NOT_TLS;
  if (bytes.length > 1 && bytes[1] !== 3) return NOT_TLS;
  const message = reassemble(bytes);
  return message instanceof Uint8Array ? parseMessage(message) : message;
}

/** The handshake message without its four-octet header, or why it is not there. */
function reassemble(bytes: Uint8Array): Uint8Array | ClientHelloResult {
  const pieces: Uint8Array[] = [];
  let collected = 0;
  let wanted = -1;
  let at = 0;
  while (wanted < 0 || collected < wanted) {
    if (at >= MAX_CLIENT_HELLO_BYTES) return malformed("client hello too large");
    if (at + 5 > bytes.length) return recordHeaderProblem(bytes, at) ?? MORE;
    const problem = recordHeaderProblem(bytes, at);
    if (problem !== undefined) return problem;
    const length = uint16(bytes, at + 3);
    const available = Math.min(length, bytes.length - at - 5);
    pieces.push(bytes.subarray(at + 5, at + 5 + available));
    collected += available;
    if (wanted < 0 && collected >= 4) {
      const header = join(pieces);
      if (header[0] !== CLIENT_HELLO) return malformed("first handshake message is not a client hello");
      wanted = 4 + ((header[1] as number) << 16) + uint16(header, 2);
      if (wanted > MAX_CLIENT_HELLO_BYTES) return malformed("client hello too large");
    }
    at += 5 + available;
    if (available < length) {
      if (wanted >= 0 && collected > wanted) return malformed("bytes after the client hello in its record");
      if (wanted < 0 || collected <= wanted) return MORE;
    }
  }
  // RFC 8446 5.1: no other message may share its record. A waiting server could read on differently.
  if (collected > wanted) return malformed("bytes after the client hello in its record");
  return join(pieces).subarray(4);
}

function recordHeaderProblem(bytes: Uint8Array, at: number): ClientHelloResult | undefined {
  if (at < bytes.length && bytes[at] !== HANDSHAKE)
    return malformed("another record type inside the client hello");
  if (at + 1 < bytes.length && bytes[at + 1] !== 3) return malformed("malformed record version");
  if (at + 5 > bytes.length) return undefined;
  const length = uint16(bytes, at + 3);
  return length === 0 || length > MAX_RECORD ? malformed("malformed record length") : undefined;
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0] as Uint8Array;
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** Walks length-prefixed vectors; `problem` is set at the first that does not fit. */
class Cursor {
  at = 0;
  hasProblem = false;

  constructor(readonly bytes: Uint8Array) {}

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  skip(count: number): void {
    if (this.at + count > this.bytes.length) this.hasProblem = true;
    else this.at += count;
  }

  number(size: 1 | 2): number {
    const start = this.at;
    this.skip(size);
    if (this.hasProblem) return 0;
    return size === 1 ? (this.bytes[start] as number) : uint16(this.bytes, start);
  }

  passVector(lengthSize: 1 | 2): undefined {
    this.skip(this.number(lengthSize));
  }

  vector(lengthSize: 1 | 2): Uint8Array {
    const length = this.number(lengthSize);
    const start = this.at;
    this.skip(length);
    return this.hasProblem ? new Uint8Array(0) : this.bytes.subarray(start, start + length);
  }
}

function parseMessage(message: Uint8Array): ClientHelloResult {
  const cursor = new Cursor(message);
  const version = cursor.number(2);
  cursor.skip(32);
  const sessionId = cursor.vector(1);
  const suites = cursor.vector(2);
  const compression = cursor.vector(1);
  if (cursor.hasProblem || version >> 8 !== 3) return malformed("malformed client hello");
  if (sessionId.length > 32 || suites.length === 0 || suites.length % 2 !== 0 || compression.length === 0)
    return malformed("malformed client hello");
  const none = { kind: "ok", serverName: undefined, alpn: [], hasEncryptedClientHello: false } as const;
  if (cursor.isAtEnd) return none;
  const extensions = cursor.vector(2);
  if (cursor.hasProblem || !cursor.isAtEnd) return malformed("malformed client hello extensions");
  return parseExtensions(new Cursor(extensions));
}

function parseExtensions(cursor: Cursor): ClientHelloResult {
  const seen = new Set<number>();
  let serverName: string | undefined;
  let alpn: readonly string[] = [];
  while (!cursor.isAtEnd) {
    const type = cursor.number(2);
    const isRead = type === EXTENSION_SERVER_NAME || type === EXTENSION_ALPN;
    const body = isRead ? cursor.vector(2) : cursor.passVector(2);
    if (cursor.hasProblem) return malformed("malformed client hello extensions");
    // Two server names, say, are read first-wins by some and last-wins by others.
    if (seen.has(type)) return malformed("duplicate client hello extension");
    seen.add(type);
    if (body === undefined) continue;
    if (type === EXTENSION_SERVER_NAME) {
      serverName = parseServerName(body);
      if (serverName === undefined) return malformed("malformed server name extension");
    } else {
      const names = parseAlpn(body);
      if (names === undefined) return malformed("malformed alpn extension");
      alpn = names;
    }
  }
  const hasEncryptedClientHello = seen.has(EXTENSION_ECH) || seen.has(EXTENSION_ESNI);
  return { kind: "ok", serverName, alpn, hasEncryptedClientHello };
}

/** RFC 6066 3: a list that holds exactly one host_name. */
function parseServerName(body: Uint8Array): string | undefined {
  const outer = new Cursor(body);
  const list = new Cursor(outer.vector(2));
  const type = list.number(1);
  const name = list.vector(2);
  if (outer.hasProblem || !outer.isAtEnd || list.hasProblem || !list.isAtEnd || type !== 0) return undefined;
  return printableName(name);
}

function parseAlpn(body: Uint8Array): string[] | undefined {
  const outer = new Cursor(body);
  const list = new Cursor(outer.vector(2));
  if (outer.hasProblem || !outer.isAtEnd || list.isAtEnd) return undefined;
  const names: string[] = [];
  while (!list.isAtEnd) {
    const name = list.vector(1);
    if (list.hasProblem || name.length === 0) return undefined;
    // Names are opaque octets (grease is not ASCII): one character an octet.
    names.push(String.fromCharCode(...name));
  }
  return names;
}

/** Lower case, one trailing dot dropped; undefined for anything but letters, digits, `-`, `_`, `.` and `:` (addresses). */
function printableName(name: Uint8Array): string | undefined {
  if (name.length === 0 || name.length > 255) return undefined;
  let text = "";
  for (const octet of name) {
    const lower = octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
    const isAlphanumeric = (lower >= 0x61 && lower <= 0x7a) || (lower >= 0x30 && lower <= 0x39);
    if (!isAlphanumeric && lower !== 0x2d && lower !== 0x2e && lower !== 0x3a && lower !== 0x5f)
      return undefined;
    text += String.fromCharCode(lower);
  }
  if (text.endsWith(".")) text = text.slice(0, -1);
  return text === "" || text.startsWith(".") || text.endsWith(".") || text.includes("..") ? undefined : text;
}
