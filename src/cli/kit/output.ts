// The only way to stdout and stderr. The answer goes to stdout, everything else to stderr. Writes
// are synchronous: nothing is lost at exit and a slow pipe slows the writer, not the memory. Colour
// only on a terminal, never with NO_COLOR or TERM=dumb. Neither node:fs nor node:tty is loaded for
// what is usual: they take half as long as all else of a start.

import { isTerminal, tryWrite, windowSize } from "../../host/process/descriptor-io.ts";
import { UserError } from "../../model/user-error.ts";
import { escapeJson } from "../../text/escape.ts";
import { type CellPainter, renderPairs, renderTable, type TableFit } from "../../text/table.ts";

/** Thrown when the reader of stdout has gone (`| head`); main.ts ends quietly on it. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/** A colour function, or nothing done where colour is not wanted. */
export type Paint = (text: string) => string;

/** The colours in use, named for their meaning. */
export interface Paints {
  readonly good: Paint;
  readonly warn: Paint;
  readonly bad: Paint;
  readonly faint: Paint;
  readonly bold: Paint;
}

const plain: Paint = (text) => text;
const NO_PAINTS: Paints = { good: plain, warn: plain, bad: plain, faint: plain, bold: plain };

/** Printing for one run of the program. */
export class Output {
  readonly #allowsColor: boolean;
  #paints: Paints = NO_PAINTS;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#allowsColor = !env.NO_COLOR && env.TERM !== "dumb";
  }

  /** Whether a person reads stdout directly. */
  get isTerminal(): boolean {
    return isTerminal(1);
  }

  /** Columns of the terminal on stdout; undefined when there is none. */
  get columns(): number | undefined {
    return this.isTerminal ? windowSize(1)?.columns : undefined;
  }

  /** Loads the colours; without this call, or where colour is not wanted, everything stays plain. */
  async loadPaints(): Promise<Paints> {
    if (!this.#allowsColor || !this.isTerminal) return NO_PAINTS;
    const { default: kleur } = await import("kleur");
    kleur.enabled = true;
    this.#paints = {
      good: kleur.green,
      warn: kleur.yellow,
      bad: kleur.red,
      faint: kleur.dim,
      bold: kleur.bold,
    };
    return this.#paints;
  }

  /** One line on stdout. Text from outside must have been escaped. */
  line(text: string): void {
    this.write(`${text}\n`);
  }

  /** Exactly this text on stdout. */
  write(text: string): void {
    writeAll(1, text);
  }

  /** A value as indented JSON on stdout. */
  json(value: unknown): void {
    this.line(escapeJson(JSON.stringify(value, null, 2)));
  }

  /** A value as one line of JSON on stdout. */
  jsonLine(value: unknown): void {
    this.line(escapeJson(JSON.stringify(value)));
  }

  /** Name and value lines on stdout; escapes the values. */
  pairs(pairs: readonly (readonly [string, string | undefined])[]): void {
    for (const line of renderPairs(pairs)) this.line(line);
  }

  /** A table with a header on stdout; escapes the cells. `how`: on a terminal, its last column gives way. */
  table(
    header: readonly string[],
    rows: readonly (readonly string[])[],
    paint?: CellPainter,
    how?: TableFit["how"],
  ): void {
    const { faint } = this.#paints;
    const painter: CellPainter = (text, column, row) =>
      row === 0 ? faint(text) : (paint?.(text, column, row) ?? text);
    const { columns } = this;
    const fit = columns === undefined || how === undefined ? undefined : { columns, how };
    for (const line of renderTable([header, ...rows], painter, fit)) this.line(line);
  }

  /** One line on stderr: progress, remarks, warnings. */
  note(text: string): void {
    writeAll(2, `${text}\n`);
  }
}

function writeAll(fd: 1 | 2, text: string): void {
  if (text === "") return;
  const bytes = new TextEncoder().encode(text);
  let offset = Math.max(0, tryWrite(fd, bytes));
  if (offset === bytes.length) return;
  // The rest is written here, where errors have names.
  const { writeSync } = process.getBuiltinModule("node:fs");
  while (offset < bytes.length) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      // A pipe that somebody set non-blocking and that is full: wait for its reader.
      if (code === "EAGAIN") Bun.sleepSync(2);
      else if (code === "EPIPE" || code === "EBADF")
        throw new OutputClosed("the reader of the output has gone");
      else if (code === "ENOSPC")
        throw new UserError("the output cannot be written: the disk is full", {
          hint: "write it to another place",
        });
      else throw error;
    }
  }
}
