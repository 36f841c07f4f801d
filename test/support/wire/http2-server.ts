// The engine as a server that answers every whole request, for tests that send it frames by hand
// and look at the frames it sends back.

import { Http2Connection, type Http2Event, type Http2Limits } from "../../../src/wire/http2/connection.ts";
import {
  FLAGS,
  frame,
  numberIn,
  PREFACE_OCTETS,
  type ReadFrame,
  readFrames,
  settings,
  TYPE,
} from "./http2-frames.ts";

/** The result of some frames. */
export interface Outcome {
  readonly events: readonly Http2Event[];
  readonly frames: readonly ReadFrame[];
}

const BODY = new TextEncoder().encode("hello");

/** A connection in the server's role, past the handshake. */
export class AnsweringServer {
  readonly connection: Http2Connection;
  readonly events: Http2Event[] = [];
  readonly frames: ReadFrame[] = [];

  constructor(limits: Partial<Http2Limits> = {}) {
    this.connection = new Http2Connection("server", limits);
    this.connection.takeOutput();
    this.connection.receive(PREFACE_OCTETS);
    this.connection.receive(settings());
    this.connection.receive(frame(TYPE.SETTINGS, FLAGS.ACK, 0));
    this.connection.takeOutput();
  }

  /** Each part as a packet of its own, requests answered as soon as they are whole. */
  send(...parts: readonly Uint8Array[]): this {
    for (const part of parts) {
      for (const event of this.connection.receive(part)) this.#on(event);
      const output = this.connection.takeOutput();
      if (output !== undefined) this.frames.push(...readFrames(output));
    }
    return this;
  }

  #on(event: Http2Event): void {
    this.events.push(event);
    if (event.kind === "data") this.connection.consumed(event.streamId, event.flowBytes);
    if ((event.kind !== "headers" && event.kind !== "data") || !event.endStream) return;
    this.connection.sendHeaders(event.streamId, [[":status", "200"]], false);
    this.connection.sendData(event.streamId, BODY, true);
  }

  /** Codes of the GOAWAY frames sent. */
  get connectionErrors(): number[] {
    return this.#of(TYPE.GOAWAY).map(({ payload }) => numberIn(payload, 4));
  }

  /** Stream and code of the RST_STREAM frames sent. */
  get streamErrors(): (readonly [streamId: number, code: number])[] {
    return this.#of(TYPE.RST_STREAM).map(({ streamId, payload }) => [streamId, numberIn(payload)] as const);
  }

  /** Streams whose response has been sent to its end. */
  get answered(): number[] {
    return this.#of(TYPE.DATA)
      .filter(({ flags }) => (flags & FLAGS.END) !== 0)
      .map(({ streamId }) => streamId);
  }

  #of(type: number): ReadFrame[] {
    return this.frames.filter((sent) => sent.type === type);
  }
}
