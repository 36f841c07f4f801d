// A client's connection through the proxy: TCP, CONNECT and, where asked for, TLS. Bun's own
// sockets, because the load must cost less than the gateway.

import type { Socket } from "bun";
import { OutQueue } from "./out-queue.ts";

/** How to get to a destination through the gateway. */
export interface Route {
  readonly proxyPort: number;
  /** host:port. */
  readonly authority: string;
  /** The root that TLS must chain to; undefined: no TLS. */
  readonly caPem?: string;
  /** For ALPN, best first. */
  readonly protocols?: readonly string[];
}

/** An open connection, to be listened to before anything is awaited. */
export class ClientSocket {
  onBytes: (bytes: Buffer) => void = () => {};
  onClose: () => void = () => {};
  /** The protocol that ALPN chose. */
  protocol: string | undefined;
  isClosed = false;
  readonly #out = new OutQueue();
  #socket: Socket<undefined> | undefined;

  attach(socket: Socket<undefined>): void {
    this.#socket = socket;
  }

  send(bytes: Uint8Array): void {
    if (this.#socket !== undefined && !this.isClosed) this.#out.write(this.#socket, bytes);
  }

  drain(): void {
    if (this.#socket !== undefined) this.#out.flush(this.#socket);
  }

  /** Everything given to `send` has been taken by the system. */
  get hasSentAll(): boolean {
    return this.#out.isEmpty;
  }

  closed(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onClose();
  }

  /** Ends it in order. */
  end(): void {
    this.#socket?.end();
    this.closed();
  }

  /** Drops it at once. */
  drop(): void {
    this.#socket?.terminate();
    this.closed();
  }
}

const ESTABLISHED = /^HTTP\/1\.1 200 [^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n$/;
const PATIENCE_MS = 30_000;

/** Opens a connection. Rejects with what step of it failed. */
export function openClient(route: Route): Promise<ClientSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<ClientSocket>();
  const client = new ClientSocket();
  let step = "connecting";
  const timer = setTimeout(() => fail("nothing happened"), PATIENCE_MS);
  const ready = (socket: Socket<undefined>) => {
    clearTimeout(timer);
    client.attach(socket);
    resolve(client);
  };
  const fail = (why: string) => {
    clearTimeout(timer);
    reject(new Error(`${step}: ${why}`));
    client.closed();
  };
  const carried = {
    data: (_socket: Socket<undefined>, bytes: Buffer) => client.onBytes(bytes),
    drain: () => client.drain(),
    end(socket: Socket<undefined>) {
      socket.end();
    },
    close: () => fail("the connection closed"),
    error: (_socket: Socket<undefined>, error: Error) => fail(error.message),
  };
  const secured = {
    ...carried,
    open() {},
    handshake(socket: Socket<undefined>, isDone: boolean, error: Error | null) {
      if (!isDone || error !== null) return fail(error?.message ?? "no handshake");
      client.protocol = (socket as { alpnProtocol?: string | null | false }).alpnProtocol || undefined;
      ready(socket);
    },
  };
  let head = "";
  let isEstablished = false;
  const handlers = {
    ...carried,
    open(socket: Socket<undefined>) {
      socket.setNoDelay(true);
      socket.write(`CONNECT ${route.authority} HTTP/1.1\r\nHost: ${route.authority}\r\n\r\n`);
      step = "CONNECT";
    },
    data(socket: Socket<undefined>, bytes: Buffer) {
      if (isEstablished) {
        if (route.caPem === undefined) client.onBytes(bytes);
        return;
      }
      head += bytes.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      if (!ESTABLISHED.test(head)) return fail(`the proxy answered ${head.slice(0, 60)}`);
      isEstablished = true;
      if (route.caPem === undefined) return ready(socket);
      step = "TLS";
      socket.upgradeTLS({ data: undefined, tls: tlsOptions(route) as never, socket: secured });
    },
  };
  Bun.connect({ hostname: "127.0.0.1", port: route.proxyPort, data: undefined, socket: handlers }).catch(
    (error: Error) => fail(error.message),
  );
  return promise;
}

function tlsOptions({ caPem, protocols = ["http/1.1"] }: Route): object {
  const names = protocols.flatMap((name) => [name.length, ...Buffer.from(name, "latin1")]);
  return { serverName: "localhost", rejectUnauthorized: true, ca: caPem, ALPNProtocols: Buffer.from(names) };
}
