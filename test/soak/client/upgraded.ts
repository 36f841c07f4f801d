// A client that asks to switch protocols and then talks with the upstream's echo, or with a
// tunnel's.

import { parseResponseHead } from "../../../src/wire/http1/head.ts";
import type { ClientSocket } from "./socket.ts";

/** Asks for the upgrade; resolves with the status of the answer, undefined when none came. A 101 leaves the socket to the caller. */
export function upgrade(
  socket: ClientSocket,
  {
    authority,
    target,
    token,
  }: { readonly authority: string; readonly target: string; readonly token: string },
): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  let received: Buffer = Buffer.alloc(0);
  socket.onBytes = (bytes) => {
    received = Buffer.concat([received, bytes]);
    const result = parseResponseHead(received, "GET");
    if (result.kind === "ok") resolve(result.value.status);
    else if (result.kind === "bad") resolve(undefined);
  };
  socket.onClose = () => resolve(undefined);
  const fields =
    token === "websocket"
      ? "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      : "X-Stream-Protocol-Version: v4.channel.k8s.io\r\n";
  const head = `GET ${target} HTTP/1.1\r\nHost: ${authority}\r\nConnection: Upgrade\r\nUpgrade: ${token}\r\n${fields}\r\n`;
  socket.send(Buffer.from(head, "latin1"));
  return promise;
}

/** Sends bytes and resolves with whether they all came back: "foreign" when others did. */
export function echo(socket: ClientSocket, bytes: Buffer): Promise<"same" | "foreign" | "broken"> {
  const { promise, resolve } = Promise.withResolvers<"same" | "foreign" | "broken">();
  let at = 0;
  socket.onBytes = (piece) => {
    if (!piece.equals(bytes.subarray(at, at + piece.length))) resolve("foreign");
    at += piece.length;
    if (at === bytes.length) resolve("same");
  };
  socket.onClose = () => resolve("broken");
  if (socket.isClosed) resolve("broken");
  else socket.send(bytes);
  return promise;
}
