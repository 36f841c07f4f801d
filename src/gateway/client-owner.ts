// Who opened a connection, looked up at most once and only when somebody asks, while
// the connection is still open: afterwards nobody can tell.

import type { Endpoint } from "../host/sock-diag.ts";
import { type SocketOwner, socketOwner } from "../host/socket-owner.ts";
import type { ClientIdentity } from "../model/entry.ts";

/** The OS user behind one client connection. */
export class ClientOwner {
  readonly #client: Endpoint;
  readonly #server: Endpoint;
  #owner: SocketOwner | undefined;
  #isKnown = false;

  constructor(client: Endpoint, server: Endpoint) {
    this.#client = client;
    this.#server = server;
  }

  #look(): SocketOwner | undefined {
    if (!this.#isKnown) this.#owner = socketOwner(this.#client, this.#server);
    this.#isKnown = true;
    return this.#owner;
  }

  /** For rows; undefined when the system does not tell. */
  get identity(): ClientIdentity | undefined {
    const owner = this.#look();
    return owner && { user: owner.user };
  }

  /** Keeps connections of different users apart in the pool. */
  get poolKey(): string {
    return String(this.#look()?.uid ?? "");
  }

  /** Whether the daemon's own user opened it. Unknown counts as no. */
  get isOwnUser(): boolean {
    return this.#look()?.uid === process.getuid?.();
  }
}
