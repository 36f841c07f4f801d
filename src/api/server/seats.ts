// How many connections the control socket has room for, and for whom: calls, which end by
// themselves, and streams, which stay, each within bounds of their own and with a share for each
// process. Anyone who is refused is told why; a flood of one process leaves the person's own calls
// alone.

import type { Socket } from "node:net";
import type { Principal } from "../principal.ts";

const MAX_CONNECTIONS = 512;
const SAY_EVERY_MS = 1_000;

/** One connection's place. */
export interface Seat {
  /** The connection becomes a stream; says why not when there are too many. */
  stream(): string | undefined;
}

/** The places of one control socket. */
export class Seats {
  readonly #calls: Counted;
  readonly #streams: Counted;
  readonly #onRefused: (reason: string) => void;
  #saidAt = Number.NEGATIVE_INFINITY;
  /** Connections that have not become streams, oldest first. */
  readonly #waiting = new Map<Socket, () => void>();

  constructor(options: {
    readonly maxConnections?: number;
    readonly onRefused?: (reason: string) => void;
  }) {
    const { maxConnections = MAX_CONNECTIONS, onRefused = () => {} } = options;
    this.#calls = new Counted(Math.ceil(maxConnections / 2), 0.8);
    this.#streams = new Counted(Math.floor(maxConnections / 2), 0.25);
    this.#onRefused = onRefused;
  }

  /** A place for a new connection. Undefined: it was closed. */
  sit(socket: Socket, { pid }: Principal): Seat | undefined {
    const who = pid === undefined ? "unknown" : String(pid);
    // Anyone who connects and asks nothing gives way to the next.
    if (this.#calls.isFull) this.#closeOldest();
    if (!this.#calls.take(who)) {
      this.#refuse(`process ${who} has too many connections open`);
      socket.destroy();
      return undefined;
    }
    let give = () => this.#calls.give(who);
    const leave = () => {
      this.#waiting.delete(socket);
      give();
      give = () => {};
    };
    this.#waiting.set(socket, leave);
    socket.once("close", leave);
    return {
      stream: () => {
        if (!this.#streams.take(who)) {
          const reason = `process ${who} has ${this.#streams.of(who)} streams open, all together ${this.#streams.total}`;
          this.#refuse(reason);
          return `too many event streams: ${reason}`;
        }
        leave();
        socket.off("close", leave);
        socket.once("close", () => this.#streams.give(who));
        return undefined;
      },
    };
  }

  #closeOldest(): void {
    const [oldest] = this.#waiting;
    if (oldest === undefined) return;
    oldest[0].destroy();
    oldest[1]();
  }

  #refuse(reason: string): void {
    const now = performance.now();
    if (now - this.#saidAt < SAY_EVERY_MS) return;
    this.#saidAt = now;
    this.#onRefused(reason);
  }
}

/** A number of connections, with a part of them at most for one process: a program may ask many things at once. */
class Counted {
  readonly #limit: number;
  readonly #held = new Map<string, number>();
  readonly #perProcess: number;
  total = 0;

  constructor(limit: number, part: number) {
    this.#limit = limit;
    this.#perProcess = Math.max(4, Math.floor(limit * part));
  }

  get isFull(): boolean {
    return this.total >= this.#limit;
  }

  of(who: string): number {
    return this.#held.get(who) ?? 0;
  }

  take(who: string): boolean {
    if (this.isFull || this.of(who) >= this.#perProcess) return false;
    this.#held.set(who, this.of(who) + 1);
    this.total += 1;
    return true;
  }

  give(who: string): void {
    const held = this.of(who) - 1;
    if (held > 0) this.#held.set(who, held);
    else this.#held.delete(who);
    this.total -= 1;
  }
}
