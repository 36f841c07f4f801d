// A connection of the load: TCP, through a CONNECT when there is a proxy, and TLS on top when the
// route says so. Bun's own sockets, because the client must cost less than what it measures.

import type { Socket } from "bun";
import { ANSWER_HEAD, BODY_LENGTH, NUMBER_LENGTH, NUMBER_OFFSET } from "../target.ts";

/** A way to the origin. */
export interface LoadRoute {
  /** The loopback port to dial: the proxy's, or the origin's own. */
  readonly port: number;
  /** host:port to CONNECT to first; undefined: no proxy. */
  readonly connect?: string;
  /** The root that the certificate must chain to; undefined: no TLS. */
  readonly caPem?: string;
  /** host:port of the origin, for the Host field. */
  readonly authority: string;
}

/** An open connection. */
export class LoadConnection {
  onBytes: (bytes: Buffer) => void = () => {};
  onClose: () => void = () => {};
  onDrain: () => void = () => {};
  socket: Socket<undefined> | undefined;

  send(bytes: Uint8Array): void {
    const sent = this.socket?.write(bytes) ?? 0;
    // Requests are far smaller than a socket's buffer.
    if (sent !== bytes.length) throw new Error(`only ${sent} of ${bytes.length} bytes were taken`);
  }

  close(): void {
    this.onClose = () => {};
    this.socket?.end();
  }
}

const ESTABLISHED = /^HTTP\/1\.[01] 200 [^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n$/;
const PATIENCE_MS = 20_000;

/** Opens a connection by the route. Rejects when any step of it fails. */
export function openConnection(route: LoadRoute): Promise<LoadConnection> {
  const { promise, resolve, reject } = Promise.withResolvers<LoadConnection>();
  const connection = new LoadConnection();
  const timer = setTimeout(() => reject(new Error("no connection came about in time")), PATIENCE_MS);
  const fail = (reason: string) => {
    clearTimeout(timer);
    reject(new Error(reason));
    connection.onClose();
  };
  const ready = (socket: Socket<undefined>) => {
    clearTimeout(timer);
    connection.socket = socket;
    resolve(connection);
  };
  const secure = {
    serverName: "localhost",
    rejectUnauthorized: true,
    ...(route.caPem === undefined ? {} : { ca: route.caPem }),
  };
  const carried = {
    data(_socket: Socket<undefined>, bytes: Buffer) {
      connection.onBytes(bytes);
    },
    drain: () => connection.onDrain(),
    close: () => fail("the connection closed"),
    error: (_socket: Socket<undefined>, error: Error) => fail(error.message),
  };
  const handshake = (socket: Socket<undefined>, isDone: boolean, error: Error | null) => {
    if (isDone && error === null) ready(socket);
    else fail(`the TLS handshake failed: ${error?.message}`);
  };
  if (route.connect === undefined) {
    Bun.connect({
      hostname: "127.0.0.1",
      port: route.port,
      data: undefined,
      ...(route.caPem === undefined
        ? { socket: { ...carried, open: ready } }
        : { tls: secure, socket: { ...carried, handshake } }),
    }).catch((error: Error) => fail(error.message));
    return promise;
  }
  let head = "";
  let isEstablished = false;
  const opening = {
    open(socket: Socket<undefined>) {
      socket.setNoDelay(true);
      socket.write(`CONNECT ${route.connect} HTTP/1.1\r\nHost: ${route.connect}\r\n\r\n`);
    },
    data(socket: Socket<undefined>, bytes: Buffer) {
      if (isEstablished) {
        if (route.caPem === undefined) connection.onBytes(bytes);
        return;
      }
      head += bytes.toString("latin1");
      if (!head.endsWith("\r\n\r\n")) return;
      if (!ESTABLISHED.test(head)) return fail(`the proxy answered ${head.slice(0, 60)}`);
      isEstablished = true;
      if (route.caPem === undefined) ready(socket);
      else socket.upgradeTLS({ data: undefined, tls: secure, socket: { ...carried, open() {}, handshake } });
    },
    drain: () => connection.onDrain(),
    close: () => fail("the connection closed"),
    error: carried.error,
  };
  Bun.connect({ hostname: "127.0.0.1", port: route.port, data: undefined, socket: opening }).catch(
    (error: Error) => fail(error.message),
  );
  return promise;
}

const HEAD_END = Buffer.from("\r\n\r\n");
const NOTHING = Buffer.alloc(0);

/** Sends requests one at a time and checks each reply: status, length, and the request's own number. */
export class ReplyReader {
  readonly #connection: LoadConnection;
  #received: Buffer = NOTHING;
  #request: Uint8Array = NOTHING;
  #waiting: PromiseWithResolvers<void> | undefined;
  readonly #expected = Buffer.alloc(NUMBER_LENGTH);

  constructor(connection: LoadConnection) {
    this.#connection = connection;
    connection.onBytes = (bytes) => this.#take(bytes);
    connection.onClose = () => this.#waiting?.reject(new Error("the connection closed before the reply"));
  }

  exchange(request: Uint8Array): Promise<void> {
    this.#request = request;
    this.#expected.set(request.subarray(NUMBER_OFFSET, NUMBER_OFFSET + NUMBER_LENGTH));
    this.#waiting = Promise.withResolvers<void>();
    this.#connection.send(this.#request);
    return this.#waiting.promise;
  }

  close(): void {
    this.#connection.close();
  }

  #take(bytes: Buffer): void {
    const all = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const end = all.indexOf(HEAD_END);
    const length = end + HEAD_END.length + BODY_LENGTH;
    if (end < 0 || all.length < length) {
      this.#received = all;
      return;
    }
    this.#received = NOTHING;
    const body = end + HEAD_END.length;
    if (all.length > length) this.#waiting?.reject(new Error("the reply is too long"));
    else if (all.compare(ANSWER_HEAD, 0, 12, 0, 12) !== 0)
      this.#waiting?.reject(new Error(`the reply begins ${all.toString("latin1", 0, 40)}`));
    else if (all.compare(this.#expected, 0, NUMBER_LENGTH, body, body + NUMBER_LENGTH) !== 0)
      this.#waiting?.reject(new Error("the reply is another request's"));
    else this.#waiting?.resolve();
  }
}
