// Notices when a file that a person edits has changed, and reads it only when its writer is done. A
// watch on the file says at once that something happened; it loses links whose target moves and
// file systems of other machines, so the path is looked at twice a second all the same, and more
// often after a change. A watch on the directory would wake up for every audit row. Knows nothing
// of the content.

import { type BigIntStats, type FSWatcher, watch } from "node:fs";
import { type FileHandle, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "./files.ts";
import { keptOut, openTrusted } from "./trusted-file.ts";

/** The file's content: the text, `missing`, or why it cannot be read. */
export type FileContent =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "missing" }
  | { readonly kind: "unreadable"; readonly why: string };

/** Between two looks while nothing happens. With the longest quiet time it keeps "within a second". */
const IDLE_POLL_MS = 500;
/** The same after something has happened, for so long. */
const POLL_MS = 100;
const LIVELY_MS = 3_000;
/** A file that was put in place whole, as by rename, is read after this long without a change… */
const QUIET_MS = 50;
/** …one that is written where it is after this long… */
const IN_PLACE_QUIET_MS = 150;
/** …one that may be cut off, being shorter than before, after this long… */
const SHORTER_QUIET_MS = 300;
/** …and one without a newline at its end, which a writer that was interrupted leaves, after this long. */
const UNFINISHED_QUIET_MS = 2_000;
const MAX_BYTES = 8 * 1024 * 1024;

/** Follows one path; `onContent` is called once for each settled change, never for the same state twice. */
export class WatchedFile {
  readonly #path: string;
  readonly #onContent: (content: FileContent) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watcher: FSWatcher | undefined;
  /** Which file the watcher is on; another one may have taken its name. */
  #watchedInode: bigint | undefined;
  #livelyUntilMs = 0;
  #delivered = "";
  #seen = "";
  #lastText = "";
  #lastInode = 0n;
  #busy: Promise<void> | undefined;
  #reads = 0;
  #closed = false;
  #lookedMs = Date.now();

  constructor(path: string, onContent: (content: FileContent) => void) {
    this.#path = path;
    this.#onContent = onContent;
  }

  /** Reads now, without waiting for a writer to pause, and remembers the state as seen. Does not call `onContent`. */
  async read(): Promise<FileContent> {
    this.#reads += 1;
    const file = await openForReading(this.#path);
    this.#lookedMs = Date.now();
    if ("kind" in file) {
      this.#delivered = stateOf(file);
      return file;
    }
    try {
      return await this.#take(file);
    } finally {
      await file.close();
    }
  }

  /** When the path was last looked at to the end, in milliseconds since 1970. */
  get lookedMs(): number {
    return this.#lookedMs;
  }

  /** Begins to look. Neither the timer nor the watch keeps the process alive. */
  start(): void {
    this.#look();
  }

  /** Stops; no call of `onContent` follows. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }

  #look(): void {
    clearTimeout(this.#timer);
    this.#busy ??= this.#check()
      .catch((error: unknown) => this.#deliver("unreadable", { kind: "unreadable", why: String(error) }))
      .finally(() => {
        this.#lookedMs = Date.now();
        this.#busy = undefined;
        this.#lookLater();
      });
  }

  #lookLater(): void {
    if (this.#closed || this.#busy !== undefined) return;
    clearTimeout(this.#timer);
    const isLively = performance.now() < this.#livelyUntilMs;
    this.#timer = setTimeout(() => this.#look(), isLively ? POLL_MS : IDLE_POLL_MS);
    this.#timer.unref();
  }

  /** Something happened to the file. However often that is, it is not looked at more often than in lively times. */
  #enliven(): void {
    const wasLively = performance.now() < this.#livelyUntilMs;
    this.#livelyUntilMs = performance.now() + LIVELY_MS;
    if (!wasLively) this.#look();
  }

  #watch(inode: bigint | undefined): void {
    if (inode === this.#watchedInode || this.#closed) return;
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#watchedInode = undefined;
    if (inode === undefined) return;
    try {
      this.#watcher = watch(this.#path, { persistent: false }, (event) => {
        // Another file may have the name now, and even the same inode.
        if (event === "rename") this.#watchedInode = undefined;
        this.#enliven();
      });
      // The next look tries again, as after an error of `watch` itself.
      this.#watcher.on("error", () => this.#watch(undefined));
      this.#watchedInode = inode;
    } catch {
      // No more watches are to be had, or none on this file system.
    }
  }

  async #check(): Promise<void> {
    // A look that was overtaken by a read tells nothing: it may have seen the file as it was before.
    const reads = this.#reads;
    const seen = await stateAt(this.#path);
    this.#watch(seen.inode);
    if (seen.signature !== this.#seen) this.#livelyUntilMs = performance.now() + LIVELY_MS;
    this.#seen = seen.signature;
    if (seen.signature === this.#delivered) return;
    const file = await openForReading(this.#path);
    if ("kind" in file) return this.#checkAbsent(file);
    try {
      // Quiet is asked of the opened file, not of the path: anyone who saves by rename all the time still gets every
      // version that we opened read whole.
      const { ino } = await file.stat({ bigint: true });
      const quietMs = ino === this.#lastInode ? IN_PLACE_QUIET_MS : QUIET_MS;
      await settled(file, quietMs);
      const before = await file.stat({ bigint: true });
      const text = await readText(file);
      const isUnfinished = text !== "" && !text.endsWith("\n");
      if (isUnfinished || text.length < this.#lastText.length)
        await settled(file, (isUnfinished ? UNFINISHED_QUIET_MS : SHORTER_QUIET_MS) - quietMs);
      if (written(await file.stat({ bigint: true })) !== written(before)) return; // the next look decides
      if (reads !== this.#reads) return;
      this.#lastInode = ino;
      this.#lastText = text;
      this.#deliver(signature(before), { kind: "text", text });
    } finally {
      await file.close();
    }
  }

  async #checkAbsent(absent: Exclude<FileContent, { kind: "text" }>): Promise<void> {
    // Between "delete" and "create" of an editor that saves so there is no file: wait before believing it.
    await sleep(SHORTER_QUIET_MS, undefined, { ref: false });
    const again = await openForReading(this.#path);
    if (!("kind" in again)) return again.close(); // the next look reads it
    if (stateOf(again) === stateOf(absent)) this.#deliver(stateOf(absent), absent);
  }

  async #take(file: FileHandle): Promise<FileContent> {
    for (let attempt = 0; ; attempt++) {
      const found = await file.stat({ bigint: true });
      const text = await readText(file);
      if (written(await file.stat({ bigint: true })) !== written(found) && attempt < 20) {
        await sleep(5);
        continue;
      }
      this.#delivered = signature(found);
      this.#lastInode = found.ino;
      this.#lastText = text;
      return { kind: "text", text };
    }
  }

  #deliver(state: string, content: FileContent): void {
    if (this.#closed || state === this.#delivered) return;
    this.#delivered = state;
    this.#onContent(content);
  }
}

/**
 * A key for comparing two looks at a file that was not read. A refused file is opened at every look, because
 * its folder may have been the fault.
 */
function stateOf(absent: Exclude<FileContent, { kind: "text" }>): string {
  return absent.kind === "missing" ? "missing" : `unreadable: ${absent.why}`;
}

async function openForReading(path: string): Promise<FileHandle | Exclude<FileContent, { kind: "text" }>> {
  try {
    const opened = await openTrusted(path, MAX_BYTES);
    return "file" in opened ? opened.file : { kind: "unreadable", why: opened.refused };
  } catch (error) {
    if (errorCode(error) === "ENOENT") return { kind: "missing" };
    const why = errorCode(error) === "EACCES" ? "permission denied" : (keptOut(error) ?? String(error));
    return { kind: "unreadable", why };
  }
}

async function settled(file: FileHandle, quietMs: number): Promise<void> {
  let last = written(await file.stat({ bigint: true }));
  for (let quiet = 0; quiet < quietMs; ) {
    await sleep(10, undefined, { ref: false });
    const now = written(await file.stat({ bigint: true }));
    quiet = now === last ? quiet + 10 : 0;
    last = now;
  }
}

async function readText(file: FileHandle): Promise<string> {
  const { size } = await file.stat();
  const buffer = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await file.read(buffer, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.toString("utf8", 0, length);
}

async function stateAt(path: string): Promise<{ readonly signature: string; readonly inode?: bigint }> {
  try {
    const found = await stat(path, { bigint: true });
    return { signature: signature(found), inode: found.ino };
  } catch (error) {
    return { signature: errorCode(error) === "ENOENT" ? "missing" : "unreadable" };
  }
}

/** Changes with the content only; the change time would also change when another file is renamed over this one. */
function written(found: BigIntStats): string {
  return `${found.size}:${found.mtimeNs}`;
}

function signature(found: BigIntStats): string {
  return `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`;
}
