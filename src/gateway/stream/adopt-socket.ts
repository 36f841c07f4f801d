// Sockets that are connected already, by their descriptors: one that another process gave, and pairs of which the other
// end goes to a program that is started, where a pipe would be slower. Once adopted, the descriptor is the stream's.

import { FFIType, ptr } from "bun:ffi";
import { cSymbol } from "../../state/c-symbol.ts";
import { TcpStream } from "./tcp-stream.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
/** Programs that are started meanwhile do not get it. Linux only; elsewhere Bun sees to that. */
const SOCK_CLOEXEC = process.platform === "linux" ? 0o2000000 : 0;

/** A stream over a connected socket. */
export async function adoptSocket(fd: number): Promise<TcpStream> {
  const { promise, resolve } = Promise.withResolvers<TcpStream>();
  await Bun.connect<TcpStream | undefined>({
    fd,
    allowHalfOpen: true,
    data: undefined,
    socket: TcpStream.handlers(resolve),
  } as never);
  return promise;
}

type SocketPair = (family: number, type: number, protocol: number, pair: unknown) => number;

/** Two descriptors of connected sockets. Throws when there are none. */
export function socketPair(): readonly [ours: number, theirs: number] {
  const { i32, ptr: pointer } = FFIType;
  const make = cSymbol<SocketPair>("socketpair", { args: [i32, i32, i32, pointer], returns: i32 });
  const pair = new Int32Array(2);
  if (make?.(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ptr(pair)) !== 0)
    throw new Error("a pair of sockets cannot be had");
  return [pair[0] as number, pair[1] as number];
}
