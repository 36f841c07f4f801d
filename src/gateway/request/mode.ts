// The proxy mode in force. Starts as settings say, changes at run time, is not persisted
// by itself: a restart comes back to `default_mode`.

import type { Mode } from "../../model/mode.ts";
import { UserError } from "../../model/user-error.ts";

/** Holds the mode and tells who wants to know of a change. */
export class ModeHolder {
  #mode: Mode;
  /** A mode that wins over the chosen one while it is set. */
  #held: Mode | undefined;
  readonly #listeners = new Set<(mode: Mode, previous: Mode) => void>();

  constructor(initial: Mode) {
    this.#mode = initial;
  }

  get current(): Mode {
    return this.#held ?? this.#mode;
  }

  /** Throws when the mode is not this machine's to choose: where a control plane's policy is in force nothing turns it off. */
  check(wanted: Mode): void {
    if (this.#held === undefined || wanted === this.#held) return;
    throw new UserError(`the mode stays '${this.#held}' while the control plane's policy is in force`, {
      hint: "see: iddio fleet status",
    });
  }

  /** Holds a mode, whatever is chosen until it is let go with `undefined`. */
  hold(mode: Mode | undefined): void {
    const previous = this.current;
    this.#held = mode;
    if (this.current !== previous) for (const listener of this.#listeners) listener(this.current, previous);
  }

  /** Whether inspected hosts are opened at all in this mode. */
  get isInspecting(): boolean {
    return this.current === "observe" || this.current === "enforce";
  }

  /** Returns the mode that was there before. */
  set(mode: Mode): Mode {
    const previous = this.#mode;
    if (mode === previous) return previous;
    this.#mode = mode;
    if (this.#held === undefined) for (const listener of this.#listeners) listener(mode, previous);
    return previous;
  }

  onChange(listener: (mode: Mode, previous: Mode) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
