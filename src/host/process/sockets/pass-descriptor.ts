// An open connection goes from one process to another: its descriptor beside a line of text, over
// a unix socket (SCM_RIGHTS). Linux only. Both ends use the calls of the system: Bun reads a
// socket's bytes and drops everything beside them.

import { FFIType, ptr } from "bun:ffi";
import { cSymbol } from "../../../state/c-symbol.ts";
import { duplicateDescriptor } from "../descriptor.ts";

const { i32, i64, u32 } = FFIType;
const pointer = FFIType.ptr;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
/** SOCK_NONBLOCK and SOCK_CLOEXEC: a daemon that does not answer holds nobody up. */
const SOCK_FLAGS = 0o4000 | 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const SO_TYPE = 3;
const SO_DOMAIN = 39;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
/** sun_family, the path and its zero. */
const ADDRESS_LENGTH = 110;
const HEADER_LENGTH = 56;
/** struct cmsghdr and one descriptor, as they are sent, and the room for more than one, so that none goes unseen. */
const RIGHTS_LENGTH = 20;
const SENT_LENGTH = 24;
const RIGHTS_ROOM = 64;
const TEXT_MAX = 1024;

type Call = (fd: number, ...more: unknown[]) => number | bigint;

const SYMBOLS = {
  socket: { args: [i32, i32, i32], returns: i32 },
  connect: { args: [i32, pointer, u32], returns: i32 },
  close: { args: [i32], returns: i32 },
  sendmsg: { args: [i32, pointer, i32], returns: i64 },
  recvmsg: { args: [i32, pointer, i32], returns: i64 },
  getsockopt: { args: [i32, i32, i32, pointer, pointer], returns: i32 },
} as const;

const loaded = new Map<string, Call>();

function call(name: keyof typeof SYMBOLS): Call {
  const known = loaded.get(name) ?? cSymbol<Call>(name, SYMBOLS[name] as never);
  if (known === undefined) throw new Error(`the C library has no ${name}`);
  loaded.set(name, known);
  return known;
}

/** One buffer of each kind, for calls that end before the next one begins: nothing that the system reads is collected. */
const HEADER = new BigUint64Array(HEADER_LENGTH / 8);
const PIECES = new BigUint64Array(2);
const TEXT = new Uint8Array(TEXT_MAX);
const BESIDE = new Uint8Array(RIGHTS_ROOM);

/** A struct msghdr over the first octets of the buffers. */
function message(text: number, beside: number): number {
  PIECES[0] = BigInt(ptr(TEXT));
  PIECES[1] = BigInt(text);
  HEADER.fill(0n);
  HEADER[2] = BigInt(ptr(PIECES));
  HEADER[3] = 1n;
  HEADER[4] = BigInt(ptr(BESIDE));
  HEADER[5] = BigInt(beside);
  return ptr(HEADER);
}

/**
 * Sends a descriptor, which stays open here, with a text of at most 1,024 octets to whoever listens at a path. False:
 * nobody does, or it has too much to do.
 */
export function sendDescriptor(path: string, text: string, fd: number): boolean {
  const name = Buffer.from(path);
  const address = new Uint8Array(ADDRESS_LENGTH);
  address[0] = AF_UNIX;
  if (name.length > ADDRESS_LENGTH - 3) return false;
  address.set(name, 2);
  const socket = Number(call("socket")(AF_UNIX, SOCK_STREAM | SOCK_FLAGS, 0));
  if (socket < 0) return false;
  try {
    if (Number(call("connect")(socket, ptr(address), address.length)) !== 0) return false;
    return sendOver(socket, text, fd);
  } finally {
    call("close")(socket);
  }
}

/** Sends a descriptor, which stays open here, with a text to the peer of a unix socket. False: the peer is gone. */
export function sendOver(socket: number, text: string, fd: number): boolean {
  const view = new DataView(BESIDE.buffer);
  view.setUint32(0, RIGHTS_LENGTH, true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  view.setInt32(16, fd, true);
  const { written } = new TextEncoder().encodeInto(text, TEXT);
  return Number(call("sendmsg")(socket, message(written, SENT_LENGTH), MSG_NOSIGNAL)) === written;
}

/** Whether a descriptor is a unix socket over which another one can be sent. */
export function isUnixSocket(fd: number): boolean {
  return optionOf(fd, SO_TYPE) === SOCK_STREAM && optionOf(fd, SO_DOMAIN) === AF_UNIX;
}

/** A text that came, and the descriptors beside it, which are the caller's now. */
export interface Passed {
  readonly text: string;
  readonly descriptors: readonly number[];
}

/** Reads a unix socket without waiting; undefined when nothing is there yet. */
export function receiveDescriptors(socket: number): Passed | undefined {
  const flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
  const length = Number(call("recvmsg")(socket, message(TEXT_MAX, RIGHTS_ROOM), flags));
  if (length < 0) return undefined;
  const view = new DataView(BESIDE.buffer);
  const size = Number(HEADER[5] ?? 0n);
  const descriptors: number[] = [];
  for (let at = 0; at + 16 <= size; ) {
    const whole = Number(view.getBigUint64(at, true));
    if (whole < 16) break;
    if (view.getInt32(at + 8, true) === SOL_SOCKET && view.getInt32(at + 12, true) === SCM_RIGHTS)
      for (let each = at + 16; each + 4 <= Math.min(at + whole, size); each += 4)
        descriptors.push(view.getInt32(each, true));
    at += (whole + 7) & ~7;
  }
  return { text: new TextDecoder("latin1").decode(TEXT.subarray(0, length)), descriptors };
}

/** How often, and how long, a message that was not there at once is looked for. */
const RETRY_MS = 2;
const WAIT_MS = 2_000;

/**
 * Takes the one connection that the peer of a unix socket passes with its first words. `socket` is left as it is;
 * undefined when nothing comes, or something other than one connection of the Internet protocols: that is closed.
 */
export async function takeConnection(
  socket: number,
): Promise<{ readonly text: string; readonly fd: number } | undefined> {
  const own = duplicateDescriptor(socket);
  try {
    const end = performance.now() + WAIT_MS;
    let passed = receiveDescriptors(own);
    while (passed === undefined && performance.now() < end) {
      await Bun.sleep(RETRY_MS);
      passed = receiveDescriptors(own);
    }
    const [fd, ...others] = passed?.descriptors ?? [];
    if (passed === undefined || fd === undefined) return undefined;
    if (others.length === 0 && isConnection(fd)) return { text: passed.text, fd };
    for (const each of [fd, ...others]) call("close")(each);
    return undefined;
  } finally {
    call("close")(own);
  }
}

/** Whether it is a TCP socket: anything else might hold up whoever reads it. */
function isConnection(fd: number): boolean {
  const domain = optionOf(fd, SO_DOMAIN);
  return optionOf(fd, SO_TYPE) === SOCK_STREAM && (domain === AF_INET || domain === AF_INET6);
}

function optionOf(fd: number, name: number): number | undefined {
  const value = new Int32Array(1);
  const length = new Uint32Array([4]);
  return Number(call("getsockopt")(fd, SOL_SOCKET, name, ptr(value), ptr(length))) === 0
    ? value[0]
    : undefined;
}
