// Takes one file out of a .tar.gz, in a stream: archives are of the size of the program, and the
// daemon's memory is not. Reads what packaging/release/archive.ts writes; anything that it does not
// know is an error, never a guess.

import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { syncWhole } from "../../state/durable.ts";

const BLOCK = 512;
/** Octets that go to the thread that inflates, and come back, at once: with the usual 16 KiB most of the time is the way. */
const CHUNK = 256 * 1024;

/** Writes the member `name` of the archive to `target`, with this mode. Throws, and leaves no target, when it is not whole. */
export async function unpackMember(
  archive: string,
  name: string,
  target: string,
  mode: number,
): Promise<void> {
  const file = await open(target, "w", mode);
  const source = createReadStream(archive, { highWaterMark: CHUNK });
  const gunzip = createGunzip({ chunkSize: CHUNK });
  source.on("error", (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  let pending: Buffer = Buffer.alloc(0);
  let left = 0;
  let padding = 0;
  let isWanted = false;
  let isDone = false;
  try {
    // Nothing is awaited between the pipe and here: an error that nobody listens for ends the process.
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      // Read on to the end: the checksum of gzip is there.
      if (isDone) continue;
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      while (pending.length > 0 && !isDone) {
        if (left > 0) {
          const part = pending.subarray(0, left);
          if (isWanted) await writeAll(file, part);
          left -= part.length;
          pending = pending.subarray(part.length);
          isDone = isWanted && left === 0;
        } else if (padding > 0) {
          const skipped = Math.min(padding, pending.length);
          padding -= skipped;
          pending = pending.subarray(skipped);
        } else if (pending.length >= BLOCK) {
          const size = Number.parseInt(pending.toString("latin1", 124, 135), 8);
          if (pending[0] === 0) throw new Error(`the archive does not hold '${name}'`);
          if (!Number.isInteger(size) || size < 0) throw new Error("the archive is damaged");
          isWanted = textAt(pending, 0, 100) === name && pending[156] === 0x30;
          left = size;
          padding = (BLOCK - (size % BLOCK)) % BLOCK;
          isDone = isWanted && size === 0;
          pending = pending.subarray(BLOCK);
        } else break;
      }
    }
    if (!isDone) throw new Error(`the archive does not hold a whole '${name}'`);
    await file.chmod(mode);
    await syncWhole(file);
  } catch (error) {
    source.destroy();
    await file.close();
    await rm(target, { force: true });
    throw error;
  }
  await file.close();
}

async function writeAll(file: Awaited<ReturnType<typeof open>>, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

function textAt(block: Buffer, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? length : end);
}
