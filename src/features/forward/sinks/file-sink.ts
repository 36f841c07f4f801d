// Rows to a file on this machine, a line each: for collectors that read files. Opened for every
// batch, so that it may be renamed at any time; never through a symbolic link, and never anything
// but a regular file.

import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { Entry } from "../../../model/entry.ts";
import { syncOrdered } from "../../../state/durable.ts";
import type { Delivery, Sink } from "../sink.ts";

const FLAGS =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Appends to `path`, 0600 when it is new. */
export function fileSink(path: string, render: (entry: Entry) => unknown): Sink {
  return {
    maxRows: 1_000,
    maxBytes: 1024 * 1024,
    gatherMs: 0,
    async deliver(rows): Promise<Delivery> {
      const text = rows.map((row) => `${JSON.stringify(render(row))}\n`).join("");
      try {
        const file = await open(path, FLAGS, 0o600);
        try {
          if (!(await file.stat()).isFile()) return { kind: "failed", reason: `'${path}' is not a file` };
          await file.appendFile(text);
          await syncOrdered(file);
        } finally {
          await file.close();
        }
        return { kind: "delivered" };
      } catch (error) {
        return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}
