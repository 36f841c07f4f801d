// Who owns a file and who may write it, and whether a descriptor is a pipe, without node:fs, whose
// loading takes a third of a start. By statx(2): its answer has the same shape on every processor.
// Elsewhere node:fs tells.

import { foreign } from "../../state/c-library.ts";
import { cSymbol } from "../../state/c-symbol.ts";

/** Owner and mode, the kind of file included. */
export interface FileStatus {
  readonly uid: number;
  readonly mode: number;
}

type Statx = (folder: number, path: unknown, flags: number, mask: number, into: unknown) => number;

/** The same of an open descriptor. */
export interface DescriptorStatus extends FileStatus {
  /** The numbers of a device, as `major:minor`; of anything else `0:0`. */
  readonly device: string;
}

const STATX = { args: ["i32", "ptr", "i32", "u32", "ptr"], returns: "i32" } as const;
const AT_FDCWD = -100;
const STATX_BASIC_STATS = 0x7ff;
const STATX_BYTES = 256;
const UID_AT = 20;
const MODE_AT = 28;
const DEVICE_AT = 128;

let statx: Statx | null | undefined;

const AT_EMPTY_PATH = 0x1000;
const S_IFMT = 0o170000;
const S_IFIFO = 0o010000;

/** The status of a file, links followed; undefined where there is none. */
export function fileStatus(path: string): FileStatus | undefined {
  return ask(AT_FDCWD, path, 0) ?? statusByNode(path);
}

/** The status of an open descriptor; undefined where it is closed, or this system cannot tell. Linux only. */
export function descriptorStatus(fd: number): DescriptorStatus | undefined {
  return ask(fd, "", AT_EMPTY_PATH);
}

/** Whether a descriptor is a pipe. Linux only. */
export function isPipe(fd: number): boolean {
  return ((ask(fd, "", AT_EMPTY_PATH)?.mode ?? 0) & S_IFMT) === S_IFIFO;
}

function ask(folder: number, path: string, flags: number): DescriptorStatus | undefined {
  if (process.platform === "linux") statx ??= cSymbol<Statx>("statx", STATX) ?? null;
  const found = new Uint8Array(STATX_BYTES);
  const name = new TextEncoder().encode(`${path}\0`);
  const { ptr } = foreign();
  if (statx?.(folder, ptr(name), flags, STATX_BASIC_STATS, ptr(found)) !== 0) return undefined;
  const view = new DataView(found.buffer);
  return {
    uid: view.getUint32(UID_AT, true),
    mode: view.getUint16(MODE_AT, true),
    device: `${view.getUint32(DEVICE_AT, true)}:${view.getUint32(DEVICE_AT + 4, true)}`,
  };
}

function statusByNode(path: string): FileStatus | undefined {
  const { statSync } = process.getBuiltinModule("node:fs");
  return statSync(path, { throwIfNoEntry: false });
}
