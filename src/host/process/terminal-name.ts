// The device of a terminal that a descriptor is open on, as the C library tells.

import { CString, FFIType, type Pointer } from "bun:ffi";
import { cSymbol } from "../../state/c-symbol.ts";

let ttyname: ((fd: number) => Pointer | null) | undefined;

/** Such as `/dev/ttys004`; undefined for what is no terminal. */
export function terminalName(fd: number): string | undefined {
  ttyname ??= cSymbol<(fd: number) => Pointer | null>("ttyname", {
    args: [FFIType.i32],
    returns: FFIType.ptr,
  });
  const found = ttyname?.(fd) ?? null;
  return found === null ? undefined : new CString(found).toString();
}
