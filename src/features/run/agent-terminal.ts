// The agent's own terminal, shown in the person's: keys go in as they are typed, the output is
// filtered. The person's terminal is raw meanwhile, is given to the shell while the agent is
// stopped by Ctrl-Z, and is left as it was found; unread keystrokes are thrown away then, so that
// it cannot answer for the person. In the background (`&`, `timeout` in a script) it is left alone.

import { TerminalFilter } from "../../cli/kit/terminal/terminal-filter.ts";
import { isTerminal, tryWrite, windowSize } from "../../host/process/descriptor-io.ts";
import { flushInput, isInBackground } from "../../host/sandbox/libc.ts";
import { RawMode } from "../../host/sandbox/raw-mode.ts";
import type { HostEnd } from "./bridge/host-end.ts";
import type { RunSignals } from "./run-signals.ts";

/** Mouse, focus and paste reports off, keypad and cursor as they were, attributes off. */
const RESET =
  "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?1l\x1b>\x1b[?25h\x1b[0m";
const LEAVE_ALTERNATE = "\x1b[?1049l";
/** Ctrl-C and Ctrl-\\ with their signals. */
const KEYS: ReadonlyMap<number, number> = new Map([
  [0x03, 2],
  [0x1c, 3],
]);
/** In the background it is looked so often whether the person has fetched the run to the front. */
const FRONT_POLL_MS = 200;
/** The shell takes over within this time, or there is none that could. */
const SUSPEND_MS = 200;

/** `using` gives the person's terminal back. */
export class AgentTerminal implements Disposable {
  #terminal: Bun.Terminal | undefined;
  #host: HostEnd | undefined;
  #signals: RunSignals | undefined;
  readonly #filter = new TerminalFilter();
  readonly #output = isTerminal(1) ? 1 : 2;
  /** While the person's terminal is the agent's. */
  #raw: RawMode | undefined;
  readonly #ended = Promise.withResolvers<void>();
  #isSuspended = false;
  #poll: Timer | undefined;

  readonly #onData = (bytes: Uint8Array) => {
    // Before the agent is there its terminal has nobody who would hear Ctrl-C.
    const isEarly = this.#host?.wasReady === false;
    const signals = isEarly
      ? [...bytes].map((byte) => KEYS.get(byte)).filter((each) => each !== undefined)
      : [];
    for (const signal of signals) this.#signals?.take(signal);
    if (signals.length === 0) this.#terminal?.write(bytes);
  };
  readonly #onResize = () => {
    const { columns, rows } = this.#size();
    this.#terminal?.resize(columns, rows);
  };
  readonly #onContinue = () => this.#resume();

  /** The person's terminal is the agent's from now on. */
  begin(host: HostEnd, signals: RunSignals): void {
    this.#host = host;
    this.#signals = signals;
    this.#onResize();
    process.on("SIGWINCH", this.#onResize);
    process.on("SIGCONT", this.#onContinue);
    this.#toFront();
  }

  /** Takes the person's terminal, or waits until it may be taken: it would stop us before. */
  #toFront(): void {
    clearTimeout(this.#poll);
    if (!isTerminal(0)) return;
    if (isInBackground(0)) {
      this.#poll = setTimeout(() => this.#toFront(), FRONT_POLL_MS);
      return;
    }
    this.#raw = RawMode.of(0);
    this.#raw.enter();
    process.stdin.on("data", this.#onData);
    process.stdin.resume();
  }

  /**
   * The options from which Bun.spawn makes the agent's terminal. Not a Terminal made in advance: only one
   * that is made at the spawn becomes the controlling terminal.
   */
  get options(): Bun.TerminalOptions {
    const { columns, rows } = this.#size();
    return {
      cols: columns,
      rows,
      name: process.env.TERM || "xterm-256color",
      data: (_terminal, bytes) => this.#show(this.#filter.push(bytes)),
      exit: () => this.#ended.resolve(),
    };
  }

  /** Names the terminal that was made. */
  attach(terminal: Bun.Terminal | undefined): void {
    this.#terminal = terminal;
  }

  /** The agent was stopped: gives the terminal to the shell until it gives it back. */
  suspend(): void {
    if (this.#isSuspended) return;
    this.#isSuspended = true;
    this.#leave();
    process.kill(0, "SIGTSTP");
    // Without a shell that controls jobs nothing stops us: then the agent goes on as well.
    setTimeout(() => this.#resume(), SUSPEND_MS);
  }

  #resume(): void {
    if (!this.#isSuspended) return;
    this.#isSuspended = false;
    this.#toFront();
    this.#onResize();
    this.#host?.send("continue");
  }

  /** Resolves when everything that the agent wrote was shown. */
  async drained(): Promise<void> {
    await Promise.race([this.#ended.promise, Bun.sleep(100)]);
  }

  #size(): { readonly columns: number; readonly rows: number } {
    // Not process.stdout's, which learns of a new size only after we do.
    return windowSize(this.#output) ?? { columns: 80, rows: 24 };
  }

  #leave(): void {
    const { hasChangedModes, isOnAlternateScreen } = this.#filter;
    if (hasChangedModes)
      this.#show(new TextEncoder().encode(`${RESET}${isOnAlternateScreen ? LEAVE_ALTERNATE : ""}`));
    clearTimeout(this.#poll);
    // Only where it was listened to: it takes as long to load as half a start.
    const raw = this.#raw;
    if (raw === undefined) return;
    this.#raw = undefined;
    process.stdin.off("data", this.#onData);
    process.stdin.pause();
    if (isInBackground(0)) return;
    flushInput(0);
    raw.leave();
  }

  /** A slow terminal holds the agent back: nothing piles up here. */
  #show(bytes: Uint8Array): void {
    let at = Math.max(0, tryWrite(this.#output, bytes));
    if (at === bytes.length) return;
    const { writeSync } = process.getBuiltinModule("node:fs");
    while (at < bytes.length) {
      try {
        at += writeSync(this.#output, bytes, at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
        Bun.sleepSync(1);
      }
    }
  }

  [Symbol.dispose](): void {
    process.off("SIGWINCH", this.#onResize);
    process.off("SIGCONT", this.#onContinue);
    this.#leave();
    this.#terminal?.close();
  }
}
