// The upstream's HTTP/2: every stream answered as soon as its request is whole.

import type { Socket } from "bun";
import { H2_ERROR, Http2Connection, type Http2Event } from "../../src/wire/http2-connection.ts";
import { Arrival, piecesOf, REST_MS } from "./arrival.ts";
import type { Ledger } from "./ledger.ts";
import { OutQueue } from "./out-queue.ts";

/** One connection. */
export class OriginHttp2 {
  readonly #ledger: Ledger;
  readonly #connection = new Http2Connection("server");
  readonly #out = new OutQueue();
  readonly #arrivals = new Map<number, Arrival>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  data(socket: Socket<OriginHttp2>, bytes: Buffer): void {
    for (const event of this.#connection.receive(bytes)) this.#hear(socket, event);
    this.drain(socket);
    if (this.#connection.isClosed) socket.end();
  }

  drain(socket: Socket<OriginHttp2>): void {
    this.#out.flush(socket);
    while (this.#out.isEmpty) {
      const output = this.#connection.takeOutput();
      for (const event of this.#connection.takeEvents()) this.#hear(socket, event);
      if (output === undefined) return;
      this.#out.write(socket, output);
    }
  }

  #hear(socket: Socket<OriginHttp2>, event: Http2Event): void {
    if (event.kind === "headers") {
      const target = event.headers.find(([name]) => name === ":path")?.[1] ?? "";
      this.#arrivals.set(event.streamId, new Arrival(this.#ledger, target));
    } else if (event.kind === "data") {
      this.#arrivals.get(event.streamId)?.take(event.bytes);
      this.#connection.consumed(event.streamId, event.flowBytes);
    } else {
      if (event.kind === "reset") this.#arrivals.delete(event.streamId);
      return;
    }
    if (event.endStream) void this.#reply(socket, event.streamId);
  }

  async #reply(socket: Socket<OriginHttp2>, streamId: number): Promise<void> {
    const arrival = this.#arrivals.get(streamId);
    this.#arrivals.delete(streamId);
    if (arrival === undefined) return;
    arrival.end();
    if (!arrival.kind) return this.#connection.reset(streamId, H2_ERROR.NO_ERROR);
    const { isChunked } = arrival.kind;
    const length = isChunked ? [] : ([["content-length", String(arrival.reply.length)]] as const);
    this.#connection.sendHeaders(
      streamId,
      [[":status", "200"], ["content-type", "application/json"], ...length],
      false,
    );
    const pieces = piecesOf(arrival);
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await Bun.sleep(REST_MS);
      this.#connection.sendData(streamId, piece, index === pieces.length - 1);
      if (index > 0) this.drain(socket);
    }
  }
}
