// How long this process was ready to run and the system let others run: on a machine that is busy
// the event loop is late without having done anything. Linux only (/proc/PID/schedstat); elsewhere
// the answer is always 0.

import { openSync, readSync } from "node:fs";

/** Three numbers of up to 20 digits, blanks and a line's end. */
const MAX_BYTES = 64;
const NS_PER_MS = 1e6;

/** Opens the system's account of the main thread. The function returns milliseconds since the thread began, or always 0. */
export function openProcessorWait(path = "/proc/self/schedstat"): () => number {
  const bytes = Buffer.alloc(MAX_BYTES);
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return () => 0;
  }
  return () => {
    try {
      const [, waited] = bytes.toString("latin1", 0, readSync(fd, bytes, 0, MAX_BYTES, 0)).split(" ");
      return Number(waited ?? 0) / NS_PER_MS || 0;
    } catch {
      return 0;
    }
  };
}
