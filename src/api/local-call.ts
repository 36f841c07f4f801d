// One request to the daemon and its answer, on a bare connection: `fetch` starts a thread of its
// own and loads streams, which takes a hook longer than all else that it does. Speaks only what the
// server in server/ answers: a head, then a body with a length or in chunks, on a connection that
// ends with it.

/** The place where the daemon listens. */
export type LocalAddress = { readonly unix: string } | { readonly hostname: string; readonly port: number };

/** The request. */
export interface LocalRequest {
  readonly verb: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** The start of an answer; leaving its body closes the connection. */
export interface LocalAnswer {
  readonly status: number;
  /** Pieces as they come. Throws when the connection ends before the body does. */
  readonly body: AsyncGenerator<Uint8Array, void, void>;
}

const HEAD_MAX_BYTES = 64 * 1024;
/** As much may wait for a slow reader; then the daemon waits. */
const WAITING_MAX_BYTES = 1024 * 1024;
const HEAD_END = "\r\n\r\n";

/**
 * Sends a request and gives its answer as soon as the head is there. Rejects with the signal's reason when it is
 * aborted, and with an error that has a `code` when there is no connection or it ends too early.
 */
export async function callLocal(
  address: LocalAddress,
  request: LocalRequest,
  signal: AbortSignal,
): Promise<LocalAnswer> {
  signal.throwIfAborted();
  const call = new LocalCall(request);
  const abort = () => call.fail(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const options = { socket: LISTENER, data: call };
  const connected =
    "unix" in address ? Bun.connect({ ...address, ...options }) : Bun.connect({ ...address, ...options });
  connected.catch((error: unknown) => call.fail(error));
  try {
    const status = await call.status;
    return { status, body: call.body(() => signal.removeEventListener("abort", abort)) };
  } catch (error) {
    signal.removeEventListener("abort", abort);
    throw error;
  }
}

const LISTENER: Bun.SocketHandler<LocalCall> = {
  open: (socket) => socket.data.opened(socket),
  drain: (socket) => socket.data.drained(),
  data: (socket, bytes) => socket.data.received(bytes),
  close: (socket) => socket.data.fail(ended()),
  error: (socket, error) => socket.data.fail(error),
  connectError: (socket, error) => socket.data.fail(error),
};

function ended(): Error {
  return Object.assign(new Error("the connection ended too early"), { code: "ECONNRESET" });
}

class LocalCall {
  readonly #head = Promise.withResolvers<number>();
  #unsent: Uint8Array;
  #socket: Bun.Socket<LocalCall> | undefined;
  #decoder: BodyPieces | undefined;
  #early = "";
  readonly #pieces: Uint8Array[] = [];
  #waitingBytes = 0;
  #isPaused = false;
  #problem: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor({ verb, path, headers, body }: LocalRequest) {
    const bytes = new TextEncoder().encode(body ?? "");
    const fields = { host: "iddio", ...headers, connection: "close", "content-length": String(bytes.length) };
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = new TextEncoder().encode(`${verb} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    this.#unsent = new Uint8Array(head.length + bytes.length);
    this.#unsent.set(head);
    this.#unsent.set(bytes, head.length);
    // Whoever called has it, or has gone.
    this.#head.promise.catch(() => undefined);
  }

  get status(): Promise<number> {
    return this.#head.promise;
  }

  opened(socket: Bun.Socket<LocalCall>): void {
    this.#socket = socket;
    if (this.#problem === undefined) this.drained();
    else socket.terminate();
  }

  drained(): void {
    const sent = this.#unsent.length === 0 ? 0 : (this.#socket?.write(this.#unsent) ?? 0);
    if (sent > 0) this.#unsent = this.#unsent.subarray(sent);
  }

  received(bytes: Uint8Array): void {
    if (this.#problem !== undefined) return;
    try {
      if (this.#decoder !== undefined) this.#take(bytes);
      else this.#readHead(bytes);
    } catch (error) {
      this.fail(error);
    }
    this.#wake();
  }

  /** Ends the call, unless the answer is there already. */
  fail(error: unknown): void {
    if (this.#problem !== undefined || this.#decoder?.isDone === true) return;
    this.#problem = { error };
    this.#head.reject(error);
    this.#socket?.terminate();
    this.#wake();
  }

  async *body(onEnd: () => void): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (;;) {
        const piece = this.#pieces.shift();
        if (piece !== undefined) {
          this.#waitingBytes -= piece.length;
          this.#pauseOrResume();
          yield piece;
        } else if (this.#decoder?.isDone === true) return;
        else if (this.#problem !== undefined) throw this.#problem.error;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      onEnd();
      this.#socket?.terminate();
    }
  }

  #readHead(bytes: Uint8Array): void {
    // One character an octet, so that lengths are those of the octets.
    this.#early += latin1(bytes);
    const end = this.#early.indexOf(HEAD_END);
    if (end < 0 && this.#early.length <= HEAD_MAX_BYTES) return;
    const head = this.#early.slice(0, Math.max(0, end));
    const status = /^HTTP\/1\.[01] (\d{3})(?: |\r|$)/.exec(head)?.[1];
    const length = /\r\ncontent-length: *(\d{1,15}) *(?:\r|$)/i.exec(head)?.[1];
    const isChunked = /\r\ntransfer-encoding: *chunked *(?:\r|$)/i.test(head);
    if (status === undefined || (length === undefined && !isChunked))
      throw Object.assign(new Error("the answer is not one of iddio's"), { code: "EPROTO" });
    const rest = this.#early.length - end - HEAD_END.length;
    this.#early = "";
    this.#decoder = new BodyPieces(isChunked ? undefined : Number(length));
    this.#take(bytes.subarray(bytes.length - rest));
    this.#head.resolve(Number(status));
  }

  #take(bytes: Uint8Array): void {
    for (const piece of this.#decoder?.push(bytes) ?? []) {
      this.#pieces.push(piece);
      this.#waitingBytes += piece.length;
    }
    this.#pauseOrResume();
  }

  #pauseOrResume(): void {
    const isFull = this.#waitingBytes > WAITING_MAX_BYTES;
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) this.#socket?.pause();
    else this.#socket?.resume();
  }
}

/**
 * Takes a body apart. The decoder of wire/http1 is for peers that may be hostile, and is eight modules that every start of
 * a shell would load; the daemon writes plain chunks.
 */
class BodyPieces {
  /** Octets of the body, or of the chunk, that are still to come. */
  #left: number;
  readonly #isChunked: boolean;
  /** The line between chunks, as far as it is there; undefined within one. */
  #line: string | undefined;
  isDone: boolean;

  constructor(length: number | undefined) {
    this.#isChunked = length === undefined;
    this.#left = length ?? 0;
    this.#line = this.#isChunked ? "" : undefined;
    this.isDone = length === 0;
  }

  push(bytes: Uint8Array): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length && !this.isDone) {
      if (this.#line !== undefined) {
        this.#pushLine(bytes[at] ?? 0);
        at += 1;
        continue;
      }
      // A copy: the runtime uses its buffer again.
      const piece = new Uint8Array(bytes.subarray(at, at + this.#left));
      pieces.push(piece);
      at += piece.length;
      this.#left -= piece.length;
      if (this.#left === 0 && this.#isChunked) this.#line = "";
      else if (this.#left === 0) this.isDone = true;
    }
    return pieces;
  }

  /** The end of the chunk before, then the size of the next; the last has none, and ends at its line. */
  #pushLine(octet: number): void {
    this.#line += String.fromCharCode(octet);
    const size = /^(?:\r\n)?([0-9a-f]{1,8})\r\n$/i.exec(this.#line ?? "")?.[1];
    if (size !== undefined) {
      this.#left = Number.parseInt(size, 16);
      this.isDone = this.#left === 0;
      this.#line = undefined;
    } else if ((this.#line ?? "").length > 12)
      throw Object.assign(new Error("the answer is not one of iddio's"), { code: "EPROTO" });
  }
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const octet of bytes) text += String.fromCharCode(octet);
  return text;
}
