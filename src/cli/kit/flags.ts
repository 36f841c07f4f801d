// The flags that were given to one command, after they were checked against its spec. Values stay
// the text that was typed: `--reason 007` is not a number.

import { parseDuration } from "../../text/duration.ts";

/** Given flags by name, without dashes. */
export class Flags {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  /** Whether the flag was given. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The value, or undefined when the flag was not given. */
  text(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  /** All values of a repeatable flag, in order. */
  texts(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** The value of a `count` flag, or the fallback. */
  count(name: string, fallback: number): number {
    const text = this.text(name);
    return text === undefined ? fallback : Number(text);
  }

  /** The value of a `duration` flag in milliseconds, or undefined when it was not given. */
  durationMs(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : parseDuration(text);
  }
}
