// One bulk download: asks for so many bytes, checks their number and, at the ends of every piece
// that arrives, that they are the right ones.

import { bulkByte } from "../target.ts";
import type { LoadConnection } from "./connection.ts";

/** Asks the origin's bulk port for `bytes`; `done` resolves when they came and were right. */
export class BulkTransfer {
  readonly done: Promise<void>;

  constructor(connection: LoadConnection, bytes: number) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.done = promise;
    let got = 0;
    connection.onBytes = (piece) => {
      const last = got + piece.length - 1;
      if (piece[0] !== bulkByte(got) || piece[piece.length - 1] !== bulkByte(last))
        reject(new Error(`wrong bytes between ${got} and ${last}`));
      got = last + 1;
      if (got < bytes) return;
      if (got > bytes) reject(new Error("more bytes than were asked for"));
      connection.close();
      resolve();
    };
    connection.onClose = () => reject(new Error(`closed after ${got} of ${bytes} bytes`));
    connection.send(Buffer.from(String(bytes)));
  }
}
