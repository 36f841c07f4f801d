// When a process was started, which together with its number names it for good: numbers are given
// again, and anyone who remembers only the number would one day trust a stranger. Linux and macOS;
// undefined elsewhere.

import { FFIType, ptr } from "bun:ffi";
import { readFileSync } from "node:fs";
import { cSymbol } from "../../state/c-symbol.ts";
import { parseStat } from "./process-tree.ts";

/**
 * When a process started, in the system's own unit: clock ticks since boot on Linux (field 22 of proc_pid_stat(5)),
 * microseconds of the clock on macOS. Undefined when it is gone.
 */
export function startTimeOf(pid: number): number | undefined {
  return process.platform === "darwin" ? darwinStart(pid) : linuxStart(pid);
}

/** The start of a process and, on Linux, the name that the same look shows; nothing of one that is gone. */
export function startAndNameOf(pid: number): { readonly started?: number; readonly name?: string } {
  const text = process.platform === "linux" ? statText(pid) : undefined;
  const started = text === undefined ? startTimeOf(pid) : startInStat(text);
  const name = text === undefined ? undefined : parseStat(text)?.name;
  return { ...(started === undefined ? {} : { started }), ...(name === undefined ? {} : { name }) };
}

function linuxStart(pid: number): number | undefined {
  const text = statText(pid);
  return text === undefined ? undefined : startInStat(text);
}

function statText(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
}

function startInStat(text: string): number | undefined {
  // The name in parentheses may hold blanks and parentheses: count from its end.
  const fields = text
    .slice(text.lastIndexOf(")") + 1)
    .trim()
    .split(" ");
  const ticks = Number(fields[19]);
  const hasEnded = fields[0] === "Z" || fields[0] === "X";
  return Number.isInteger(ticks) && !hasEnded ? ticks : undefined;
}

const PROC_PIDTBSDINFO = 3;
/** struct proc_bsdinfo of <sys/proc_info.h>. */
const BSD_INFO_BYTES = 136;
const ZOMBIE = 5;

type PidInfo = (pid: number, flavor: number, arg: bigint, buffer: unknown, size: number) => number;

let pidInfo: PidInfo | null | undefined;

function darwinStart(pid: number): number | undefined {
  if (pidInfo === undefined) {
    const { i32, u64 } = FFIType;
    pidInfo = cSymbol("proc_pidinfo", { args: [i32, i32, u64, FFIType.ptr, i32], returns: i32 }) ?? null;
  }
  const bytes = new Uint8Array(BSD_INFO_BYTES);
  const length = pidInfo?.(pid, PROC_PIDTBSDINFO, 0n, ptr(bytes), bytes.length) ?? 0;
  return length === bytes.length ? startInBsdInfo(bytes) : undefined;
}

/** Reads struct proc_bsdinfo: its state is the second word, its start the last two long ones. */
export function startInBsdInfo(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(4, true) === ZOMBIE) return undefined;
  const micros = Number(view.getBigUint64(120, true)) * 1e6 + Number(view.getBigUint64(128, true));
  return micros > 0 ? micros : undefined;
}
