// The few calls of the C library that a sandbox needs and Bun does not have. Linux only; every
// wrapper throws when the call fails, because a sandbox that is only half set up must not start
// anything.

import { foreign } from "../../state/c-library.ts";
import { cSymbol } from "../../state/c-symbol.ts";
import { tryRead } from "../process/descriptor-io.ts";

const [i32, u32, u64, i64, cstring, pointer] = ["i32", "u32", "u64", "i64", "cstring", "ptr"] as const;

const SYMBOLS = {
  prctl: { args: [i32, u64, u64, u64, u64], returns: i32 },
  socket: { args: [i32, i32, i32], returns: i32 },
  send: { args: [i32, pointer, u64, i32], returns: i64 },
  recv: { args: [i32, pointer, u64, i32], returns: i64 },
  memfd_create: { args: [cstring, u32], returns: i32 },
  write: { args: [i32, pointer, u64], returns: i64 },
  lseek: { args: [i32, i64, i32], returns: i64 },
  open: { args: [cstring, i32], returns: i32 },
  close: { args: [i32], returns: i32 },
  setpgid: { args: [i32, i32], returns: i32 },
  getpgid: { args: [i32], returns: i32 },
  tcgetpgrp: { args: [i32], returns: i32 },
  tcsetpgrp: { args: [i32, i32], returns: i32 },
  tcflush: { args: [i32, i32], returns: i32 },
  waitid: { args: [i32, u32, pointer, i32], returns: i32 },
  kill: { args: [i32, i32], returns: i32 },
  signal: { args: [i32, u64], returns: u64 },
  prlimit: { args: [i32, i32, pointer, pointer], returns: i32 },
} as const;

type Name = keyof typeof SYMBOLS;
type Libc = ReturnType<typeof import("bun:ffi").dlopen<typeof SYMBOLS>>["symbols"];

const loaded = new Map<Name, unknown>();

/** One call. Each is made when it is first needed: the runtime compiles a piece of code for every one. */
function call<N extends Name>(name: N): Libc[N] {
  let known = loaded.get(name);
  if (known === undefined) {
    known = cSymbol(name, SYMBOLS[name]);
    if (known === undefined) throw new Error(`'${name}' of the C library could not be loaded`);
    loaded.set(name, known);
  }
  return known as Libc[N];
}

function check(name: string, result: number | bigint): number {
  if (Number(result) < 0) throw new Error(`${name} failed`);
  return Number(result);
}

/** Gives up the capabilities that a started program would inherit; our own stay. */
export function clearAmbientCapabilities(): void {
  check("prctl(PR_CAP_AMBIENT)", call("prctl")(47, 4, 0, 0, 0));
}

/** Forbids other processes of this user to look into this one, or to trace it. */
export function forbidTracing(): void {
  check("prctl(PR_SET_DUMPABLE)", call("prctl")(4, 0, 0, 0, 0));
}

/** A file in memory with these bytes, to be handed to a program as a descriptor. The caller closes it. */
export function memoryFile(name: string, bytes: Uint8Array): number {
  const fd = check("memfd_create", call("memfd_create")(Buffer.from(`${name}\0`) as never, 1));
  let sent = 0;
  while (sent < bytes.length)
    sent += check("write", call("write")(fd, foreign().ptr(bytes, sent), bytes.length - sent));
  check("lseek", call("lseek")(fd, 0, 0));
  return fd;
}

const O_CLOEXEC = 0o2000000;
const TEXT_PIECE = 4096;

/** The text of a file of /proc; undefined where it cannot be read. */
export function procText(path: string): string | undefined {
  const fd = call("open")(Buffer.from(`${path}\0`) as never, O_CLOEXEC);
  if (fd < 0) return undefined;
  const decoder = new TextDecoder();
  const piece = new Uint8Array(TEXT_PIECE);
  let text = "";
  let length = tryRead(fd, piece);
  for (; length > 0; length = tryRead(fd, piece))
    text += decoder.decode(piece.subarray(0, length), { stream: true });
  call("close")(fd);
  return length === 0 ? text + decoder.decode() : undefined;
}

/** Closes a descriptor. */
export function closeDescriptor(fd: number): void {
  call("close")(fd);
}

/** Moves a process (0: this one) into a process group (0: its own). */
export function setProcessGroup(pid: number, group: number): void {
  check("setpgid", call("setpgid")(pid, group));
}

/** The process group of a process (0: this one). */
export function processGroup(pid: number): number {
  return check("getpgid", call("getpgid")(pid));
}

/** Gives the terminal behind `fd` to a process group. Anyone who is in the background must ignore SIGTTOU. */
export function giveTerminal(fd: number, group: number): void {
  check("tcsetpgrp", call("tcsetpgrp")(fd, group));
}

/**
 * Whether this process would be stopped if it read from its terminal or changed it: another group is in front there. A
 * terminal that is not this process's own stops nobody.
 */
export function isInBackground(fd: number): boolean {
  const front = call("tcgetpgrp")(fd);
  return front > 0 && front !== processGroup(0);
}

/** Ignores a signal, which no JavaScript listener does: a caught SIGTTOU still interrupts a background process. */
export function ignoreSignal(signal: number): void {
  call("signal")(signal, 1);
}

const RLIMIT_NPROC = 6;

/** Bounds the processes and threads that this process and those it starts may have together, if they had more until now. */
export function limitProcesses(most: number): void {
  const found = new BigUint64Array(2);
  check("prlimit", call("prlimit")(0, RLIMIT_NPROC, null, foreign().ptr(found)));
  const lower = (limit = 0n) => (limit > BigInt(most) ? BigInt(most) : limit);
  const wanted = new BigUint64Array([lower(found[0]), lower(found[1])]);
  check("prlimit", call("prlimit")(0, RLIMIT_NPROC, foreign().ptr(wanted), null));
}

/** Throws away unread keystrokes of a terminal. */
export function flushInput(fd: number): void {
  call("tcflush")(fd, 0);
}

/** Sends a signal to a process group; false when it is gone. */
export function signalGroup(group: number, signal: number): boolean {
  return call("kill")(-group, signal) === 0;
}

/** Whether a child has been stopped (Ctrl-Z) since the last time this was asked. */
export function wasStopped(pid: number): boolean {
  const info = new Int32Array(32);
  // P_PID, WSTOPPED | WNOHANG.
  const result = call("waitid")(1, pid, foreign().ptr(info), 2 | 1);
  return result === 0 && info[0] === 17;
}

/**
 * Makes every IPv4 address one of this network namespace's own, by the loopback interface (as `ip route add local
 * default dev lo` does). Needs CAP_NET_ADMIN in the namespace.
 */
export function routeEverythingToLoopback(): void {
  const fd = check("socket(AF_NETLINK)", call("socket")(16, 3 | 0o2000000, 0));
  try {
    const message = new Uint8Array(36);
    const view = new DataView(message.buffer);
    view.setUint32(0, message.length, true);
    view.setUint16(4, 24, true); // RTM_NEWROUTE
    view.setUint16(6, 1 | 4 | 0x400, true); // NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE
    view.setUint32(8, 1, true);
    view.setUint8(16, 2); // AF_INET
    view.setUint8(20, 255); // table local
    view.setUint8(21, 4); // RTPROT_STATIC
    view.setUint8(22, 254); // scope host
    view.setUint8(23, 2); // RTN_LOCAL
    view.setUint16(28, 8, true);
    view.setUint16(30, 4, true); // RTA_OIF
    view.setUint32(32, 1, true); // lo is always 1
    check("send", call("send")(fd, foreign().ptr(message), message.length, 0));
    const reply = new Uint8Array(256);
    const length = check("recv", call("recv")(fd, foreign().ptr(reply), reply.length, 0));
    const error = length >= 20 ? new DataView(reply.buffer).getInt32(16, true) : -1;
    if (error !== 0) throw new Error(`the route could not be set (${-error})`);
  } finally {
    call("close")(fd);
  }
}
