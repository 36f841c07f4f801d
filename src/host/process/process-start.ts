// When a process was started, which together with its number names it for good: numbers are given again, and
// anyone who remembers only the number would one day trust a stranger. Linux only; undefined elsewhere.

import { readFileSync } from "node:fs";

/** Clock ticks since boot at which a process started (field 22 of proc_pid_stat(5)); undefined when it is gone. */
export function startTimeOf(pid: number): number | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The name in parentheses may hold blanks and parentheses: count from its end.
  const fields = text
    .slice(text.lastIndexOf(")") + 1)
    .trim()
    .split(" ");
  const ticks = Number(fields[19]);
  const hasEnded = fields[0] === "Z" || fields[0] === "X";
  return Number.isInteger(ticks) && !hasEnded ? ticks : undefined;
}
