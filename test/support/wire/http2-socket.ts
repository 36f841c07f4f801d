// The engine on a real loopback socket without TLS, for talking with other implementations. Writes
// with the socket's back-pressure; every event goes to one handler.

import type { Socket, TCPSocketListener } from "bun";
import { Http2Connection, type Http2Event } from "../../../src/wire/http2/connection.ts";

/** Hears the events of one connection; may call its methods, and then `flush`. */
export type OnEvent = (event: Http2Event, end: Http2Socket) => void;

/** A connection and the socket under it. */
export class Http2Socket {
  readonly connection: Http2Connection;
  readonly #onEvent: OnEvent;
  #socket: Socket<Http2Socket> | undefined;
  #unwritten: Uint8Array | undefined;

  constructor(role: "server" | "client", onEvent: OnEvent) {
    this.connection = new Http2Connection(role);
    this.#onEvent = onEvent;
  }

  attach(socket: Socket<Http2Socket>): void {
    this.#socket = socket;
    this.flush();
  }

  receive(bytes: Uint8Array): void {
    this.#hear(this.connection.receive(bytes));
    this.flush();
    if (this.connection.isClosed) this.#socket?.end();
  }

  #hear(events: readonly Http2Event[]): void {
    for (const event of events) this.#onEvent(event, this);
  }

  /** Writes what there is, as far as the socket takes it. */
  flush(): void {
    for (;;) {
      const output = this.#unwritten ?? this.connection.takeOutput();
      this.#hear(this.connection.takeEvents());
      if (output === undefined || this.#socket === undefined) return;
      const written = Math.max(0, this.#socket.write(output));
      this.#unwritten = written < output.length ? output.subarray(written) : undefined;
      if (this.#unwritten !== undefined) return;
    }
  }

  close(): void {
    this.#socket?.end();
  }
}

const handlers = {
  data: (socket: Socket<Http2Socket>, bytes: Uint8Array) => socket.data.receive(bytes),
  drain: (socket: Socket<Http2Socket>) => socket.data.flush(),
};

/** A server on a free port of loopback. */
export function listenHttp2(onEvent: OnEvent): TCPSocketListener<Http2Socket> {
  return Bun.listen<Http2Socket>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      ...handlers,
      open: (socket) => {
        socket.data = new Http2Socket("server", onEvent);
        socket.data.attach(socket);
      },
    },
  });
}

/** A client of the server on this port. */
export async function connectHttp2(port: number, onEvent: OnEvent): Promise<Http2Socket> {
  const end = new Http2Socket("client", onEvent);
  await Bun.connect<Http2Socket>({
    hostname: "127.0.0.1",
    port,
    data: end,
    socket: { ...handlers, open: (socket) => end.attach(socket) },
  });
  return end;
}
