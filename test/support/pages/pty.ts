// A program in a real pseudo-terminal: keys go in, a screen comes out. For what behaves otherwise
// when a person is there; everything else is run through pipes.

import { TerminalScreen } from "./terminal-screen.ts";

const END_MS = 5_000;
const PATIENCE_MS = 100_000;

/** A running program with its terminal. */
export interface PtyProgram extends AsyncDisposable {
  readonly screen: TerminalScreen;
  /** Everything that was written, escape sequences included. */
  readonly written: string;
  readonly pid: number;
  type(keys: string): void;
  resize(columns: number, rows: number): void;
  /** Resolves once the screen fits; throws with the screen after a hundred seconds. */
  until(fits: (screen: TerminalScreen) => boolean): Promise<void>;
  /** Resolves with the exit code. */
  readonly exited: Promise<number>;
}

/** How a program in a terminal is started. */
export interface PtyOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly rows?: number;
  readonly cwd?: string;
  /** No screen is kept, for programs whose sequences the screen does not know: see `written`. */
  readonly isBare?: boolean;
  /** Signal that ends it; an interactive shell ignores the usual one. */
  readonly endBy?: NodeJS.Signals;
}

/** Starts a program; `await using` ends it. */
export function startPty(argv: readonly string[], options: PtyOptions): PtyProgram {
  const { columns = 80, rows = 24 } = options;
  const screen = new TerminalScreen(columns, rows);
  const decoder = new TextDecoder();
  let written = "";
  let wake: (() => void)[] = [];
  const child = Bun.spawn([...argv], {
    env: { PATH: process.env.PATH ?? "", TERM: "xterm-256color", ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    terminal: {
      cols: columns,
      rows,
      data(_terminal, bytes) {
        const text = decoder.decode(bytes, { stream: true });
        written += text;
        if (options.isBare !== true) screen.write(text);
        const waiting = wake;
        wake = [];
        for (const each of waiting) each();
      },
    },
  });
  const { terminal } = child;
  if (terminal === undefined) throw new Error("the program was started without a terminal");
  const changed = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  return {
    screen,
    get written() {
      return written;
    },
    pid: child.pid,
    type: (keys) => void terminal.write(keys),
    resize(newColumns, newRows) {
      screen.resize(newColumns, newRows);
      terminal.resize(newColumns, newRows);
    },
    async until(fits) {
      const deadline = Date.now() + PATIENCE_MS;
      while (!fits(screen)) {
        const left = deadline - Date.now();
        if (left <= 0)
          throw new Error(
            `the screen never fitted:\n${options.isBare === true ? JSON.stringify(written.slice(-2_000)) : screen.text}`,
          );
        await changed(left);
      }
    },
    exited: child.exited,
    async [Symbol.asyncDispose]() {
      child.kill(options.endBy);
      // A shell with a stopped program may not end by itself.
      const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
      await child.exited;
      clearTimeout(timer);
      terminal.close();
    },
  };
}
