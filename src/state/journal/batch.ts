// Reads a journal in batches from a place that was kept: for readers that go on after a restart
// where they had stopped. A place is a file (by its inode, so that it is found again after `mv
// audit.jsonl audit.jsonl.1`) and an offset at the start of a line. Remembers nothing: the caller
// keeps the place, once the batch has arrived.

import { type FileHandle, open, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Entry } from "../../model/entry.ts";
import { errorCode } from "../files.ts";
import { READ_WITHOUT_WAITING } from "../trusted-file.ts";
import { parseRow, readBlock } from "./read.ts";

/** Where to go on. */
export interface JournalPlace {
  readonly inode: number;
  /** Octets, always at the start of a line. */
  readonly offset: number;
}

/** One batch of rows read from a journal. */
export interface JournalBatch {
  readonly rows: readonly Entry[];
  /** The same rows as they are written, without their line feeds. */
  readonly lines: readonly string[];
  /** Where the next batch begins. */
  readonly next: JournalPlace;
  /** Why rows may have been missed, as a clause; absent when none were. */
  readonly gap?: string;
}

const MAX_LINE_BYTES = 1024 * 1024;
/** Renamed copies that are looked through for the file of a place. */
const MAX_COPIES = 100;

/** The end of the journal as it is now; undefined when the file is not there. */
export async function endOfJournal(path: string): Promise<JournalPlace | undefined> {
  await using file = await openIfRegular(path);
  if (file === undefined) return undefined;
  const { ino, size } = await file.handle.stat();
  return { inode: ino, offset: await startOfLastLine(file.handle, size) };
}

/** The beginning of the journal; rows of renamed copies do not count. */
export async function startOfJournal(path: string): Promise<JournalPlace | undefined> {
  await using file = await openIfRegular(path);
  return file === undefined ? undefined : { inode: (await file.handle.stat()).ino, offset: 0 };
}

/** How many octets of the journal lie behind `place`; copies that were renamed count only if `place` is in one. */
export async function octetsBehind(path: string, place: JournalPlace): Promise<number> {
  await using file = await openIfRegular(path);
  if (file === undefined) return 0;
  const { ino, size } = await file.handle.stat();
  return ino === place.inode ? Math.max(0, size - place.offset) : size;
}

/**
 * At most `maxRows` rows in at most about `maxBytes` octets from `place` on. Lines that are no rows are passed over.
 * Undefined when the journal is not there. An empty batch means that there is nothing new.
 */
export async function readBatch(
  path: string,
  place: JournalPlace,
  { maxRows, maxBytes }: { readonly maxRows: number; readonly maxBytes: number },
): Promise<JournalBatch | undefined> {
  await using current = await openIfRegular(path);
  if (current === undefined) return undefined;
  const { ino, size } = await current.handle.stat();
  if (ino === place.inode) {
    // Awaited here: the file is closed when this function ends.
    if (size >= place.offset) return await readFrom(current.handle, place, maxRows, maxBytes);
    const batch = await readFrom(current.handle, { inode: ino, offset: 0 }, maxRows, maxBytes);
    return { ...batch, gap: "the file was cut off, rows that were in it may be missing" };
  }
  const copies = await copiesOf(path);
  const at = copies.findIndex(({ inode }) => inode === place.inode);
  const copy = copies[at];
  if (copy === undefined) {
    const batch = await readFrom(current.handle, { inode: ino, offset: 0 }, maxRows, maxBytes);
    return { ...batch, gap: "the file that was being read is gone, rows that were in it may be missing" };
  }
  await using older = await openIfRegular(copy.path);
  if (older !== undefined) {
    const batch = await readFrom(older.handle, place, maxRows, maxBytes);
    if (batch.rows.length > 0 || batch.next.offset > place.offset) return batch;
  }
  // That copy is read: on with the one that came after it, which is the file itself when there is none.
  const next = copies[at + 1];
  return { rows: [], lines: [], next: { inode: next?.inode ?? ino, offset: 0 } };
}

async function readFrom(
  file: FileHandle,
  { inode, offset }: JournalPlace,
  maxRows: number,
  maxBytes: number,
): Promise<JournalBatch> {
  // One line may be longer than the batch: it is read whole, so that reading always gets on.
  let block = await readBlock(file, offset, Math.min(maxBytes, MAX_LINE_BYTES));
  if (block.length > 0 && block.indexOf(10) === -1) block = await readBlock(file, offset, MAX_LINE_BYTES);
  const rows: Entry[] = [];
  const lines: string[] = [];
  let start = 0;
  for (let end = block.indexOf(10); end !== -1 && rows.length < maxRows; end = block.indexOf(10, start)) {
    const line = block.toString("utf8", start, end);
    const entry = parseRow(line);
    if (entry !== undefined) {
      rows.push(entry);
      lines.push(line);
    }
    start = end + 1;
  }
  // No row is that long: longer text is no line and is passed over in pieces.
  if (start === 0 && block.length === MAX_LINE_BYTES) start = block.length;
  return { rows, lines, next: { inode, offset: offset + start } };
}

/** Renamed copies beside the journal, oldest first: `audit.jsonl.2`, `audit.jsonl.1`, `audit.jsonl-20261129`. */
async function copiesOf(path: string): Promise<readonly { readonly path: string; readonly inode: number }[]> {
  const prefix = basename(path);
  const names = (await readdir(dirname(path))).filter(
    (name) => name !== prefix && name.startsWith(prefix) && !/\.(?:gz|xz|zst|bz2|sha256)$/.test(name),
  );
  const found: { path: string; inode: number; changedMs: number }[] = [];
  for (const name of names.slice(0, MAX_COPIES)) {
    await using file = await openIfRegular(join(dirname(path), name));
    if (file === undefined) continue;
    const { ino, mtimeMs } = await file.handle.stat();
    found.push({ path: join(dirname(path), name), inode: ino, changedMs: mtimeMs });
  }
  return found.sort((a, b) => a.changedMs - b.changedMs);
}

async function startOfLastLine(file: FileHandle, size: number): Promise<number> {
  const start = Math.max(0, size - MAX_LINE_BYTES);
  const block = await readBlock(file, start, size - start);
  const last = block.lastIndexOf(10);
  return last === -1 ? size : start + last + 1;
}

async function openIfRegular(
  path: string,
): Promise<({ readonly handle: FileHandle } & AsyncDisposable) | undefined> {
  try {
    const handle = await open(path, READ_WITHOUT_WAITING);
    const opened = { handle, [Symbol.asyncDispose]: () => handle.close() };
    if ((await handle.stat()).isFile()) return opened;
    await handle.close();
  } catch (error) {
    if (errorCode(error) !== "ENOENT" && errorCode(error) !== "EACCES") throw error;
  }
  return undefined;
}
