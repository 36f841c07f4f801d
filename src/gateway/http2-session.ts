// One HTTP/2 connection on a channel: pumps bytes between the two and hands streams to
// whoever serves or opened them. The protocol is wire/http2-connection.ts; here are only
// waiting, back-pressure and the ends of things.

import type { Header } from "../model/request.ts";
import { H2_ERROR, Http2Connection, type Http2Event } from "../wire/http2-connection.ts";
import type { Channel } from "./channel.ts";
import { Http2Stream } from "./http2-stream.ts";

/** Called for every request that a client opens. */
export type OnRequest = (stream: Http2Stream, headers: readonly Header[]) => void;

/** How often a connection with streams is looked at. */
const PROBE_MS = 10_000;
/** A quiet stream is asked for a sign of life after this time, as client-go and grpc do. */
const QUIET_MS = 30_000;
/** A peer that answers no PING within this time is gone. */
const ANSWER_MS = 20_000;

/** Runs the connection from construction until `closed`. */
export class Http2Session {
  /** Resolves when the connection is gone; never rejects. */
  readonly closed: Promise<void>;
  readonly #channel: Channel;
  readonly #connection: Http2Connection;
  readonly #streams = new Map<number, Http2Stream>();
  readonly #onRequest: OnRequest | undefined;
  readonly #probe: ReturnType<typeof setInterval>;
  #receivedMs = Date.now();
  #pingedMs: number | undefined;
  #emptySinceMs = Date.now();
  #isFlushing = false;
  #isBlocked = false;
  #isRetired = false;
  #problem: string | undefined;

  constructor(channel: Channel, role: "client" | "server", onRequest?: OnRequest) {
    this.#channel = channel;
    this.#connection = new Http2Connection(role);
    this.#onRequest = onRequest;
    this.#probe = setInterval(() => this.#checkPeer(), PROBE_MS).unref();
    this.closed = this.#run().finally(() => clearInterval(this.#probe));
  }

  /** Whether another request can be opened on it. */
  get canOpen(): boolean {
    return !this.#isRetired && !this.#channel.isOver && this.#connection.canOpen;
  }

  /** Why the peer's bytes were refused, if they were. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Milliseconds since the last stream ended; 0 while there is one. */
  get idleMs(): number {
    return this.#streams.size > 0 ? 0 : Date.now() - this.#emptySinceMs;
  }

  /** Opens a stream with a request head. Throws TypeError when a field would not read back. */
  open(headers: readonly Header[], endStream: boolean): Http2Stream {
    const id = this.#connection.open(headers, endStream);
    const stream = this.#newStream(id);
    // A connection that was quiet may have died with the network: ask, and do not wait for TCP to find out.
    if (Date.now() - this.#receivedMs > PROBE_MS) this.#ping();
    this.flush();
    return stream;
  }

  #ping(): void {
    if (this.#pingedMs !== undefined) return;
    this.#pingedMs = Date.now();
    this.#connection.ping();
    this.flush();
  }

  /** While somebody waits on this connection its peer must show signs of life (a PING answered is one). */
  #checkPeer(): void {
    if (this.#streams.size === 0) return;
    const now = Date.now();
    if (this.#pingedMs !== undefined && now - this.#pingedMs > ANSWER_MS) this.#channel.destroy();
    else if (now - this.#receivedMs > QUIET_MS) this.#ping();
  }

  /** Takes no new streams; the connection closes when the last one has ended. */
  retire(): void {
    this.#isRetired = true;
    this.#connection.goAway(H2_ERROR.NO_ERROR);
    this.flush();
    this.#closeWhenIdle();
  }

  /** Writes what the protocol wants written, once for everything that is queued in this turn. */
  flush(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#write();
    });
  }

  /** A stream has nothing more to send or receive. */
  forget(id: number): void {
    this.#streams.delete(id);
    if (this.#streams.size === 0) this.#emptySinceMs = Date.now();
    this.#closeWhenIdle();
  }

  #write(): void {
    if (this.#isBlocked) return;
    const output = this.#connection.takeOutput();
    // Streams that only waited for the output to be taken may go on.
    for (const event of this.#connection.takeEvents()) this.#dispatch(event);
    if (output === undefined || this.#channel.write(output)) {
      if (this.#isOver) this.#channel.end();
      return;
    }
    // What the peer does not take stays in the protocol's queues, where each stream is held back.
    this.#isBlocked = true;
    void this.#channel.flushed().then(() => {
      this.#isBlocked = false;
      this.#write();
    });
  }

  #newStream(id: number): Http2Stream {
    const stream = new Http2Stream(id, this.#connection, this);
    this.#streams.set(id, stream);
    return stream;
  }

  async #run(): Promise<void> {
    this.flush();
    while (await this.#channel.readable()) {
      this.#receivedMs = Date.now();
      this.#pingedMs = undefined;
      for (const event of this.#connection.receive(this.#channel.read())) this.#dispatch(event);
      this.flush();
      if (this.#connection.isClosed) break;
    }
    this.#write();
    this.#channel.end();
    for (const stream of this.#streams.values()) stream.connectionLost();
    this.#streams.clear();
    this.#channel.destroy();
  }

  #dispatch(event: Http2Event): void {
    switch (event.kind) {
      case "headers":
        this.#headers(event);
        break;
      case "data":
        this.#data(event);
        break;
      case "reset":
        this.#streams.get(event.streamId)?.wasReset(event.code);
        break;
      case "drain":
        this.#streams.get(event.streamId)?.drained();
        break;
      case "goaway":
        this.#goneAway(event.lastStreamId);
        break;
      case "error":
        this.#problem = event.reason;
        break;
      case "settings":
        break;
    }
  }

  /** Streams above the last one were not looked at by the peer; the others may still finish. */
  #goneAway(lastStreamId: number): void {
    this.#isRetired = true;
    // A client's GOAWAY speaks of streams that a server would have opened; its own requests go on.
    const isOurs = this.#onRequest === undefined;
    for (const stream of isOurs ? [...this.#streams.values()] : [])
      if (stream.id > lastStreamId) stream.wasReset(H2_ERROR.REFUSED_STREAM);
    this.#closeWhenIdle();
  }

  #headers(event: Extract<Http2Event, { kind: "headers" }>): void {
    const known = this.#streams.get(event.streamId);
    if (known) known.received(event);
    if (known || !this.#onRequest) return;
    const stream = this.#newStream(event.streamId);
    stream.started(event);
    this.#onRequest(stream, event.headers);
  }

  #data(event: Extract<Http2Event, { kind: "data" }>): void {
    const stream = this.#streams.get(event.streamId);
    if (stream) stream.data(event);
    else this.#connection.consumed(event.streamId, event.flowBytes);
  }

  #closeWhenIdle(): void {
    // Not before the last stream's end is written: it may still wait for the peer's windows.
    if (this.#isOver) this.flush();
  }

  get #isOver(): boolean {
    return this.#isRetired && this.#streams.size === 0 && this.#connection.openStreams === 0;
  }
}
