// Writes one NDJSON stream to a socket as fast as its reader takes it. The producer never waits:
// rows queue up to a bound, then the oldest are dropped and counted.

import type { Duplex } from "node:stream";
import { encodeChunk, encodeLastChunk } from "../../wire/http1/body.ts";
import { serialiseResponseHead } from "../../wire/http1/head.ts";
import type { RowSink } from "../handlers.ts";
import type { IncomingRows } from "../rows/incoming-rows.ts";
import { RowQueue } from "./row-queue.ts";

/** Runs `produce` with a sink until it resolves or the reader goes, then ends the response. */
export async function streamRows<Row>(
  socket: Duplex,
  signal: AbortSignal,
  produce: (sink: RowSink<Row>) => void | Promise<void>,
  incoming?: IncomingRows,
): Promise<void> {
  // Where the client asks questions, each row is the answer to one, and none may be lost.
  const queue = new RowQueue<Row>(incoming === undefined ? undefined : Number.POSITIVE_INFINITY);
  let isFull = false;
  let isFlushing = false;
  const flush = () => {
    isFlushing = false;
    while (!isFull && !socket.destroyed) {
      const rows = takeSome(queue);
      if (rows === undefined) return;
      isFull = !writeRows(socket, rows);
    }
  };
  // All of a turn of the loop go in one write: a burst of a thousand events may have a hundred readers. A client that asks
  // waits for its answer, so answers go when this turn's code has run.
  const flushSoon = () => {
    if (isFlushing) return;
    isFlushing = true;
    if (incoming === undefined) setImmediate(flush);
    else queueMicrotask(flush);
  };
  socket.on("drain", () => {
    isFull = false;
    flush();
  });
  socket.write(
    serialiseResponseHead({
      status: 200,
      statusText: "",
      headers: [
        ["content-type", "application/x-ndjson"],
        ["transfer-encoding", "chunked"],
        ["connection", "close"],
      ],
    }),
  );
  await produce({
    signal,
    onRow: (listener) => incoming?.onRow(listener),
    send: (row) => {
      queue.push(row);
      if (!isFull) flushSoon();
    },
  });
  flush();
  while (isFull && !socket.destroyed) await drained(socket);
  if (!socket.destroyed) socket.end(encodeLastChunk([]));
}

/** An event goes to many readers as the same line. */
const LINES = new WeakMap<object, Buffer>();

function lineOf(row: unknown): Buffer {
  const known = typeof row === "object" && row !== null ? LINES.get(row) : undefined;
  if (known !== undefined) return known;
  const line = Buffer.from(`${JSON.stringify(row)}\n`);
  if (typeof row === "object" && row !== null) LINES.set(row, line);
  return line;
}

const WRITE_BYTES = 64 * 1024;

/** The lines of the next rows, as many as make one write; undefined when there is none. */
function takeSome(queue: RowQueue<unknown>): Buffer | undefined {
  const lines: Buffer[] = [];
  let size = 0;
  while (size < WRITE_BYTES) {
    const row = queue.take();
    if (row === undefined) break;
    const line = lineOf(row);
    lines.push(line);
    size += line.length;
  }
  const [first] = lines;
  return lines.length > 1 ? Buffer.concat(lines, size) : first;
}

function writeRows(socket: Duplex, lines: Buffer): boolean {
  return socket.write(Buffer.concat(encodeChunk(lines)));
}

function drained(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.once("drain", done).once("close", done);
  });
}
