// The load's HTTP/2: many streams at once on one connection; a request that is left is reset.

import type { Header } from "../../../src/model/request.ts";
import { H2_ERROR, Http2Connection, type Http2Event } from "../../../src/wire/http2/connection.ts";
import { type HttpClient, type LoadRequest, type Sent, Waiting } from "./http.ts";
import type { ClientSocket } from "./socket.ts";

const PIECE = 64 * 1024;

interface Stream {
  readonly waiting: Waiting;
  /** The part of the body that is still to be sent; undefined: nothing. */
  unsent: Buffer | undefined;
  readonly endsBody: boolean;
}

/** A connection with its streams. */
export class Http2Client implements HttpClient {
  readonly #socket: ClientSocket;
  readonly #authority: string;
  readonly #connection = new Http2Connection("client");
  readonly #streams = new Map<number, Stream>();

  constructor(socket: ClientSocket, authority: string) {
    this.#socket = socket;
    this.#authority = authority;
    socket.onBytes = (bytes) => {
      for (const event of this.#connection.receive(bytes)) this.#hear(event);
      this.#flush();
      if (this.#connection.isClosed) socket.end();
    };
    socket.onClose = () => this.#over();
    this.#flush();
  }

  get isUsable(): boolean {
    return !this.#socket.isClosed && this.#connection.canOpen;
  }

  send(request: LoadRequest): Sent {
    const { method, target, body, isChunked, upTo } = request;
    const waiting = new Waiting(request);
    const length: Header[] = isChunked || body.length === 0 ? [] : [["content-length", String(body.length)]];
    const fields: Header[] = [
      [":method", method],
      [":scheme", "https"],
      [":authority", this.#authority],
      [":path", target],
      ["user-agent", "kubectl/v1.32.1 (linux/amd64) kubernetes/e9c9be4"],
      ["accept", "application/json"],
      ["content-type", "application/json"],
      ...length,
    ];
    const isEmpty = body.length === 0;
    const id = this.#connection.open(fields, isEmpty);
    const unsent = upTo === "mid-body" ? body.subarray(0, Math.floor(body.length / 2)) : body;
    const stream: Stream = { waiting, unsent: isEmpty ? undefined : unsent, endsBody: upTo === "end" };
    this.#streams.set(id, stream);
    this.#sendBody(id, stream);
    this.#flush();
    return { reply: waiting.reply, begun: waiting.begun, leave: () => this.#leave(id) };
  }

  end(): void {
    if (this.#socket.isClosed) return;
    this.#connection.goAway(H2_ERROR.NO_ERROR);
    this.#flush();
    this.#socket.end();
  }

  drop(): void {
    this.#socket.drop();
  }

  #leave(id: number): void {
    this.#connection.reset(id, H2_ERROR.CANCEL);
    this.#flush();
    this.#done(id)?.waiting.break();
  }

  #hear(event: Http2Event): void {
    switch (event.kind) {
      case "headers":
      case "data": {
        const stream = this.#streams.get(event.streamId);
        if (event.kind === "data") {
          stream?.waiting.take(event.bytes);
          this.#connection.consumed(event.streamId, event.flowBytes);
        } else if (stream !== undefined && !event.isTrailers && !event.isInterim)
          stream.waiting.status = Number(event.headers[0]?.[1]);
        if (event.endStream) this.#done(event.streamId)?.waiting.end();
        return;
      }
      case "reset":
        this.#done(event.streamId)?.waiting.break();
        return;
      case "drain": {
        const stream = this.#streams.get(event.streamId);
        if (stream !== undefined) this.#sendBody(event.streamId, stream);
        return;
      }
      case "goaway":
        // Streams above the last one will not be answered.
        for (const id of [...this.#streams.keys()])
          if (id > event.lastStreamId) this.#done(id)?.waiting.break();
        return;
      case "error":
        this.#over();
        return;
    }
  }

  #sendBody(id: number, stream: Stream): void {
    while (stream.unsent !== undefined) {
      const piece = stream.unsent.subarray(0, PIECE);
      const isLast = piece.length === stream.unsent.length;
      stream.unsent = isLast ? undefined : stream.unsent.subarray(PIECE);
      if (!this.#connection.sendData(id, piece, isLast && stream.endsBody)) return;
    }
  }

  #done(id: number): Stream | undefined {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    return stream;
  }

  #flush(): void {
    for (;;) {
      const output = this.#connection.takeOutput();
      for (const event of this.#connection.takeEvents()) this.#hear(event);
      if (output === undefined) return;
      this.#socket.send(output);
    }
  }

  #over(): void {
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const { waiting } of streams) waiting.break();
  }
}
