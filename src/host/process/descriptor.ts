// Descriptors that go from one process to another: a duplicate for a program that is started, and
// pairs of sockets. Does not know the purpose of a descriptor.

import { FFIType, ptr } from "bun:ffi";
import { cSymbol } from "../../state/c-symbol.ts";

const { i32 } = FFIType;
const pointer = FFIType.ptr;

let dup: ((fd: number) => number) | undefined;

/** A second descriptor of the same file or socket. Throws when there is none. */
export function duplicateDescriptor(fd: number): number {
  dup ??= cSymbol<(fd: number) => number>("dup", { args: [i32], returns: i32 });
  const made = dup?.(fd) ?? -1;
  if (made < 0) throw new Error("the descriptor cannot be duplicated");
  return made;
}

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
