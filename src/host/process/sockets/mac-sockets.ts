// Whose TCP connection it is on macOS: the kernel's table net.inet.tcp.pcblist_n, read in one
// system call, for connections of every user. The table is a row of records that tell their length
// and kind; records grow from version to version (that of the socket did in Darwin 22), so nothing
// here depends on their sizes. The reader is pure and believes no length. A record that names no
// user is left out: its zeros would read as root.

import { FFIType, ptr } from "bun:ffi";
import { cSymbol } from "../../../state/c-symbol.ts";

/** One TCP connection as the kernel lists it. */
export interface MacSocket {
  readonly localPort: number;
  readonly remotePort: number;
  /** The bytes of the address, hex: 8 digits for IPv4, also where it is mapped into IPv6, 32 for IPv6. */
  readonly localAddress: string;
  readonly remoteAddress: string;
  /** TCPS_…: 4 is established. */
  readonly state: number;
  readonly uid: number;
  /** The process that used it last; 0 when the kernel does not say. */
  readonly pid: number;
}

const KIND_SOCKET = 0x1;
const KIND_INPCB = 0x10;
const KIND_TCPCB = 0x20;
const IPV4 = 0x1;
/** Bytes of each kind that are read. */
const SOCKET_BYTES = 76;
const INPCB_BYTES = 80;
const TCPCB_BYTES = 40;
const RECORDS_MAX = 1_000_000;

/**
 * The connections in a copy of the table. A record that is cut off or malformed ends the reading; earlier
 * ones count.
 */
export function parsePcblist(bytes: Uint8Array): readonly MacSocket[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: MacSocket[] = [];
  let inpcb: Pick<MacSocket, "localPort" | "remotePort" | "localAddress" | "remoteAddress"> | undefined;
  let socket: Pick<MacSocket, "uid" | "pid"> | undefined;
  // The first record (xinpgen) has a count where the others have a kind.
  let at = bytes.length >= 4 ? padded(view.getUint32(0, true)) : 0;
  if (at < 8) return [];
  for (let records = 0; at + 8 <= bytes.length && records < RECORDS_MAX; records++) {
    const length = view.getUint32(at, true);
    const kind = view.getUint32(at + 4, true);
    if (length < 8 || at + length > bytes.length) break;
    if (kind === KIND_INPCB && length >= INPCB_BYTES) {
      inpcb = readInpcb(view, at);
      socket = undefined;
    } else if (kind === KIND_SOCKET && length >= SOCKET_BYTES) socket = readSocket(view, at);
    else if (kind === KIND_TCPCB && length >= TCPCB_BYTES) {
      if (inpcb !== undefined && socket !== undefined)
        found.push({ ...inpcb, ...socket, state: view.getInt32(at + 36, true) });
      inpcb = undefined;
      socket = undefined;
    }
    at += padded(length);
  }
  return found;
}

/** The one connection with these ends. Undefined when there is none, or several that belong to different users. */
export function findMacSocket(
  sockets: readonly MacSocket[],
  client: { readonly address: Uint8Array; readonly port: number },
  server: { readonly address: Uint8Array; readonly port: number },
): MacSocket | undefined {
  const [local, remote] = [hexOf(client.address), hexOf(server.address)];
  const found = sockets.filter(
    (each) =>
      each.localPort === client.port &&
      each.remotePort === server.port &&
      each.localAddress === local &&
      each.remoteAddress === remote &&
      each.state >= 4 &&
      each.state < 10,
  );
  return found.every(({ uid }) => uid === found[0]?.uid) ? found[0] : undefined;
}

function readInpcb(view: DataView, at: number) {
  const isIpv4 = (view.getUint8(at + 44) & IPV4) !== 0;
  const address = (start: number) => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at + start, 16);
    return hexOf(isIpv4 ? bytes.subarray(12) : bytes);
  };
  return {
    remotePort: view.getUint16(at + 16, false),
    localPort: view.getUint16(at + 18, false),
    remoteAddress: address(48),
    localAddress: address(64),
  };
}

/** A network stack in user space lists its connections here too: without a family, which every socket of the kernel has, and without a user. */
function readSocket(view: DataView, at: number) {
  if (view.getInt32(at + 40, true) === 0) return undefined;
  return { uid: view.getUint32(at + 64, true), pid: Math.max(0, view.getInt32(at + 68, true)) };
}

/** An IPv4 address inside IPv6 (::ffff:a.b.c.d) is that IPv4 address. */
function hexOf(address: Uint8Array): string {
  const hex = Buffer.from(address).toString("hex");
  return hex.startsWith("00000000000000000000ffff") && hex.length === 32 ? hex.slice(24) : hex;
}

function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}

type Sysctl = (name: unknown, old: unknown, oldLength: unknown, value: null, length: bigint) => number;

let sysctl: Sysctl | null | undefined;

const NAME = Buffer.from("net.inet.tcp.pcblist_n\0");
/** The table grows between the question for its size and the one for its content. */
const ROOM_BYTES = 64 * 1024;
const LARGEST_BYTES = 256 * 1024 * 1024;

/** The connections of this Mac; undefined when the kernel does not tell. About a millisecond. */
export function readMacSockets(): readonly MacSocket[] | undefined {
  if (sysctl === undefined)
    sysctl =
      cSymbol<Sysctl>("sysctlbyname", {
        args: [FFIType.ptr, FFIType.ptr, FFIType.ptr, FFIType.ptr, FFIType.u64],
        returns: FFIType.i32,
      }) ?? null;
  if (sysctl === null) return undefined;
  for (let attempt = 0; attempt < 3; attempt++) {
    const length = new BigUint64Array(1);
    if (sysctl(ptr(NAME), null, ptr(length), null, 0n) !== 0) return undefined;
    const size = Number(length[0]) + ROOM_BYTES;
    if (size > LARGEST_BYTES) return undefined;
    const bytes = new Uint8Array(size);
    length[0] = BigInt(size);
    if (sysctl(ptr(NAME), ptr(bytes), ptr(length), null, 0n) === 0)
      return parsePcblist(bytes.subarray(0, Number(length[0])));
  }
  return undefined;
}
