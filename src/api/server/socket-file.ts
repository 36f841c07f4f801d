// Looks at a socket file from outside: whether something answers on it, and whether it is still the
// one we made. Knows nothing of the protocol spoken there.

import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";

/** Whether a connection to the socket is accepted. A refused one means that its owner has died. */
export function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const settle = (value: boolean) => {
      socket.destroy();
      resolve(value);
    };
    socket.once("connect", () => settle(true));
    // A full backlog (EAGAIN) or a denied one (EACCES) has an owner: only these two prove that there is none.
    socket.once("error", (error: NodeJS.ErrnoException) =>
      settle(error.code !== "ECONNREFUSED" && error.code !== "ENOENT"),
    );
  });
}

/** Removes the socket file unless another process has put its own in its place. */
export async function removeIfSame(socketPath: string, inode: number): Promise<void> {
  const file = await lstat(socketPath).catch(() => undefined);
  if (file?.ino === inode) await unlink(socketPath).catch(() => undefined);
}
