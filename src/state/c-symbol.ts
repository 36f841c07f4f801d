// Functions of the C library, by bun:ffi. One that is not there is undefined, and callers do
// without: no part of iddio may fail to start because a system lacks a function.

import type { FFIFunction } from "bun:ffi";
import { cLibraries, foreign } from "./c-library.ts";

/** The library in which the last function was found: no other is looked for. */
let found: string | undefined;

/** A function of the C library as its declaration types it; undefined where the system has none of that name. */
export function cSymbol<F>(name: string, declaration: FFIFunction): F | undefined {
  for (const library of found === undefined ? cLibraries() : [found])
    try {
      const symbol = foreign().dlopen(library, { [name]: declaration }).symbols[name] as unknown as F;
      found = library;
      return symbol;
    } catch {
      // The next library, then.
    }
  return undefined;
}
