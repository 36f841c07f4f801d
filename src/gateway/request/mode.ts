// The proxy mode in force. Starts as settings say, changes at run time, is not persisted
// by itself: a restart comes back to `default_mode`.

import type { Mode } from "../../model/mode.ts";

/** Holds the mode and tells who wants to know of a change. */
export class ModeHolder {
  #mode: Mode;
  readonly #listeners = new Set<(mode: Mode, previous: Mode) => void>();

  constructor(initial: Mode) {
    this.#mode = initial;
  }

  get current(): Mode {
    return this.#mode;
  }

  /** Whether inspected hosts are opened at all in this mode. */
  get isInspecting(): boolean {
    return this.#mode === "observe" || this.#mode === "enforce";
  }

  /** Returns the mode that was there before. */
  set(mode: Mode): Mode {
    const previous = this.#mode;
    if (mode === previous) return previous;
    this.#mode = mode;
    for (const listener of this.#listeners) listener(mode, previous);
    return previous;
  }

  onChange(listener: (mode: Mode, previous: Mode) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
