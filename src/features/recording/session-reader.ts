// Reads the streams of a session out of the octets of its connection: exec and attach over
// WebSocket (v4 and v5) and over SPDY/3.1, port-forward over SPDY/3.1 and over SPDY within a
// WebSocket. Octets that it cannot read are a problem, and from then on they are only counted.

import type { Session } from "../../protocols/kubectl/session.ts";
import { type SpdyEvent, SpdyFrameReader } from "../../wire/spdy/frame-reader.ts";
import { WebSocketFrameReader, type WebSocketPiece } from "../../wire/websocket/frame-reader.ts";

/** The streams of a session; `in` and `out` are those of a forwarded connection, and of one through a proxy. */
export type StreamName = "stdin" | "stdout" | "stderr" | "error" | "resize" | "in" | "out";

/** Callbacks for each thing that was read. A payload is valid only during the call. */
export interface SessionEvents {
  /** `connection`: which forwarded connection; 0 for the streams of a command. */
  data(stream: StreamName, payload: Uint8Array, connection: number): void;
  /** A connection is forwarded to this port. */
  forwarded(connection: number, port: string): void;
  /** It ended. */
  ended(connection: number): void;
}

/** Reads both directions of one session. */
export interface SessionReader {
  fromClient(bytes: Uint8Array): void;
  fromServer(bytes: Uint8Array): void;
  /** Why it can read no further. */
  readonly problem: string | undefined;
}

/** How the connection was switched. */
export interface SwitchedTo {
  readonly isWebSocket: boolean;
  /** Sub-protocol or stream protocol that the upstream chose. */
  readonly protocol: string;
  readonly hasExtensions: boolean;
  readonly kind: Session["kind"];
}

/** The reader for a connection; a text when nothing is known that could read it. */
export function sessionReader(to: SwitchedTo, events: SessionEvents): SessionReader | string {
  const { kind, protocol } = to;
  const isForwarding = kind === "port-forward" || (kind === "proxy" && /\bportforward\b/i.test(protocol));
  const isChannels = protocol === "v4.channel.k8s.io" || protocol === "v5.channel.k8s.io";
  const isKnown = to.isWebSocket ? isChannels || protocol === TUNNEL : protocol !== "";
  // Nobody knows the protocol of an application behind a proxy: its octets are kept as they are.
  if (kind === "proxy" && (!isKnown || to.hasExtensions)) return new RawSession(events);
  if (to.hasExtensions) return "the WebSocket has extensions";
  if (!to.isWebSocket) return new SpdySession(events, isForwarding);
  if (protocol === TUNNEL) return new TunnelledSession(events);
  if (!isForwarding && isChannels) return new ChannelSession(events);
  return `nothing is known of the sub-protocol '${protocol}'`;
}

const TUNNEL = "SPDY/3.1+portforward.k8s.io";
const CHANNELS: readonly StreamName[] = ["stdin", "stdout", "stderr", "error", "resize"];
const BINARY = 2;
const TEXT = 1;

/** A client that wrote to an output could put words into the mouth of its container. */
function isOfClient(name: StreamName): boolean {
  return name === "stdin" || name === "resize";
}

/** The first octet of each message is its channel. */
class ChannelSession implements SessionReader {
  readonly #client = new WebSocketFrameReader(true);
  readonly #server = new WebSocketFrameReader(false);
  readonly #clientChannel = new Channel(true);
  readonly #serverChannel = new Channel(false);
  readonly #events: SessionEvents;

  constructor(events: SessionEvents) {
    this.#events = events;
  }

  get problem(): string | undefined {
    const { problem } = this.#client;
    return problem ?? this.#server.problem ?? this.#clientChannel.problem ?? this.#serverChannel.problem;
  }

  fromClient(bytes: Uint8Array): void {
    this.#client.push(bytes, (piece) => this.#clientChannel.take(piece, this.#events));
  }

  fromServer(bytes: Uint8Array): void {
    this.#server.push(bytes, (piece) => this.#serverChannel.take(piece, this.#events));
  }
}

class Channel {
  readonly #isClient: boolean;
  #name: StreamName | undefined;
  #isBegun = false;
  problem: string | undefined;

  constructor(isClient: boolean) {
    this.#isClient = isClient;
  }

  take({ opcode, isFrameStart, payload }: WebSocketPiece, events: SessionEvents): void {
    if (opcode > BINARY || this.problem !== undefined) return;
    // The API server takes every frame for a message of its own, others join them: what one reads as the rest of a
    // resize the other reads as input. No client of Kubernetes sends any.
    if (opcode === 0 && this.#isClient) {
      this.problem = "a message of the client is in pieces";
      return;
    }
    if (isFrameStart && (opcode === BINARY || opcode === TEXT)) this.#isBegun = false;
    let rest = payload;
    if (!this.#isBegun) {
      if (payload.length === 0) return;
      this.#isBegun = true;
      // 255 closes a stream in v5 and carries nothing.
      this.#name = CHANNELS[payload[0] as number];
      rest = payload.subarray(1);
    }
    if (this.#name === undefined || rest.length === 0) return;
    if (isOfClient(this.#name) === this.#isClient) events.data(this.#name, rest, 0);
    else this.problem = `${this.#name} comes from the wrong side`;
  }
}

/** The octets as they are. */
class RawSession implements SessionReader {
  readonly problem = undefined;
  readonly #events: SessionEvents;

  constructor(events: SessionEvents) {
    this.#events = events;
  }

  fromClient(bytes: Uint8Array): void {
    this.#events.data("in", bytes, 0);
  }

  fromServer(bytes: Uint8Array): void {
    this.#events.data("out", bytes, 0);
  }
}

const STREAM_TYPES: ReadonlyMap<string, StreamName> = new Map(
  (["stdin", "stdout", "stderr", "error", "resize"] as const).map((name) => [name, name]),
);

/** Streams are named by the header block that opens them, and only the client opens any. */
class SpdySession implements SessionReader {
  readonly #client = new SpdyFrameReader();
  readonly #server = new SpdyFrameReader();
  readonly #streams = new Map<number, { readonly name: StreamName; readonly connection: number }>();
  readonly #connections = new Map<string, number>();
  readonly #events: SessionEvents;
  readonly #isPortForward: boolean;
  #problem: string | undefined;

  constructor(events: SessionEvents, isPortForward: boolean) {
    this.#events = events;
    this.#isPortForward = isPortForward;
  }

  get problem(): string | undefined {
    return this.#problem ?? this.#client.problem ?? this.#server.problem;
  }

  fromClient(bytes: Uint8Array): void {
    this.#client.push(bytes, (event) => this.#take(event, true));
  }

  fromServer(bytes: Uint8Array): void {
    this.#server.push(bytes, (event) => this.#take(event, false));
  }

  #take(event: SpdyEvent, isClient: boolean): void {
    if (this.#problem !== undefined) return;
    if (event.kind === "open") {
      if (isClient) this.#open(event.stream, event.headers);
      return;
    }
    const stream = this.#streams.get(event.stream);
    if (stream === undefined) {
      if (event.kind === "data" && event.payload.length > 0)
        this.#problem = `there is data on the stream ${event.stream}, which the client did not open`;
      return;
    }
    const { name, connection } = stream;
    const isForwarded = name === "in";
    if (event.kind === "data" && event.payload.length > 0) {
      if (!isForwarded && isOfClient(name) !== isClient) this.#problem = `${name} comes from the wrong side`;
      else this.#events.data(isForwarded && !isClient ? "out" : name, event.payload, connection);
    }
    const isEnd = event.kind === "reset" || event.isEnd;
    if (isEnd && isForwarded && !isClient) this.#events.ended(connection);
  }

  #open(stream: number, headers: ReadonlyMap<string, string>): void {
    // An API server keeps the stream that was opened first under a number.
    if (this.#streams.has(stream)) {
      this.#problem = `the stream ${stream} is opened twice`;
      return;
    }
    const type = headers.get("streamtype") ?? "";
    const name = this.#isPortForward ? FORWARDED_TYPES.get(type) : STREAM_TYPES.get(type);
    if (name === undefined) {
      this.#problem = `nothing is known of the stream type '${type.slice(0, 40)}'`;
      return;
    }
    if (!this.#isPortForward) {
      this.#streams.set(stream, { name, connection: 0 });
      return;
    }
    // Each forwarded connection has an error stream and a data stream with one request id.
    const id = headers.get("requestid") ?? String(stream);
    const connection = this.#connections.get(id) ?? this.#connections.size + 1;
    this.#connections.set(id, connection);
    this.#streams.set(stream, { name, connection });
    if (name === "in") this.#events.forwarded(connection, headers.get("port") ?? "");
  }
}

const FORWARDED_TYPES: ReadonlyMap<string, StreamName> = new Map([
  ["data", "in"],
  ["error", "error"],
]);

/** A whole SPDY connection in the binary messages of a WebSocket. */
class TunnelledSession implements SessionReader {
  readonly #client = new WebSocketFrameReader(true);
  readonly #server = new WebSocketFrameReader(false);
  readonly #inner: SpdySession;

  constructor(events: SessionEvents) {
    this.#inner = new SpdySession(events, true);
  }

  get problem(): string | undefined {
    return this.#client.problem ?? this.#server.problem ?? this.#inner.problem;
  }

  fromClient(bytes: Uint8Array): void {
    this.#client.push(bytes, ({ opcode, payload }) => {
      if (opcode <= BINARY) this.#inner.fromClient(payload);
    });
  }

  fromServer(bytes: Uint8Array): void {
    this.#server.push(bytes, ({ opcode, payload }) => {
      if (opcode <= BINARY) this.#inner.fromServer(payload);
    });
  }
}
