// A lease is one request's hold on an upstream while it is being answered: the connection, and the
// promise to cut it when the client leaves. It is an object and not a bundle of callbacks, because
// every request has one.

import type { UpstreamConnection, UpstreamPool } from "./pool.ts";

/** A client as forwarding sees it: whether it left, and a call when it does. */
export interface LeavingClient {
  readonly hasLeft: boolean;
  /** Calls back when the client leaves, at once if it has; `offLeave` stops that. */
  onLeave(left: () => void): void;
  offLeave(left: () => void): void;
}

/** Begins with its making: from then on the client's leaving cuts the upstream's side. */
export class Lease {
  readonly #pool: UpstreamPool;
  readonly #connection: UpstreamConnection;
  readonly #client: LeavingClient;
  /** Of a connection that others share only the request is cut, which anyone who sends it knows how to. */
  cutStream: (() => void) | undefined;
  readonly #cut = () => {
    if (this.#connection.version === "h2") this.cutStream?.();
    else this.#connection.channel.destroy();
  };

  constructor(pool: UpstreamPool, connection: UpstreamConnection, client: LeavingClient) {
    this.#pool = pool;
    this.#connection = connection;
    this.#client = client;
    client.onLeave(this.#cut);
  }

  /** The answer is finished with, or there is none: the client's leaving cuts nothing any more. */
  forgetClient(): void {
    this.#client.offLeave(this.#cut);
  }

  /** Gives the connection back for other requests. */
  release(): void {
    this.#pool.release(this.#connection);
  }
}
