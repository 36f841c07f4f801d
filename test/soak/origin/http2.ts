// The upstream's HTTP/2: every stream answered as soon as its request is whole.

import type { Socket } from "bun";
import type { Header } from "../../../src/model/request.ts";
import { Http2Connection, type Http2Event } from "../../../src/wire/http2/connection.ts";
import { Arrival, everyMs, piecesOf, REST_MS, WATCH_EVENT } from "../arrival.ts";
import { OutQueue } from "../client/out-queue.ts";
import { type Ledger, noteFault } from "../ledger.ts";

/** One connection. */
export class OriginHttp2 {
  readonly #ledger: Ledger;
  readonly #connection = new Http2Connection("server");
  readonly #out = new OutQueue();
  readonly #arrivals = new Map<number, Arrival>();
  readonly #watches = new Map<number, ReturnType<typeof setInterval>>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  data(socket: Socket<OriginHttp2>, bytes: Buffer): void {
    for (const event of this.#connection.receive(bytes)) this.#hear(socket, event);
    this.drain(socket);
  }

  close(): void {
    for (const watch of this.#watches.values()) clearInterval(watch);
  }

  drain(socket: Socket<OriginHttp2>): void {
    this.#out.flush(socket);
    while (this.#out.isEmpty) {
      const output = this.#connection.takeOutput();
      for (const event of this.#connection.takeEvents()) this.#hear(socket, event);
      // The gateway closes what it gives up. Were it done here, the reset that answers its last frames could overtake
      // the last replies.
      if (output === undefined) return;
      this.#out.write(socket, output);
    }
  }

  #hear(socket: Socket<OriginHttp2>, event: Http2Event): void {
    if (event.kind === "headers") {
      const target = event.headers.find(([name]) => name === ":path")?.[1] ?? "";
      const every = everyMs(target);
      if (every !== undefined) {
        this.#serveWatch(socket, event.streamId, every);
        return;
      }
      this.#arrivals.set(event.streamId, new Arrival(this.#ledger, target));
    } else if (event.kind === "data") {
      this.#arrivals.get(event.streamId)?.take(event.bytes);
      this.#connection.consumed(event.streamId, event.flowBytes);
    } else {
      if (event.kind === "error" || (event.kind === "reset" && event.isOurs))
        noteFault(this.#ledger, `HTTP/2: ${event.reason}`);
      if (event.kind === "goaway" && event.code !== 0) noteFault(this.#ledger, `HTTP/2: code ${event.code}`);
      if (event.kind !== "reset") return;
      this.#arrivals.delete(event.streamId);
      clearInterval(this.#watches.get(event.streamId));
      this.#watches.delete(event.streamId);
      return;
    }
    if (event.endStream) void this.#reply(socket, event.streamId);
  }

  /** Events until the client goes away. */
  #serveWatch(socket: Socket<OriginHttp2>, streamId: number, every: number): void {
    const fields: Header[] = [
      [":status", "200"],
      ["content-type", "application/json;stream=watch"],
    ];
    this.#connection.sendHeaders(streamId, fields, false);
    const send = () => {
      this.#connection.sendData(streamId, WATCH_EVENT, false);
      this.drain(socket);
    };
    this.#watches.set(streamId, setInterval(send, every));
  }

  async #reply(socket: Socket<OriginHttp2>, streamId: number): Promise<void> {
    const arrival = this.#arrivals.get(streamId);
    this.#arrivals.delete(streamId);
    if (arrival === undefined) return;
    arrival.end();
    const isChunked = arrival.kind?.isChunked === true;
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
