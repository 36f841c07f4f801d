// A terminal whose every byte passes through unchanged, both ways. Node's raw mode keeps the
// translation of line ends on output, which would be done twice when another terminal lies behind
// this one.

import { cLibraries, foreign } from "../../state/c-library.ts";

/** struct termios is 60 bytes on Linux and 72 on macOS. */
const TERMIOS_BYTES = 128;
/** After the written octets have been shown. */
const TCSADRAIN = 1;

const SYMBOLS = {
  tcgetattr: { args: ["i32", "ptr"], returns: "i32" },
  tcsetattr: { args: ["i32", "i32", "ptr"], returns: "i32" },
  cfmakeraw: { args: ["ptr"], returns: "void" },
} as const;

type Calls = ReturnType<typeof import("bun:ffi").dlopen<typeof SYMBOLS>>["symbols"];

let calls: Calls | undefined;

function load(): Calls | undefined {
  for (const name of calls === undefined ? cLibraries() : []) {
    try {
      calls = foreign().dlopen(name, SYMBOLS).symbols;
      break;
    } catch {
      // The other C library, then.
    }
  }
  return calls;
}

/** One terminal with the state in which it was found. */
export class RawMode {
  readonly #fd: number;
  readonly #found: Uint8Array;

  private constructor(fd: number, found: Uint8Array) {
    this.#fd = fd;
    this.#found = found;
  }

  /** Remembers how the terminal is now. */
  static of(fd: number): RawMode {
    const found = new Uint8Array(TERMIOS_BYTES);
    load()?.tcgetattr(fd, foreign().ptr(found));
    return new RawMode(fd, found);
  }

  /** Makes it raw. */
  enter(): void {
    const raw = this.#found.slice();
    load()?.cfmakeraw(foreign().ptr(raw));
    load()?.tcsetattr(this.#fd, TCSADRAIN, foreign().ptr(raw));
  }

  /** Gives it back as it was found. */
  leave(): void {
    load()?.tcsetattr(this.#fd, TCSADRAIN, foreign().ptr(this.#found));
  }
}
