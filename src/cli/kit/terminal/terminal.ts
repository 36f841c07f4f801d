// A terminal that a full-screen command has to itself: raw keys in, whole screens out, of which
// only the lines that changed are sent, for slow lines. Whatever happens, `close` gives the
// terminal back as it was.

import { isTerminal } from "../../../host/process/descriptor-io.ts";
import type { Output } from "../output.ts";
import { type Key, KeyReader } from "./terminal-keys.ts";

/** How long a lone escape may wait for the rest of its sequence. */
const ESCAPE_MS = 50;

// Alternate screen, hidden cursor, bracketed paste; and the way back.
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?2004h";
const LEAVE = "\x1b[?2004l\x1b[?25h\x1b[?1049l";

/** Who is told of keys and of a new size. */
export interface TerminalListener {
  key(key: Key): void;
  resized(): void;
  /** The terminal has gone: hung up, or its input has ended. */
  gone(): void;
}

/** Whether both ends are a terminal that can do more than print lines. */
export function isInteractive(env: Readonly<Record<string, string | undefined>>): boolean {
  return isTerminal(0) && isTerminal(1) && env.TERM !== "dumb" && env.TERM !== "" && env.TERM !== undefined;
}

/** The terminal on stdin and stdout; `using` gives it back. */
export class Terminal implements Disposable {
  readonly #output: Output;
  readonly #listener: TerminalListener;
  readonly #reader = new KeyReader();
  readonly #decoder = new TextDecoder();
  #escapeTimer: ReturnType<typeof setTimeout> | undefined;
  #drawn: readonly string[] = [];
  #isOpen = false;

  readonly #onData = (data: Uint8Array) => this.#receive(this.#decoder.decode(data, { stream: true }));
  readonly #onResize = () => {
    this.#drawn = [];
    this.#listener.resized();
  };
  readonly #onEnd = () => this.#listener.gone();
  readonly #onContinue = () => {
    this.#enter();
    // A resize while the program was stopped is reported before the new size is known. Not public, but in Node too.
    (process.stdout as { _refreshSize?: () => void })._refreshSize?.();
    this.#onResize();
  };

  constructor(output: Output, listener: TerminalListener) {
    this.#output = output;
    this.#listener = listener;
    process.stdin.on("data", this.#onData);
    process.stdin.on("end", this.#onEnd);
    process.stdin.on("error", this.#onEnd);
    process.stdout.on("resize", this.#onResize);
    process.on("SIGCONT", this.#onContinue);
    this.#enter();
  }

  /** Columns and rows; 80 by 24 where the system does not tell. */
  get size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = process.stdout;
    return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
  }

  /** Shows these lines from the top, one in each row. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    let text = this.#drawn.length === 0 ? "\x1b[2J" : "";
    for (const [row, line] of lines.entries())
      if (this.#drawn[row] !== line) text += `\x1b[${row + 1};1H${line}\x1b[K`;
    if (text !== "") this.#output.write(text);
    this.#drawn = lines;
  }

  /** Draws everything again next time, for a screen that something else has written on. */
  forget(): void {
    this.#drawn = [];
  }

  /** Gives the terminal to the shell, as Ctrl-Z does, until the shell gives it back. */
  suspend(): void {
    this.#leave();
    process.kill(process.pid, "SIGTSTP");
  }

  /** Gives the terminal back. */
  close(): void {
    clearTimeout(this.#escapeTimer);
    process.stdin.off("data", this.#onData);
    process.stdin.off("end", this.#onEnd);
    process.stdin.off("error", this.#onEnd);
    process.stdout.off("resize", this.#onResize);
    process.off("SIGCONT", this.#onContinue);
    this.#leave();
    process.stdin.pause();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #enter(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    process.stdin.setRawMode(true);
    process.stdin.resume();
    this.#drawn = [];
    this.#output.write(ENTER);
  }

  #leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.stdin.setRawMode(false);
    this.#output.write(LEAVE);
  }

  #receive(text: string): void {
    clearTimeout(this.#escapeTimer);
    for (const key of this.#reader.push(text)) this.#listener.key(key);
    if (!this.#reader.isWaiting) return;
    this.#escapeTimer = setTimeout(() => {
      for (const key of this.#reader.flush()) this.#listener.key(key);
    }, ESCAPE_MS);
  }
}
