// Asks the kernel who is at the other end of a unix socket. Knows nothing of HTTP or of the
// caller's rights. Where the platform does not tell, the answer is empty, never a guess.

import { FFIType, ptr } from "bun:ffi";
import { cSymbol } from "../../state/c-symbol.ts";

type GetSockOpt = (fd: number, level: number, option: number, value: unknown, length: unknown) => number;

let getsockopt: GetSockOpt | null | undefined;

/** Null where the system has none; the caller then stays unknown. */
function load(): GetSockOpt | null {
  const { i32, ptr: pointer } = FFIType;
  return cSymbol("getsockopt", { args: [i32, i32, i32, pointer, pointer], returns: i32 }) ?? null;
}

function option(fd: number, level: number, name: number, words: number): Uint32Array | undefined {
  if (getsockopt === undefined) getsockopt = load();
  if (getsockopt === null) return undefined;
  const value = new Uint32Array(words);
  const length = new Uint32Array([words * 4]);
  return getsockopt(fd, level, name, ptr(value), ptr(length)) === 0 ? value : undefined;
}

/** Who is at the other end, as the kernel tells; empty where it does not. */
export interface Peer {
  readonly uid?: number;
  readonly pid?: number;
}

/** User and process of the peer of a connected unix socket, by SO_PEERCRED (Linux) or LOCAL_PEERCRED and LOCAL_PEERPID (macOS). */
export function peerOf(fd: number): Peer {
  if (process.platform === "linux") {
    const [pid, uid] = option(fd, 1, 17, 3) ?? [];
    return pid === undefined || uid === undefined ? {} : { pid, uid };
  }
  if (process.platform === "darwin") {
    const uid = option(fd, 0, 1, 19)?.[1];
    const pid = option(fd, 0, 2, 1)?.[0];
    return { ...(uid === undefined ? {} : { uid }), ...(pid === undefined ? {} : { pid }) };
  }
  return {};
}
