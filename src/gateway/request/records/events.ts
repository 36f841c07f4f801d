// The daemon's events: one hub, any number of listeners, a short memory for those who
// come late. Publishing never waits: a listener's queue is its own business.

import type { Event, EventTag } from "../../../model/event.ts";
import { randomHex } from "../random-hex.ts";

/** Events kept for `iddio events` without --follow. */
const MEMORY = 500;

/** Fans events out; one per daemon. */
export class Events {
  /** A ring, so that the oldest makes room without moving the others. */
  readonly #recent: Event[] = [];
  #next = 0;
  /** Of this daemon: an id of another one means nothing here. */
  readonly #daemon = randomHex(4);
  #count = 0;
  readonly #listeners = new Set<(event: Event) => void>();

  publish(tag: EventTag, fields: Readonly<Record<string, unknown>>): void {
    this.#count += 1;
    const event: Event = { id: `${this.#daemon}-${this.#count}`, timestamp_ms: Date.now(), tag, fields };
    this.#recent[this.#next] = event;
    this.#next = (this.#next + 1) % MEMORY;
    if (this.#listeners.size > 0) for (const listener of this.#listeners) listener(event);
  }

  /** The latest events, oldest first; with `after` only those behind it, all when it is not among them. */
  recent(after?: string): readonly Event[] {
    const all = this.#inOrder();
    const at = after === undefined ? -1 : all.findIndex(({ id }) => id === after);
    return at < 0 ? all : all.slice(at + 1);
  }

  #inOrder(): readonly Event[] {
    return this.#recent.length < MEMORY
      ? [...this.#recent]
      : [...this.#recent.slice(this.#next), ...this.#recent.slice(0, this.#next)];
  }

  /** Calls `listener` for every event from now on; returns the way to stop. */
  subscribe(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
