// How many files and sockets this process may have open. Linux tells in /proc; macOS by getrlimit
// and by a limit for each process of its own, which is smaller where a shell set none. Elsewhere
// nothing is known, and callers fall back on a bound of their own.

import { FFIType, ptr } from "bun:ffi";
import { readFileSync } from "node:fs";
import { cSymbol } from "../../state/c-symbol.ts";

/** RLIMIT_NOFILE of macOS. */
const MAC_FILES = 8;

/** The limit in force (Bun raises the soft one to the hard one at its start); undefined when unknown or unlimited. */
export function openFileLimit(): number | undefined {
  if (process.platform === "darwin") {
    const known = [resourceLimit(MAC_FILES), maxFilesPerProcess()].filter((each) => each !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }
  try {
    return parseOpenFileLimit(readFileSync("/proc/self/limits", "latin1"));
  } catch {
    return undefined;
  }
}

/** The soft limit of a resource, by its number on this system; undefined when unknown or unlimited. */
export function resourceLimit(resource: number): number | undefined {
  const getrlimit = cSymbol<(resource: number, limit: unknown) => number>("getrlimit", {
    args: [FFIType.i32, FFIType.ptr],
    returns: FFIType.i32,
  });
  const limit = new BigUint64Array(2);
  if (getrlimit?.(resource, ptr(limit)) !== 0) return undefined;
  const soft = Number(limit[0]);
  return soft < 2 ** 53 ? soft : undefined;
}

function maxFilesPerProcess(): number | undefined {
  const sysctl = cSymbol<(name: unknown, old: unknown, size: unknown, value: null, length: bigint) => number>(
    "sysctlbyname",
    { args: [FFIType.ptr, FFIType.ptr, FFIType.ptr, FFIType.ptr, FFIType.u64], returns: FFIType.i32 },
  );
  const value = new Int32Array(1);
  const size = new BigUint64Array([4n]);
  const isTold = sysctl?.(ptr(Buffer.from("kern.maxfilesperproc\0")), ptr(value), ptr(size), null, 0n) === 0;
  return isTold && value[0] !== undefined && value[0] > 0 ? value[0] : undefined;
}

/** The soft limit in the text of /proc/<pid>/limits. */
export function parseOpenFileLimit(text: string): number | undefined {
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return soft === undefined ? undefined : Number(soft);
}
