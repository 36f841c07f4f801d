// Reads a file that a person names on the command line. Regular files only, of bounded size, opened
// without waiting: a FIFO, a terminal or /dev/zero ends at once with a sentence instead of a
// program that hangs or fills the memory.

import type { FileHandle } from "node:fs/promises";
import { UserError } from "../model/user-error.ts";

/** The rules for a file that a person named. */
export interface NamedFile {
  /** The file's part in the command, as in "policy 'x' does not exist"; "" names it by its path alone. */
  readonly what: string;
  /** Largest size in octets; 1 MiB unless given. */
  readonly maxBytes?: number;
  readonly hint?: string;
}

const MIB = 1024 * 1024;

/** The octets of a regular file. Throws a `UserError` that names the file and says what is wrong with it. */
export async function readNamedFile(path: string, named: NamedFile): Promise<Buffer> {
  const { what, maxBytes = MIB, hint = "give the path of a file" } = named;
  const fails = (why: string, cause?: unknown) =>
    new UserError(`${what === "" ? "" : `${what} `}'${path}' ${why}`, { hint, cause });
  const { constants } = await import("node:fs");
  const { open } = await import("node:fs/promises");
  let file: FileHandle;
  try {
    // Without O_NONBLOCK a FIFO would keep the program waiting for a writer.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    throw fails(WHY[(error as NodeJS.ErrnoException).code ?? ""] ?? `cannot be opened: ${error}`, error);
  }
  try {
    const found = await file.stat();
    if (found.isDirectory()) throw fails("is a directory");
    if (!found.isFile()) throw fails("is not a regular file");
    if (found.size > maxBytes) throw fails(`is larger than ${maxBytes / MIB} MiB`);
    // A file of /proc says that it is empty; one that grows is read up to the bound.
    const buffer = Buffer.alloc(found.size === 0 ? maxBytes : found.size);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) return buffer.subarray(0, length);
    }
  } finally {
    await file.close();
  }
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  EACCES: "may not be read by you",
  ENOTDIR: "does not exist",
  ENXIO: "is not a regular file",
};
