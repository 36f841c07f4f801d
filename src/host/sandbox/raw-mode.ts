// A terminal whose every byte passes through unchanged, both ways. Node's raw mode keeps the
// translation of line ends on output, which would be done twice when another terminal lies behind
// this one.

import { foreign } from "../../state/c-library.ts";
import { cSymbol } from "../../state/c-symbol.ts";

/** struct termios is 60 bytes on Linux and 72 on macOS. */
const TERMIOS_BYTES = 128;
/** After the written octets have been shown. */
const TCSADRAIN = 1;

const SYMBOLS = {
  tcgetattr: { args: ["i32", "ptr"], returns: "i32" },
  tcsetattr: { args: ["i32", "i32", "ptr"], returns: "i32" },
  cfmakeraw: { args: ["ptr"], returns: "void" },
} as const;

type Name = keyof typeof SYMBOLS;
type Calls = ReturnType<typeof import("bun:ffi").dlopen<typeof SYMBOLS>>["symbols"];

const loaded = new Map<Name, unknown>();

function call<N extends Name>(name: N): Calls[N] | undefined {
  if (!loaded.has(name)) loaded.set(name, cSymbol(name, SYMBOLS[name]));
  return loaded.get(name) as Calls[N] | undefined;
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
    call("tcgetattr")?.(fd, foreign().ptr(found));
    return new RawMode(fd, found);
  }

  /** Makes it raw. */
  enter(): void {
    const raw = this.#found.slice();
    call("cfmakeraw")?.(foreign().ptr(raw));
    call("tcsetattr")?.(this.#fd, TCSADRAIN, foreign().ptr(raw));
  }

  /** Gives it back as it was found. */
  leave(): void {
    call("tcsetattr")?.(this.#fd, TCSADRAIN, foreign().ptr(this.#found));
  }
}
