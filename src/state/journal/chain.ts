// The hash chain of a journal: every row names the hash of the line before it, so that a row that
// is changed, removed or put in between is noticed by anyone who knows a later row. Links are made
// when a batch is written, and only kept for what reached the file: a full disk breaks nothing.

import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { errorCode } from "../files.ts";
import { READ_WITHOUT_WAITING } from "../trusted-file.ts";
import { readBlock } from "./read.ts";

/** A row's `chain` field. */
export interface ChainLink {
  /** From 1; one more than that of the row before. */
  readonly seq: number;
  /** SHA-256 of the line before, without its newline, in hex. */
  readonly prev: string;
}

/** The end of a chain. */
export interface ChainHead {
  readonly seq: number;
  /** SHA-256 of the last line. */
  readonly hash: string;
}

/** Before the first line of all. */
export const NO_LINE: ChainHead = { seq: 0, hash: "0".repeat(64) };

/** SHA-256 of a line in hex; a newline at its end does not count. */
export function hashOfLine(line: string): string {
  return createHash("sha256")
    .update(line.endsWith("\n") ? line.slice(0, -1) : line)
    .digest("hex");
}

/** The link that a line carries; undefined when it carries none. */
export function linkOfLine(line: string): ChainLink | undefined {
  const match = /,"chain":\{"seq":(\d{1,15}),"prev":"([0-9a-f]{64})"\}\}\n?$/.exec(line);
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { seq: Number(match[1]), prev: match[2] };
}

/** Where a chain goes on behind `line`, the last of the file; without a link in it a new chain begins. */
export function headBehind(line: string | undefined): ChainHead {
  if (line === undefined) return NO_LINE;
  return { seq: linkOfLine(line)?.seq ?? 0, hash: hashOfLine(line) };
}

const MAX_LINE_BYTES = 1024 * 1024;

/** The last line of a file, without its newline; undefined when there is none. */
export async function lastLineOf(path: string): Promise<string | undefined> {
  const file = await open(path, READ_WITHOUT_WAITING).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - MAX_LINE_BYTES);
    const lines = (await readBlock(file, start, size - start)).toString("utf8").split("\n");
    return lines.filter((line) => line !== "").at(-1);
  } finally {
    await file.close();
  }
}

/** The chain of a journal for as long as it is wanted: a setting turns it on and off between two batches. */
export class WantedChain {
  readonly #path: string;
  readonly #isWanted: () => boolean;
  #chain: JournalChain | undefined;

  constructor(path: string, isWanted: () => boolean) {
    this.#path = path;
    this.#isWanted = isWanted;
  }

  /** The end of the chain, once a row was linked. */
  get head(): ChainHead | undefined {
    return this.#chain?.head;
  }

  /**
   * Returns the chain that links the next batch; it begins behind the last line of the file. Undefined when
   * the setting is off.
   */
  async current(): Promise<JournalChain | undefined> {
    if (!this.#isWanted()) this.#chain = undefined;
    else this.#chain ??= new JournalChain(headBehind(await lastLineOf(this.#path)));
    return this.#chain;
  }
}

/** Links the rows of one journal. */
export class JournalChain {
  #head: ChainHead;

  constructor(head: ChainHead) {
    this.#head = head;
  }

  /** The last row that is in the file. */
  get head(): ChainHead {
    return this.#head;
  }

  /** The lines with their links, `{…}` and a newline each; nothing is kept until `keep`. */
  link(lines: readonly string[]): readonly string[] {
    let { seq, hash } = this.#head;
    return lines.map((line) => {
      seq += 1;
      const linked = `${line.slice(0, -2)},"chain":{"seq":${seq},"prev":"${hash}"}}\n`;
      hash = hashOfLine(linked);
      return linked;
    });
  }

  /** So many octets of what `link` gave are in the file: the chain goes on behind the last whole line of them. */
  keep(linked: readonly string[], octets: number): void {
    let end = 0;
    let last: string | undefined;
    let count = 0;
    for (const line of linked) {
      end += Buffer.byteLength(line);
      if (end > octets) break;
      last = line;
      count += 1;
    }
    if (last !== undefined) this.#head = { seq: this.#head.seq + count, hash: hashOfLine(last) };
  }
}
