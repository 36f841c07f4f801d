// The load's view of an HTTP client, whichever version it speaks, and of the requests that it
// sends.

/** A request of the load. */
export interface LoadRequest {
  readonly method: string;
  readonly target: string;
  readonly body: Buffer;
  /** The body is sent without its length in advance. */
  readonly isChunked: boolean;
  /** How much of it is sent. */
  readonly upTo: "mid-head" | "mid-body" | "end";
  /** Gets the reply's body instead of `Reply`; for replies without end. */
  readonly onBody?: (bytes: Uint8Array) => void;
}

/** A whole reply. */
export interface Reply {
  readonly status: number;
  readonly body: Buffer;
}

/** A request under way. */
export interface Sent {
  /** Undefined when the reply did not come whole. */
  readonly reply: Promise<Reply | undefined>;
  /** Resolves with the first byte of a reply's body, or when there will be none. */
  readonly begun: Promise<void>;
  /** The client loses interest. */
  leave(): void;
}

/** A connection for requests. */
export interface HttpClient {
  /** Another request can be sent now. */
  readonly isUsable: boolean;
  send(request: LoadRequest): Sent;
  /** Ends the connection in order. */
  end(): void;
  /** Drops it at once, with whatever is under way. */
  drop(): void;
}

/** A client's record of a request under way. */
export class Waiting {
  readonly #reply = Promise.withResolvers<Reply | undefined>();
  readonly #begun = Promise.withResolvers<void>();
  readonly #pieces: Buffer[] = [];
  readonly #onBody: LoadRequest["onBody"];
  status = 0;

  constructor({ onBody }: LoadRequest) {
    this.#onBody = onBody;
  }

  get reply(): Promise<Reply | undefined> {
    return this.#reply.promise;
  }

  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  /** A piece of the body; copied, because it belongs to the socket. */
  take(bytes: Uint8Array): void {
    if (this.#onBody) this.#onBody(bytes);
    else this.#pieces.push(Buffer.from(bytes));
    this.#begun.resolve();
  }

  /** The framing says that the reply is whole. */
  end(): void {
    this.#begun.resolve();
    this.#reply.resolve({ status: this.status, body: Buffer.concat(this.#pieces) });
  }

  /** The reply will not be whole. */
  break(): void {
    this.#begun.resolve();
    this.#reply.resolve(undefined);
  }
}
