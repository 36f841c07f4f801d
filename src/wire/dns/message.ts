// The little of DNS (RFC 1035) that the resolver inside a sandbox speaks: one question in, an
// answer with at most one record out. Strict: anything but exactly one plain question is a format
// error, and names are bounded and checked.

/** Types of records that are answered with something. */
export const DNS_TYPE = { a: 1, ptr: 12 } as const;

/** The code of a DNS response. */
export type DnsCode = "ok" | "format-error" | "server-failure" | "no-such-name" | "not-implemented";

const CODES: Readonly<Record<DnsCode, number>> = {
  ok: 0,
  "format-error": 1,
  "server-failure": 2,
  "no-such-name": 3,
  "not-implemented": 4,
};

/** One question. */
export interface DnsQuestion {
  readonly id: number;
  readonly recursionDesired: boolean;
  /** Lower case, no trailing dot; "" is the root. */
  readonly name: string;
  readonly type: number;
  /** The question section as sent, which an answer repeats. */
  readonly section: Uint8Array;
}

/** The reason why a message is no question. */
export interface DnsProblem {
  /** To answer with; undefined: say nothing. */
  readonly id: number | undefined;
  readonly code: DnsCode;
}

const HEADER = 12;
const CLASS_IN = 1;
const NAME_MAX = 253;

/** Reads a query with exactly one question of class IN. */
export function readDnsQuery(bytes: Uint8Array): DnsQuestion | DnsProblem {
  if (bytes.length < HEADER) return { id: undefined, code: "format-error" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const id = view.getUint16(0);
  const flags = view.getUint16(2);
  // A response is never answered: two resolvers could talk for ever.
  if ((flags & 0x8000) !== 0) return { id: undefined, code: "format-error" };
  if ((flags & 0x7800) !== 0) return { id, code: "not-implemented" };
  if (view.getUint16(4) !== 1) return { id, code: "format-error" };
  const labels: string[] = [];
  let at = HEADER;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || length > 63) return { id, code: "format-error" };
    at += 1;
    if (length === 0) break;
    const label = bytes.subarray(at, at + length);
    if (label.length < length) return { id, code: "format-error" };
    labels.push(String.fromCharCode(...label).toLowerCase());
    at += length;
  }
  if (at + 4 > bytes.length) return { id, code: "format-error" };
  const type = view.getUint16(at);
  if (view.getUint16(at + 2) !== CLASS_IN) return { id, code: "not-implemented" };
  const name = labels.join(".");
  if (name.length > NAME_MAX) return { id, code: "format-error" };
  // A dot inside a label would make two names look alike.
  if (labels.some((label) => label.includes("."))) return { id, code: "no-such-name" };
  return {
    id,
    recursionDesired: (flags & 0x0100) !== 0,
    name,
    type,
    section: bytes.slice(HEADER, at + 4),
  };
}

/** A response without a question, to something that was none. */
export function dnsProblem(id: number, code: DnsCode): Uint8Array {
  const bytes = new Uint8Array(HEADER);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id);
  view.setUint16(2, 0x8000 | CODES[code]);
  return bytes;
}

/** A response to a question, with the data of one record of the type that was asked for or with none. */
export function dnsAnswer(question: DnsQuestion, code: DnsCode, data?: Uint8Array, seconds = 60): Uint8Array {
  const { section } = question;
  const record = data === undefined ? 0 : 12 + data.length;
  const bytes = new Uint8Array(HEADER + section.length + record);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, question.id);
  view.setUint16(2, 0x8480 | (question.recursionDesired ? 0x0100 : 0) | CODES[code]);
  view.setUint16(4, 1);
  view.setUint16(6, data === undefined ? 0 : 1);
  bytes.set(section, HEADER);
  if (data === undefined) return bytes;
  const at = HEADER + section.length;
  // The name is a pointer to the question's.
  view.setUint16(at, 0xc000 | HEADER);
  view.setUint16(at + 2, question.type);
  view.setUint16(at + 4, CLASS_IN);
  view.setUint32(at + 6, seconds);
  view.setUint16(at + 10, data.length);
  bytes.set(data, at + 12);
  return bytes;
}

/** A name as the data of a PTR record. Labels must be at most 63 characters. */
export function dnsName(name: string): Uint8Array {
  const bytes: number[] = [];
  for (const label of name === "" ? [] : name.split(".")) {
    bytes.push(label.length, ...[...label].map((char) => char.charCodeAt(0) & 0xff));
  }
  return Uint8Array.from([...bytes, 0]);
}
