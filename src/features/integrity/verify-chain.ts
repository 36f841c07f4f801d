// Reads a chained audit log from its first line to its last and says where it does not hold
// together. Memory does not grow with the file. The gaps of every chain are named as well: rows
// from before it was turned on, and where it begins.

import { type ChainHead, type ChainLink, hashOfLine, linkOfLine } from "../../state/journal/chain.ts";
import { parseRow } from "../../state/journal/read.ts";
import { CHECKPOINT, type Checkpoint, isCheckpointSigned } from "./checkpoint.ts";

/** Something that does not hold. */
export interface ChainBreak {
  readonly file: string;
  /** The line of the file, counted from 1. */
  readonly line: number;
  /** A clause. */
  readonly what: string;
}

/** The result of a verification. */
export interface ChainReport {
  readonly linkedRows: number;
  /** From before the chain, or between two of them. */
  readonly plainRows: number;
  /** How often a chain begins; more than once when it was turned off in between. */
  readonly beginnings: number;
  readonly checkpoints: number;
  /** Public keys that signed checkpoints. */
  readonly keys: readonly string[];
  readonly head: ChainHead | undefined;
  readonly breaks: readonly ChainBreak[];
  /** More were found than are listed. */
  readonly hasMoreBreaks: boolean;
}

/** A row that somebody knows from elsewhere. */
export interface ExpectedRow {
  readonly seq: number;
  /** SHA-256 of its line. */
  readonly hash: string;
}

const MAX_BREAKS = 20;
/** Checkpoints speak of the last rows before them. */
const KNOWN_HASHES = 4096;

/** Verifies line by line; `finish` gives the report. Files are given oldest first. */
export class ChainVerification {
  #head: ChainHead | undefined;
  #isInFirstLine = true;
  #isBehindPlainRow = false;
  #linkedRows = 0;
  #plainRows = 0;
  #beginnings = 0;
  #checkpoints = 0;
  readonly #keys = new Set<string>();
  readonly #breaks: ChainBreak[] = [];
  #hasMoreBreaks = false;
  /** Hash of the line before, linked or not. */
  #before: string | undefined;
  /** Of the last linked rows, by their number. */
  readonly #hashes = new Map<number, string>();
  readonly #expected: Map<number, string>;

  constructor(expected: readonly ExpectedRow[] = []) {
    this.#expected = new Map(expected.map(({ seq, hash }) => [seq, hash]));
  }

  /** Looks at the next line, without its newline. */
  line(text: string, file: string, line: number): void {
    if (text === "") return;
    const isFirst = this.#isInFirstLine;
    this.#isInFirstLine = false;
    const row = parseRow(text);
    const link = linkOfLine(text);
    const hash = hashOfLine(text);
    if (row === undefined || link === undefined) {
      if (row !== undefined) this.#plainRows += 1;
      // A line that a crash cut off is none of the chain's; the next row tells whether one is missing.
      if (row !== undefined) this.#isBehindPlainRow = true;
      this.#before = hash;
      return;
    }
    this.#linkedRows += 1;
    const problem = this.#problem(link, isFirst);
    if (problem !== undefined) this.#report({ file, line, what: problem });
    this.#head = { seq: link.seq, hash };
    this.#remember(link.seq, hash, file, line);
    this.#isBehindPlainRow = false;
    this.#before = hash;
    if (row.op === "control" && row.fields.command === CHECKPOINT)
      this.#checkpoint(row.fields, link, file, line);
  }

  /** Returns the result, once every line was looked at. */
  finish(file: string): ChainReport {
    for (const seq of this.#expected.keys())
      this.#report({ file, line: 0, what: `row ${seq}, which is known from elsewhere, is not there` });
    return {
      linkedRows: this.#linkedRows,
      plainRows: this.#plainRows,
      beginnings: this.#beginnings,
      checkpoints: this.#checkpoints,
      keys: [...this.#keys],
      head: this.#head,
      breaks: this.#breaks,
      hasMoreBreaks: this.#hasMoreBreaks,
    };
  }

  #problem(link: ChainLink, isFirst: boolean): string | undefined {
    const head = this.#head;
    if (link.seq === 1 && (head === undefined || this.#isBehindPlainRow)) {
      this.#beginnings += 1;
      const isRight = this.#before === undefined || link.prev === this.#before;
      return isRight ? undefined : "the line before it was changed or removed";
    }
    // The first file that is given may itself go on from one that was moved away.
    if (head === undefined) return isFirst ? undefined : "the chain does not begin here";
    if (this.#isBehindPlainRow) return "a row without a link is in the middle of the chain";
    if (link.prev === head.hash && link.seq === head.seq + 1) return undefined;
    const missing = link.seq - head.seq - 1;
    if (missing > 0)
      return missing === 1 ? "a row is missing before it" : `${missing} rows are missing before it`;
    if (missing < 0) return "it is out of order";
    return "the row before it was changed";
  }

  #checkpoint(fields: Readonly<Record<string, unknown>>, link: ChainLink, file: string, line: number): void {
    const checkpoint = fields as unknown as Checkpoint;
    this.#checkpoints += 1;
    const known = this.#hashes.get(checkpoint.chain_seq);
    if (!isCheckpointSigned(checkpoint))
      this.#report({ file, line, what: "the signature of the checkpoint is wrong" });
    else if (checkpoint.chain_seq >= link.seq)
      this.#report({ file, line, what: "the checkpoint speaks of rows that come after it" });
    else if (known !== undefined && known !== checkpoint.chain_head)
      this.#report({ file, line, what: `the checkpoint speaks of another row ${checkpoint.chain_seq}` });
    else this.#keys.add(checkpoint.public_key);
  }

  #remember(seq: number, hash: string, file: string, line: number): void {
    this.#hashes.set(seq, hash);
    if (this.#hashes.size > KNOWN_HASHES) this.#hashes.delete(seq - KNOWN_HASHES);
    const expected = this.#expected.get(seq);
    if (expected === undefined) return;
    this.#expected.delete(seq);
    if (expected !== hash)
      this.#report({ file, line, what: `row ${seq} is not the one that is known from elsewhere` });
  }

  #report(found: ChainBreak): void {
    if (this.#breaks.length < MAX_BREAKS) this.#breaks.push(found);
    else this.#hasMoreBreaks = true;
  }
}
