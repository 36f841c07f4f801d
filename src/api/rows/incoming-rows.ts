// The rows that a client sends on a stream's own connection: one JSON object a line, after the
// request. Every row asks or tells something, so none is dropped; a row without the method's shape
// ends the connection.

import type { Duplex } from "node:stream";
import { NdjsonDecoder } from "../../wire/ndjson.ts";
import { valueProblem } from "../check-value.ts";
import type { AnySchema } from "../schema.ts";

/** Bytes of one row; the arguments of a call are in it. */
const ROW_MAX = 32 * 1024 * 1024;
/** Rows that may come before anybody listens. */
const EARLY_MAX = 1_000;

/** The rows that arrive on a socket, on the server's side. */
export class IncomingRows {
  readonly #decoder = new NdjsonDecoder(ROW_MAX);
  readonly #schema: AnySchema;
  readonly #socket: Duplex;
  #early: unknown[] = [];
  #listener: ((row: unknown) => void) | undefined;

  constructor(socket: Duplex, schema: AnySchema) {
    this.#socket = socket;
    this.#schema = schema;
  }

  /** Bytes that came after the request. */
  push(chunk: Uint8Array): void {
    for (const row of this.#decoder.push(chunk)) {
      if (valueProblem(this.#schema, row, "strict") !== undefined) {
        this.#socket.destroy();
        return;
      }
      if (this.#listener === undefined) this.#early.push(row);
      else this.#listener(row);
    }
    if (this.#decoder.problem !== undefined || this.#early.length > EARLY_MAX) this.#socket.destroy();
  }

  /** Every row, from the first one on. */
  onRow(listener: (row: unknown) => void): void {
    this.#listener = listener;
    const early = this.#early;
    this.#early = [];
    for (const row of early) listener(row);
  }
}
