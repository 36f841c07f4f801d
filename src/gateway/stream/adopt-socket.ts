// Sockets that are connected already, by their descriptors: one that another process gave, or our
// end of a pair. Once adopted, the descriptor is the stream's.

import { TcpStream } from "./tcp-stream.ts";

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
