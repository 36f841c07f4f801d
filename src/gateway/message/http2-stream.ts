// One stream of an HTTP/2 connection: a body to read, heads and a body to write, and a
// reset that may come at any time. Reading frees the peer's window, so a reader who does not
// read holds the peer back and nobody else.

import { type Header, headerValue } from "../../model/request.ts";
import type { Framing } from "../../wire/http1/head.ts";
import type { Http2Connection, Http2Event } from "../../wire/http2/connection.ts";
import { QUEUED, type QueueAccount, WORTH_BYTES } from "../stream/queued-octets.ts";
import { BodyError } from "./body-source.ts";
import type { BodyReader } from "./upstream-answer.ts";

/** The connection as one of its streams sees it. */
interface Owner {
  flush(): void;
  forget(id: number): void;
  /** Nothing of it waits to be read any more. */
  emptied(stream: Http2Stream): void;
}

type HeadersEvent = Extract<Http2Event, { kind: "headers" }>;

/** A stream as server and client engines see it. */
export class Http2Stream implements BodyReader {
  readonly id: number;
  readonly #connection: Http2Connection;
  readonly #owner: Owner;
  #framing: Framing = { kind: "chunked" };
  #queue: Uint8Array[] = [];
  #owed = 0;
  #hasEnded = false;
  #hasSentEnd: boolean;
  #resetCode: number | undefined;
  #resetReason = "";
  #trailers: readonly Header[] = [];
  #heads: HeadersEvent[] = [];
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;
  readonly #resetListeners = new Set<() => void>();
  /** The account of unread octets after the connection, which counts them until then, is gone. */
  #account: QueueAccount | undefined;

  /** `hasSentEnd`: the head that opened it was all there is to send. */
  constructor(id: number, connection: Http2Connection, owner: Owner, hasSentEnd = false) {
    this.id = id;
    this.#hasSentEnd = hasSentEnd;
    this.#connection = connection;
    this.#owner = owner;
  }

  get framing(): Framing {
    return this.#framing;
  }
  get isDone(): boolean {
    return this.#hasEnded;
  }
  get isDrained(): boolean {
    return this.#hasEnded && this.#queue.length === 0;
  }
  get trailers(): readonly Header[] {
    return this.#trailers;
  }

  /** The code with which the peer, or a broken rule, ended the stream; undefined while it lives or after an orderly end. */
  get resetCode(): number | undefined {
    return this.#resetCode;
  }

  /** Why that was, in a clause; "" while the stream lives. */
  get resetReason(): string {
    return this.#resetReason;
  }

  /** Calls back once when the stream is reset or its connection lost, at once if it was; `offReset` stops that. */
  onReset(listener: () => void): void {
    if (this.#resetCode !== undefined) listener();
    else this.#resetListeners.add(listener);
  }

  offReset(listener: () => void): void {
    this.#resetListeners.delete(listener);
  }

  /** The next head that arrives: interim or final answer. Undefined when the stream ends without one. */
  async nextHead(): Promise<HeadersEvent | undefined> {
    while (this.#heads.length === 0 && this.#resetCode === undefined) await this.#arrival();
    return this.#heads.shift();
  }

  /** `deadline` in milliseconds of performance.now(), for a reader who must not wait for ever. */
  async next(deadline?: number): Promise<readonly Uint8Array[] | undefined> {
    for (;;) {
      const pieces = this.nextBuffered();
      if (pieces) return pieces;
      if (this.#hasEnded) return undefined;
      if (this.#resetCode !== undefined)
        throw new BodyError(`the stream ended early (code ${this.#resetCode}: ${this.#resetReason})`);
      if (!(await this.#arrival(deadline))) throw new BodyError("the body took too long");
    }
  }

  nextBuffered(): readonly Uint8Array[] | undefined {
    if (this.#queue.length === 0) return undefined;
    const pieces = this.#queue;
    this.#queue = [];
    this.#owner.emptied(this);
    if (this.#account) QUEUED.set(this.#account, 0);
    this.#connection.consumed(this.id, this.#owed);
    this.#owed = 0;
    this.#owner.flush();
    return pieces;
  }

  /** Puts pieces back in front, for a reader that looked ahead. */
  unread(pieces: readonly Uint8Array[]): void {
    this.#queue = [...pieces, ...this.#queue];
  }

  /** Sends a head: interim, final, or trailers. Throws TypeError when a field would not read back. */
  sendHeaders(headers: readonly Header[], endStream: boolean): void {
    if (this.#resetCode !== undefined || this.#hasSentEnd) return;
    this.#connection.sendHeaders(this.id, headers, endStream);
    if (endStream) this.#sentEnd();
    this.#owner.flush();
  }

  /** Sends body bytes; resolves when more may be sent. */
  async send(bytes: Uint8Array, endStream: boolean): Promise<void> {
    if (this.#resetCode !== undefined || this.#hasSentEnd) return;
    const isTaken = this.#connection.sendData(this.id, bytes, endStream);
    if (endStream) this.#sentEnd();
    this.#owner.flush();
    if (isTaken || endStream) return;
    await new Promise<void>((resolve) => {
      this.#wakeWriter = resolve;
    });
  }

  /** Sends `body` to its end, trailers included. Throws BodyError when it breaks. */
  async sendBody(body: BodyReader): Promise<void> {
    while (this.#resetCode === undefined) {
      const pieces = await body.next();
      if (!pieces) break;
      for (const piece of pieces) if (piece.length > 0) await this.send(piece, false);
    }
    if (this.#resetCode !== undefined) return;
    if (body.trailers.length === 0) await this.send(NOTHING, true);
    else
      this.sendHeaders(
        body.trailers.map(([name, value]) => [name.toLowerCase(), value]),
        true,
      );
  }

  /** Ends the stream at once in both directions; unread octets are dropped. */
  reset(code: number): void {
    if (this.#resetCode !== undefined) return;
    if (this.#hasEnded && this.#hasSentEnd) {
      this.nextBuffered();
      return;
    }
    this.#connection.reset(this.id, code);
    this.wasReset(code, "given up here");
    this.#owner.flush();
  }

  #sentEnd(): void {
    this.#hasSentEnd = true;
    if (this.#hasEnded) this.#owner.forget(this.id);
  }

  #receivedEnd(): void {
    this.#hasEnded = true;
    if (this.#hasSentEnd) this.#owner.forget(this.id);
  }

  /** False: nothing came in time. */
  #arrival(deadline?: number): Promise<boolean> {
    return new Promise((resolve) => {
      const left = deadline === undefined ? undefined : Math.max(0, deadline - performance.now());
      const timer = left === undefined ? undefined : setTimeout(() => resolve(false), left);
      this.#wakeReader = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  #wake(): void {
    const wake = this.#wakeReader;
    this.#wakeReader = undefined;
    wake?.();
  }

  /** Called by the session: the head that opened the stream from the other side. */
  started(event: HeadersEvent): void {
    this.#setFraming(event);
    if (event.endStream) this.#receivedEnd();
  }

  /** Called by the session: a further head. */
  received(event: HeadersEvent): void {
    if (event.isTrailers) this.#trailers = event.headers;
    else {
      if (!event.isInterim) this.#setFraming(event);
      this.#heads.push(event);
    }
    if (event.endStream) this.#receivedEnd();
    this.#wake();
  }

  #setFraming(event: HeadersEvent): void {
    const length = headerValue(event.headers, "content-length");
    if (event.endStream) this.#framing = { kind: "none" };
    else if (length !== undefined) this.#framing = { kind: "length", length: Number(length) };
  }

  /** Called by the session: body bytes. */
  data(event: Extract<Http2Event, { kind: "data" }>): void {
    if (event.bytes.length > 0) this.#queue.push(event.bytes);
    this.#owed += event.flowBytes;
    if (event.endStream) this.#receivedEnd();
    this.#wake();
  }

  /** Called by the session: the peer takes bytes again. */
  drained(): void {
    const wake = this.#wakeWriter;
    this.#wakeWriter = undefined;
    wake?.();
  }

  /** Called by the session: the stream is over without an orderly end. */
  wasReset(code: number, reason: string): void {
    if (this.#resetCode !== undefined) return;
    this.#resetCode = code;
    this.#resetReason = reason;
    if (this.#owed > 0) this.#connection.consumed(this.id, this.#owed);
    this.#owed = 0;
    this.#owner.forget(this.id);
    this.#wake();
    this.drained();
    for (const listener of [...this.#resetListeners]) listener();
    this.#resetListeners.clear();
  }

  /** Called by the session: it no longer counts the unread octets. */
  countAlone(): void {
    const octets = this.#queue.reduce((sum, piece) => sum + piece.length, 0);
    if (octets < WORTH_BYTES) return;
    this.#account = QUEUED.open(() => {
      this.#queue = [];
      this.#hasEnded = false;
      this.wasReset(CANCELLED, "unread octets took memory that others needed");
    });
    QUEUED.set(this.#account, octets);
  }

  /** Called by the session: the connection is gone. */
  connectionLost(reason: string): void {
    if (!(this.#hasEnded && this.#hasSentEnd)) this.wasReset(CANCELLED, reason);
  }
}

const NOTHING = new Uint8Array(0);
/** A lost connection is reported with the error code CANCEL of HTTP/2. */
const CANCELLED = 8;
