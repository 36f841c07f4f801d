// Unmaps the program's code some time after the daemon has started: half of it is what only a start
// runs, and the compilers. It stays in the system's cache, and a part that is run again is mapped
// again, in a millisecond for all that an idle daemon runs. Linux only.

import { readFileSync } from "node:fs";
import { cSymbol } from "../../../state/c-symbol.ts";

/** Later than most programs that a script starts and ends live. */
const AFTER_MS = 5_000;
const MADV_DONTNEED = 4;

type Madvise = (address: bigint, length: bigint, advice: number) => number;

/** Does so once, in a while; the process may end before. */
export function unmapStartLater(): void {
  setTimeout(unmapStart, AFTER_MS).unref();
}

function unmapStart(): void {
  try {
    const places = codeOf(readFileSync("/proc/self/maps", "utf8"), process.execPath);
    if (places.length === 0) return;
    const madvise = cSymbol<Madvise>("madvise", { args: ["u64", "u64", "i32"], returns: "i32" });
    for (const { start, end } of places) madvise?.(start, end - start, MADV_DONTNEED);
  } catch {
    // Without /proc the daemon is larger, and works as well.
  }
}

/**
 * The places of a program's code, as /proc/self/maps tells them: what is read from the file and cannot be written, so
 * that nothing is lost. Exported for its test.
 */
export function codeOf(
  maps: string,
  program: string,
): readonly { readonly start: bigint; readonly end: bigint }[] {
  return maps.split("\n").flatMap((line) => {
    const match = /^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ \d+ +(.*)$/.exec(line);
    if (match === null || match[3] !== program) return [];
    return [{ start: BigInt(`0x${match[1]}`), end: BigInt(`0x${match[2]}`) }];
  });
}
