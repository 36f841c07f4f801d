// The time and memory that a process has used, from Linux's /proc, with its children. Elsewhere
// nothing is known, and the columns that show it stay empty.

import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks of /proc/<pid>/stat a second; 100 on every Linux that Bun runs on. */
const TICKS = 100;

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

/** Fields of /proc/<pid>/stat behind the program's name, which may hold blanks. */
function statOf(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function withChildren(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).trim();
  return [pid, ...(children === "" ? [] : children.split(" ").map(Number).flatMap(withChildren))];
}

/** Milliseconds of processor time that the process and its living children used; undefined when unknown. */
export function processorMs(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  let ticks = 0;
  for (const each of withChildren(pid)) {
    const stat = statOf(each);
    ticks += Number(stat[11]) + Number(stat[12]);
  }
  return Number.isNaN(ticks) ? undefined : (ticks / TICKS) * 1000;
}

/** Resident megabytes of one process; undefined when unknown. */
export function residentMb(pid: number): number | undefined {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
}

/** Open files of one process; undefined when unknown. */
export function openFiles(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}
