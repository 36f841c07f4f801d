// Functions of the C library, by bun:ffi. One that is not there is undefined, and callers do
// without: no part of iddio may fail to start because a system lacks a function.

import { dlopen, type FFIFunction } from "bun:ffi";
import { cLibraries } from "./c-library.ts";

/** A function of the C library as its declaration types it; undefined where the system has none of that name. */
export function cSymbol<F>(name: string, declaration: FFIFunction): F | undefined {
  for (const library of cLibraries())
    try {
      return dlopen(library, { [name]: declaration }).symbols[name] as unknown as F;
    } catch {
      // The next library, then.
    }
  return undefined;
}
