// The name of a user, remembered: rows ask for it on every connection. Linux reads /etc/passwd
// (directory services are not asked); macOS has no people there and asks the C library. Without a
// name the number is one too.

import { CString, FFIType, type Pointer, read } from "bun:ffi";
import { readFileSync } from "node:fs";
import { cSymbol } from "../../state/c-symbol.ts";

const names = new Map<number, string>();

/** The name of the user, else the number as text. */
export function userName(uid: number): string {
  const known = names.get(uid);
  if (known !== undefined) return known;
  const name = lookUpName(uid);
  names.set(uid, name);
  return name;
}

let getpwuid: ((uid: number) => Pointer | null) | null | undefined;

/** The name that getpwuid(3) gives; `pw_name` is the first field of its answer. */
export function nameByLibrary(uid: number): string | undefined {
  if (getpwuid === undefined)
    getpwuid = cSymbol("getpwuid", { args: [FFIType.u32], returns: FFIType.ptr }) ?? null;
  const entry = getpwuid?.(uid) ?? null;
  const name = entry === null ? 0 : read.ptr(entry, 0);
  const text = name === 0 ? "" : new CString(name as Pointer).toString();
  return text === "" ? undefined : text;
}

function lookUpName(uid: number): string {
  if (process.platform === "darwin") return nameByLibrary(uid) ?? String(uid);
  try {
    for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
      const [name, , id] = line.split(":");
      if (name && id === String(uid)) return name;
    }
  } catch {
    // The number, then.
  }
  return String(uid);
}
