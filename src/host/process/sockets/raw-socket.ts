// A socket that is read and written with the calls of the system, without the event loop: for a
// program that does nothing but carry bytes between it and two pipes, which the kernel then moves
// by itself. Linux only.

import { FFIType, ptr } from "bun:ffi";
import { cSymbol } from "../../../state/c-symbol.ts";

const { i32, i64, u32, u64 } = FFIType;
const pointer = FFIType.ptr;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
/** SOL_SOCKET and SO_RCVTIMEO. */
const RECEIVE_TIMEOUT = [1, 20] as const;
const ANSWER_S = 60;

function call<F>(name: string, args: readonly number[], returns: number): F {
  const found = cSymbol<F>(name, { args, returns } as never);
  if (found === undefined) throw new Error(`the C library has no ${name}`);
  return found;
}

/** Connects a stream socket to an address; a read waits at most a minute. Throws when that fails. */
export function connectNow({ host, port }: { readonly host: string; readonly port: number }): number {
  const socket = call<(family: number, type: number, protocol: number) => number>(
    "socket",
    [i32, i32, i32],
    i32,
  );
  const connect = call<(fd: number, address: unknown, length: number) => number>(
    "connect",
    [i32, pointer, i32],
    i32,
  );
  const address = socketAddress(host, port);
  const fd = socket(address[0] ?? 0, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, ptr(address), address.length) !== 0) throw new Error("it cannot be reached");
  limitReads(fd, ANSWER_S);
  return fd;
}

/** How long a read of a socket waits at most; 0 is for ever. */
export function limitReads(fd: number, seconds: number): void {
  const set = call<(fd: number, level: number, name: number, value: unknown, length: number) => number>(
    "setsockopt",
    [i32, i32, i32, pointer, i32],
    i32,
  );
  set(fd, ...RECEIVE_TIMEOUT, ptr(new BigInt64Array([BigInt(seconds), 0n])), 16);
}

/** sockaddr_in or sockaddr_in6. Throws when the text is no address. */
function socketAddress(host: string, port: number): Uint8Array {
  const toBytes = call<(family: number, text: unknown, bytes: unknown) => number>(
    "inet_pton",
    [i32, pointer, pointer],
    i32,
  );
  const isV6 = host.includes(":");
  const bytes = Buffer.alloc(isV6 ? 28 : 16);
  bytes.writeUInt16LE(isV6 ? AF_INET6 : AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  if (toBytes(isV6 ? AF_INET6 : AF_INET, ptr(Buffer.from(`${host}\0`)), ptr(bytes, isV6 ? 8 : 4)) !== 1)
    throw new Error(`'${host}' is not an address`);
  return bytes;
}

/** Writes all of it. Throws when that fails. */
export function writeNow(fd: number, bytes: Uint8Array): void {
  const send = call<(fd: number, bytes: unknown, length: number) => bigint>(
    "write",
    [i32, pointer, u64],
    i64,
  );
  if (Number(send(fd, ptr(bytes), bytes.length)) !== bytes.length) throw new Error("the connection broke");
}

const ONE = new Uint8Array(1);
let receive: ((fd: number, bytes: unknown, length: number) => bigint) | undefined;

/** The next octet; undefined at the end. */
export function readOctet(fd: number): number | undefined {
  receive ??= call<typeof receive & {}>("read", [i32, pointer, u64], i64);
  return Number(receive(fd, ptr(ONE), 1)) === 1 ? ONE[0] : undefined;
}

/** POLLIN and POLLOUT. */
const READABLE = 1;
const WRITABLE = 4;
/** SPLICE_F_MOVE and SPLICE_F_NONBLOCK. */
const SPLICE_FLAGS = 1 | 2;
const PIECE = 1 << 20;
const F_SETFL = 4;
const F_SETPIPE_SZ = 1031;
const O_NONBLOCK = 0o4000;
const SHUT_WR = 1;
/** Moves that fail one after the other, though both ends were ready: the connection is broken. */
const FAILURES_MAX = 8;

interface Direction {
  readonly from: number;
  readonly to: number;
  /** Whether it waits for room at its end; else for bytes. */
  waitsForRoom: boolean;
  failures: number;
  isOver: boolean;
}

/** Carries bytes both ways between a socket and two pipes until nothing more comes from the socket. */
export function carryNow(input: number, output: number, socket: number): void {
  const control = call<(fd: number, command: number, value: number) => number>("fcntl", [i32, i32, i32], i32);
  const poll = call<(list: unknown, count: number, ms: number) => number>("poll", [pointer, u64, i32], i32);
  const move = call<
    (from: number, at: null, to: number, toAt: null, length: number, flags: number) => number | bigint
  >("splice", [i32, pointer, i32, pointer, u64, u32], i64);
  const shutdown = call<(fd: number, how: number) => number>("shutdown", [i32, i32], i32);
  control(socket, F_SETFL, O_NONBLOCK);
  for (const pipe of [input, output]) control(pipe, F_SETPIPE_SZ, PIECE);
  const direction = (from: number, to: number): Direction => ({
    from,
    to,
    waitsForRoom: false,
    failures: 0,
    isOver: false,
  });
  const inward = direction(input, socket);
  const outward = direction(socket, output);
  // struct pollfd: the descriptor, the awaited events, the events that came.
  const list = new DataView(new ArrayBuffer(16));
  const bytes = new Uint8Array(list.buffer);
  while (!outward.isOver) {
    [inward, outward].forEach((each, index) => {
      list.setInt32(index * 8, each.isOver ? -1 : each.waitsForRoom ? each.to : each.from, true);
      list.setInt16(index * 8 + 4, each.waitsForRoom ? WRITABLE : READABLE, true);
      list.setInt16(index * 8 + 6, 0, true);
    });
    if (poll(ptr(bytes), 2, -1) < 0) continue;
    [inward, outward].forEach((each, index) => {
      if (each.isOver || list.getInt16(index * 8 + 6, true) === 0) return;
      const moved = Number(move(each.from, null, each.to, null, PIECE, SPLICE_FLAGS));
      if (moved < 0) {
        // Either end may be the one that was not ready.
        each.waitsForRoom = !each.waitsForRoom;
        each.failures += 1;
      } else {
        each.waitsForRoom = false;
        each.failures = 0;
      }
      if (moved !== 0 && each.failures < FAILURES_MAX) return;
      each.isOver = true;
      if (each === inward) shutdown(socket, SHUT_WR);
    });
  }
}
