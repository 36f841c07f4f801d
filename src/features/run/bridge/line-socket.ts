// A connection to a unix socket that carries short lines of text, both ways. The bridge has nothing
// else on its way to the agent's start, so this loads nothing of the gateway.

import type { Socket } from "bun";
import { BridgeLineReader } from "./spec.ts";

/** One connection; lines are read one after the other. */
export class LineSocket {
  readonly #reader = new BridgeLineReader();
  readonly #lines: string[] = [];
  #socket: Socket<undefined> | undefined;
  #unsent = new Uint8Array(0);
  #isOver = false;
  #wake: (() => void) | undefined;

  private constructor() {}

  /** Connects; undefined when nobody listens. */
  static async open(path: string): Promise<LineSocket | undefined> {
    const made = new LineSocket();
    const over = () => made.#end();
    try {
      made.#socket = await Bun.connect<undefined>({
        unix: path,
        data: undefined,
        socket: {
          data: (_socket, bytes) => made.#take(bytes),
          drain: () => made.#flush(),
          end: over,
          close: over,
          error: over,
        },
      });
    } catch {
      return undefined;
    }
    return made;
  }

  /** Sends a line. */
  write(line: string): void {
    this.#unsent = Buffer.concat([this.#unsent, new TextEncoder().encode(`${line}\n`)]);
    this.#flush();
  }

  #flush(): void {
    if (this.#isOver || this.#unsent.length === 0) return;
    const sent = this.#socket?.write(this.#unsent) ?? 0;
    if (sent > 0) this.#unsent = this.#unsent.slice(sent);
  }

  /** The next line; undefined when the connection is over. One caller at a time. */
  async next(): Promise<string | undefined> {
    while (this.#lines.length === 0 && !this.#isOver)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.#lines.shift();
  }

  #take(bytes: Uint8Array): void {
    this.#lines.push(...this.#reader.push(bytes));
    this.#wake?.();
  }

  #end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  close(): void {
    this.#socket?.terminate();
    this.#end();
  }
}
