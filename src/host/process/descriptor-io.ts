// Descriptors without node:fs and node:tty, whose loading takes up to half of a start: whether one
// is a terminal, and reading and writing what is there at once. Anything unusual (an error, a pipe
// that is full) is left to the caller's exact way.

import { foreign } from "../../state/c-library.ts";
import { cSymbol } from "../../state/c-symbol.ts";

type Transfer = (fd: number, bytes: unknown, length: number) => number | bigint;

const TRANSFER = { args: ["i32", "ptr", "u64"], returns: "i64" } as const;

const functions: { read?: Transfer | null; write?: Transfer | null } = {};

function transfer(name: "read" | "write", fd: number, bytes: Uint8Array): number {
  if (functions[name] === undefined) functions[name] = cSymbol<Transfer>(name, TRANSFER) ?? null;
  const call = functions[name];
  // Nothing to point at.
  if (call === null || call === undefined || bytes.length === 0) return -1;
  return Number(call(fd, foreign().ptr(bytes), bytes.length));
}

/** Writes once and gives the number of bytes that were taken; -1 where none was, for whatever reason. */
export function tryWrite(fd: number, bytes: Uint8Array): number {
  return transfer("write", fd, bytes);
}

/** Reads once, as soon as something is there: the number of bytes, 0 at the end, -1 where it fails for whatever reason. */
export function tryRead(fd: number, into: Uint8Array): number {
  return transfer("read", fd, into);
}

let isatty: ((fd: number) => number) | null | undefined;

/** Whether a descriptor is a terminal. */
export function isTerminal(fd: number): boolean {
  isatty ??= cSymbol<(fd: number) => number>("isatty", { args: ["i32"], returns: "i32" }) ?? null;
  return isatty === null ? process.getBuiltinModule("node:tty").isatty(fd) : isatty(fd) === 1;
}

type Ioctl = (fd: number, request: bigint | number, into: unknown) => number;

let ioctl: Ioctl | null | undefined;
const TIOCGWINSZ = 0x5413;

/** Columns and rows of a terminal as they are now; undefined where the system does not tell. */
export function windowSize(fd: number): { readonly columns: number; readonly rows: number } | undefined {
  // macOS passes what may vary in number another way.
  if (process.platform !== "linux") return processSize();
  ioctl ??= cSymbol<Ioctl>("ioctl", { args: ["i32", "u64", "ptr"], returns: "i32" }) ?? null;
  const size = new Uint16Array(4);
  if (ioctl?.(fd, TIOCGWINSZ, foreign().ptr(size)) !== 0) return undefined;
  const [rows = 0, columns = 0] = size;
  return rows > 0 && columns > 0 ? { columns, rows } : undefined;
}

function processSize() {
  const { columns, rows } = process.stdout;
  return columns > 0 && rows > 0 ? { columns, rows } : undefined;
}
