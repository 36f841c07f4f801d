// One HTTP/2 connection on a channel: pumps bytes between the two and hands streams to
// anyone who serves or opened them. The protocol is wire/http2-connection.ts; here are only
// waiting, back-pressure and the ends of things.

import type { Header } from "../../model/request.ts";
import { H2_ERROR, Http2Connection, type Http2Event } from "../../wire/http2/connection.ts";
import type { Channel } from "../stream/channel.ts";
import { PATIENCE } from "../stream/patience.ts";
import { QUEUED } from "../stream/queued-octets.ts";
import { Http2Clocks } from "./http2-clocks.ts";
import { Http2Stream } from "./http2-stream.ts";

/** A server's callbacks for the requests of its client. */
export interface Http2Server {
  /** Called for every request that the client opens. */
  onRequest(stream: Http2Stream, headers: readonly Header[]): void;
  /** Called for every request, or rest of one, that broke a rule and was answered by the engine. */
  onMalformed(reason: string): void;
}

/** A connection that begins while memory is short gets the default windows of HTTP/2, in octets. */
const SMALL_WINDOWS = { initialWindow: 65_535, connectionWindow: 65_535 };

/** Runs the connection from construction until `closed`. */
export class Http2Session {
  /** Resolves when the connection is gone; never rejects. */
  readonly closed: Promise<void>;
  readonly #channel: Channel;
  readonly #connection: Http2Connection;
  readonly #streams = new Map<number, Http2Stream>();
  /** Streams of which something has come that nobody has read; they may have ended. */
  readonly #unread = new Set<Http2Stream>();
  readonly #server: Http2Server | undefined;
  readonly #clocks: Http2Clocks;
  readonly #account = QUEUED.open(() => {
    this.#loss ??= "the peer took nothing, and others needed the memory";
    this.#channel.destroy();
  });
  readonly #probe: ReturnType<typeof setInterval>;
  #emptySinceMs = Date.now();
  #isGone = false;
  #isFlushing = false;
  #isBlocked = false;
  #isRetired = false;
  #hasEnded = false;
  #probesSinceEnd = 0;
  #problem: string | undefined;
  #loss: string | undefined;

  /** A server when it is given what to do with requests, else a client. */
  constructor(channel: Channel, server?: Http2Server) {
    this.#channel = channel;
    this.#connection = new Http2Connection(server ? "server" : "client", QUEUED.isTight ? SMALL_WINDOWS : {});
    this.#server = server;
    this.#clocks = new Http2Clocks(this.#connection);
    this.#probe = setInterval(() => this.#checkPeer(), PATIENCE.http2ProbeMs).unref();
    this.closed = this.#run().finally(() => {
      clearInterval(this.#probe);
      this.#isGone = true;
      this.#connection.abandon();
      QUEUED.set(this.#account, 0);
      for (const stream of this.#unread) stream.countAlone();
      this.#unread.clear();
    });
  }

  /** Whether another request can be opened on it. */
  get canOpen(): boolean {
    return !this.#isRetired && !this.#channel.isOver && this.#connection.canOpen;
  }

  /** Why the peer's bytes were refused, if they were. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Why the connection was given up though the peer broke no rule, if it was. */
  get loss(): string | undefined {
    return this.#loss;
  }

  /** Milliseconds since the last stream ended; 0 while there is one. */
  get idleMs(): number {
    return this.#streams.size > 0 ? 0 : Date.now() - this.#emptySinceMs;
  }

  /** Opens a stream with a request head. Throws TypeError when a field would not read back. */
  open(headers: readonly Header[], endStream: boolean): Http2Stream {
    const id = this.#connection.open(headers, endStream);
    const stream = this.#newStream(id, endStream);
    // A connection that was quiet may have died with the network: ask, and do not wait for TCP to find out.
    if (this.#clocks.quietMs > PATIENCE.http2ProbeMs) this.#ping();
    this.flush();
    return stream;
  }

  #ping(): void {
    if (!this.#clocks.ask()) return;
    this.#connection.ping();
    this.flush();
  }

  #checkPeer(): void {
    // It was told that this is the end, a probe ago at least, and does not hang up.
    if (this.#hasEnded && this.#probesSinceEnd++ > 0 && this.#channel.stream.hasSentAll)
      this.#channel.stream.hangUp();
    const overdue = this.#clocks.check(this.#streams.size > 0);
    if (overdue?.kind === "ask") this.#ping();
    else if (overdue?.kind === "lost") {
      this.#loss = overdue.reason;
      this.#channel.destroy();
    } else if (overdue) {
      this.#problem ??= overdue.reason;
      this.#connection.giveUp(overdue.code, overdue.reason);
      this.#write();
      this.#channel.end();
      this.#channel.destroy();
    } else if (this.#server && !this.#isRetired && this.idleMs > PATIENCE.nextRequestMs) this.retire();
  }

  /** Takes no new streams; the connection closes when the last one has ended. */
  retire(): void {
    this.#isRetired = true;
    this.#connection.goAway(H2_ERROR.NO_ERROR);
    this.flush();
    this.#closeWhenIdle();
  }

  /** Writes the protocol's output, once for everything that is queued in this turn. */
  flush(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#write();
      if (!this.#isGone) QUEUED.set(this.#account, this.#connection.keptBytes);
    });
  }

  /** A stream has nothing more to send or receive. */
  forget(id: number): void {
    this.#streams.delete(id);
    if (this.#streams.size === 0) this.#emptySinceMs = Date.now();
    this.#closeWhenIdle();
  }

  /** Everything that came on a stream was read. */
  emptied(stream: Http2Stream): void {
    this.#unread.delete(stream);
  }

  #write(): void {
    if (this.#isBlocked) return;
    const output = this.#connection.takeOutput();
    // Streams that only waited for the output to be taken may go on.
    for (const event of this.#connection.takeEvents()) this.#dispatch(event);
    if (output === undefined || this.#channel.write(output)) {
      if (this.#isOver) this.#end();
      return;
    }
    // Bytes that the peer does not take stay in the queues of the protocol, where each stream is held back.
    this.#isBlocked = true;
    void this.#channel.flushed().then(() => {
      this.#isBlocked = false;
      this.#write();
    });
  }

  #end(): void {
    this.#hasEnded = true;
    this.#channel.end();
  }

  #newStream(id: number, hasSentEnd = false): Http2Stream {
    const stream = new Http2Stream(id, this.#connection, this, hasSentEnd);
    this.#streams.set(id, stream);
    return stream;
  }

  async #run(): Promise<void> {
    this.flush();
    while (await this.#channel.readable()) {
      this.#clocks.received();
      for (const event of this.#connection.receive(this.#channel.read())) this.#dispatch(event);
      this.flush();
      if (this.#connection.isClosed) break;
    }
    this.#write();
    this.#channel.end();
    for (const stream of this.#streams.values())
      stream.connectionLost(this.#problem ?? this.#loss ?? "the connection was lost");
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
        this.#reset(event);
        break;
      case "refused":
        this.#server?.onMalformed(event.reason);
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

  #reset({ streamId, code, isOurs, reason }: Extract<Http2Event, { kind: "reset" }>): void {
    this.#streams.get(streamId)?.wasReset(code, reason);
    // A refused stream broke no rule: the client did not know yet how many it may open, and opens it again.
    if (isOurs && code !== H2_ERROR.REFUSED_STREAM) this.#server?.onMalformed(reason);
  }

  /** Streams above the last one were not looked at by the peer; the others may still finish. */
  #goneAway(lastStreamId: number): void {
    this.#isRetired = true;
    // A client's GOAWAY speaks of streams that a server would have opened; its own requests go on.
    const isOurs = this.#server === undefined;
    for (const stream of isOurs ? [...this.#streams.values()] : [])
      if (stream.id > lastStreamId) stream.wasReset(H2_ERROR.REFUSED_STREAM, "the connection is ending");
    this.#closeWhenIdle();
  }

  #headers(event: Extract<Http2Event, { kind: "headers" }>): void {
    const known = this.#streams.get(event.streamId);
    if (known) known.received(event);
    if (known || !this.#server) return;
    const stream = this.#newStream(event.streamId);
    stream.started(event);
    this.#server.onRequest(stream, event.headers);
  }

  #data(event: Extract<Http2Event, { kind: "data" }>): void {
    const stream = this.#streams.get(event.streamId);
    if (stream) {
      stream.data(event);
      if (!this.#isGone) this.#unread.add(stream);
    } else this.#connection.consumed(event.streamId, event.flowBytes);
  }

  #closeWhenIdle(): void {
    // Not before the last stream's end is written: it may still wait for the peer's windows.
    if (this.#isOver) this.flush();
  }

  get #isOver(): boolean {
    return this.#isRetired && this.#streams.size === 0 && this.#connection.openStreams === 0;
  }
}
