// One question to the Linux kernel: whose is this TCP socket? Asked by netlink
// (sock_diag(7), exact lookup), because reading /proc/net/tcp costs milliseconds on a
// busy machine. Undefined wherever it cannot be asked.

import { FFIType, ptr } from "bun:ffi";
import { readAddress } from "../../../match/destination.ts";
import { cSymbol } from "../../../state/c-symbol.ts";

/** The kernel's answer about one socket. */
export interface SocketRecord {
  readonly uid: number;
  /** Inode number, as `/proc/<pid>/fd` names it: `socket:[inode]`. */
  readonly inode: number;
}

/** One end of a connection. */
export interface SocketEnd {
  /** IPv4 or IPv6 address without brackets. */
  readonly address: string;
  readonly port: number;
}

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const MSG_DONTWAIT = 0x40;
const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_TCP = 6;
const REQUEST_BYTES = 72;

type Socket = (family: number, type: number, protocol: number) => number;

interface Netlink {
  readonly fd: number;
  send(fd: number, bytes: unknown, length: number, flags: number): number | bigint;
  recv(fd: number, bytes: unknown, length: number, flags: number): number | bigint;
}

let netlink: Netlink | null | undefined;

function open(): Netlink | null {
  if (process.platform !== "linux") return null;
  const i32 = FFIType.i32;
  const transfer = { args: [i32, FFIType.ptr, FFIType.u64, i32], returns: FFIType.i64 };
  const socket = cSymbol<Socket>("socket", { args: [i32, i32, i32], returns: i32 });
  const send = cSymbol<Netlink["send"]>("send", transfer);
  const recv = cSymbol<Netlink["recv"]>("recv", transfer);
  if (socket === undefined || send === undefined || recv === undefined) return null;
  const fd = socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG);
  return fd < 0 ? null : { fd, send, recv };
}

const request = new Uint8Array(REQUEST_BYTES);
const reply = new Uint8Array(1024);
let sequence = 0;

/** The socket bound to `local` and connected to `remote` on this machine. */
export function lookUpSocket(local: SocketEnd, remote: SocketEnd): SocketRecord | undefined {
  if (netlink === undefined) netlink = open();
  if (netlink === null || !writeRequest(local, remote)) return undefined;
  const { fd, send, recv } = netlink;
  if (Number(send(fd, ptr(request), REQUEST_BYTES, 0)) !== REQUEST_BYTES) return undefined;
  // The kernel answers before send returns; an answer to an earlier question may still be queued.
  for (;;) {
    const length = Number(recv(fd, ptr(reply), reply.length, MSG_DONTWAIT));
    if (length < 16) return undefined;
    const view = new DataView(reply.buffer, 0, length);
    if (view.getUint32(8, true) !== sequence) continue;
    if (view.getUint16(4, true) !== SOCK_DIAG_BY_FAMILY || length < 88) return undefined;
    return { uid: view.getUint32(80, true), inode: view.getUint32(84, true) };
  }
}

/** Fills in `struct inet_diag_req_v2` behind a netlink header; false when an address is none. */
function writeRequest(local: SocketEnd, remote: SocketEnd): boolean {
  const source = addressBytes(local.address);
  const destination = addressBytes(remote.address);
  if (!source || !destination || source.length !== destination.length) return false;
  sequence = (sequence + 1) >>> 0;
  request.fill(0);
  const view = new DataView(request.buffer);
  view.setUint32(0, REQUEST_BYTES, true);
  view.setUint16(4, SOCK_DIAG_BY_FAMILY, true);
  view.setUint16(6, NLM_F_REQUEST, true);
  view.setUint32(8, sequence, true);
  request[16] = source.length === 4 ? AF_INET : AF_INET6;
  request[17] = IPPROTO_TCP;
  view.setUint32(20, 0xffffffff, true);
  view.setUint16(24, local.port, false);
  view.setUint16(26, remote.port, false);
  request.set(source, 28);
  request.set(destination, 44);
  // No cookie: any socket with these addresses is the one.
  view.setUint32(64, 0xffffffff, true);
  view.setUint32(68, 0xffffffff, true);
  return true;
}

/** The bytes of an address in network order, IPv4-mapped as IPv4; undefined for a name. */
export function addressBytes(text: string): Uint8Array | undefined {
  const address = readAddress(text);
  if (address === undefined) return undefined;
  const { family, parts } = address;
  return Uint8Array.from(family === 4 ? parts : parts.flatMap((word) => [word >> 8, word & 0xff]));
}
