// Descriptors that go from one process to another: a duplicate for a program that is started, and the message by which
// a running one is given one (SCM_RIGHTS), and pairs of sockets. Knows nothing of what a descriptor is for.

import { FFIType, ptr } from "bun:ffi";
import { cSymbol } from "../../state/c-symbol.ts";

const { i32, i64 } = FFIType;
const pointer = FFIType.ptr;

let dup: ((fd: number) => number) | undefined;

/** A second descriptor of the same file or socket. Throws when there is none. */
export function duplicateDescriptor(fd: number): number {
  dup ??= cSymbol<(fd: number) => number>("dup", { args: [i32], returns: i32 });
  const made = dup?.(fd) ?? -1;
  if (made < 0) throw new Error("the descriptor cannot be duplicated");
  return made;
}

/** Gives a descriptor to whoever reads the unix socket `over`, with one byte. Linux only; false when it did not go. */
export function sendDescriptor(over: number, fd: number): boolean {
  const sendmsg = cSymbol<(socket: number, message: unknown, flags: number) => number | bigint>("sendmsg", {
    args: [i32, pointer, i32],
    returns: i64,
  });
  if (process.platform !== "linux" || sendmsg === undefined) return false;
  const byte = new Uint8Array(1);
  const iovec = new BigUint64Array([BigInt(ptr(byte)), 1n]);
  // cmsghdr: its length (20), SOL_SOCKET, SCM_RIGHTS, the descriptor; padded to 24.
  const control = new DataView(new ArrayBuffer(24));
  control.setBigUint64(0, 20n, true);
  control.setInt32(8, 1, true);
  control.setInt32(12, 1, true);
  control.setInt32(16, fd, true);
  const bytes = new Uint8Array(control.buffer);
  // msghdr: no name, one piece, the control data, no flags.
  const message = new BigUint64Array([0n, 0n, BigInt(ptr(iovec)), 1n, BigInt(ptr(bytes)), 24n, 0n]);
  return Number(sendmsg(over, ptr(message), NO_SIGNAL)) === 1;
}

const NO_SIGNAL = 0x4000;

const AF_UNIX = 1;
const SOCK_STREAM = 1;
/** Programs that are started meanwhile do not get it. Linux only; elsewhere Bun sees to that. */
const SOCK_CLOEXEC = process.platform === "linux" ? 0o2000000 : 0;

type SocketPair = (family: number, type: number, protocol: number, pair: unknown) => number;

/** Two descriptors of connected sockets. Throws when there are none. */
export function socketPair(): readonly [ours: number, theirs: number] {
  const make = cSymbol<SocketPair>("socketpair", { args: [i32, i32, i32, pointer], returns: i32 });
  const pair = new Int32Array(2);
  if (make?.(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ptr(pair)) !== 0)
    throw new Error("a pair of sockets cannot be had");
  return [pair[0] as number, pair[1] as number];
}
