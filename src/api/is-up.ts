// Whether a daemon answers on a socket, for anyone who asks at every start of a shell: one request
// on a bare connection, because `fetch` starts a thread of its own. Says nothing about the state of
// the daemon.

const REQUEST = "GET /v1/status HTTP/1.1\r\nHost: iddio\r\nConnection: close\r\n\r\n";
const GOOD = "HTTP/1.1 200 ";

/** Resolves with whether it answers within `timeoutMs` that all is well. Never rejects. */
export function isUp(socketPath: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), timeoutMs).unref();
    let head = "";
    const over = () => resolve(false);
    Bun.connect({
      unix: socketPath,
      socket: {
        open: (socket) => void socket.write(REQUEST),
        data(socket, bytes) {
          head += bytes.toString("latin1");
          if (head.length < GOOD.length) return;
          resolve(head.startsWith(GOOD));
          socket.terminate();
        },
        close: over,
        error: over,
        connectError: over,
      },
    }).catch(over);
  });
}
