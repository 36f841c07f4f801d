// Opens a stream to a unix socket: for the connections that a process of a run carries itself.

import type { Socket } from "bun";
import { Channel } from "../../../gateway/stream/channel.ts";
import { TcpStream } from "../../../gateway/stream/tcp-stream.ts";

/** A connection to a unix socket; undefined when nobody listens. */
export async function dial(path: string): Promise<Channel | undefined> {
  return new Promise((resolve) => {
    let isOpen = false;
    const handlers = TcpStream.handlers((stream) => {
      isOpen = true;
      resolve(new Channel(stream));
    });
    Bun.connect<TcpStream | undefined>({
      unix: path,
      allowHalfOpen: true,
      data: undefined,
      socket: {
        ...handlers,
        connectError(_socket: Socket<TcpStream | undefined>) {
          resolve(undefined);
        },
      },
    }).catch(() => {
      if (!isOpen) resolve(undefined);
    });
  });
}
