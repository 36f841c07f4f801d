// How long the daemon's allocator keeps memory that was freed. By itself it gives pages back within
// milliseconds, and a daemon under load asks for them again at once: to have them cleared and
// mapped took a quarter of its processor time. The allocator reads the environment before a
// program begins, so the daemon starts anew within its own process, with the variable set.

import { FFIType, ptr } from "bun:ffi";
import { readFileSync } from "node:fs";
import { cSymbol } from "../../../state/c-symbol.ts";
import { PURGE_DELAY } from "./purge-delay.ts";

/** Milliseconds. */
const DELAY = "1000";

type Execve = (path: unknown, words: unknown, environment: unknown) => number;

/**
 * Returns in a process that keeps freed memory, or that cannot; else this program starts anew, with the same words,
 * number and descriptors, and does not return. Linux only.
 */
export function keepFreedMemory(): void {
  if (process.env[PURGE_DELAY] !== undefined) {
    // Meant for this process alone, and not for the programs that it starts.
    delete process.env[PURGE_DELAY];
    return;
  }
  if (process.platform !== "linux" || !Bun.main.startsWith("/$bunfs/")) return;
  try {
    startAnew();
  } catch {
    // Without /proc it does its work as well, only slower.
  }
}

function startAnew(): void {
  const { i32, ptr: pointer } = FFIType;
  const execve = cSymbol<Execve>("execve", { args: [pointer, pointer, pointer], returns: i32 });
  // As octets: neither need be UTF-8.
  const words = listOf(readFileSync("/proc/self/cmdline"));
  const variables = [readFileSync("/proc/self/environ"), Buffer.from(`${PURGE_DELAY}=${DELAY}\0`)];
  const environment = listOf(Buffer.concat(variables));
  const program = Buffer.from(`${process.execPath}\0`);
  execve?.(ptr(program), ptr(words.places), ptr(environment.places));
}

/** C's list of texts, from texts that each end with a NUL: their places, and a zero. */
function listOf(texts: Buffer): { readonly places: BigUint64Array; readonly texts: Buffer } {
  const places: bigint[] = [];
  const start = BigInt(ptr(texts));
  for (let at = 0; at < texts.length; at = texts.indexOf(0, at) + 1) places.push(start + BigInt(at));
  // The texts must live as long as their places.
  return { places: new BigUint64Array([...places, 0n]), texts };
}
