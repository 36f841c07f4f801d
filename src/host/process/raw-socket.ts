// A socket that is read and written with the calls of the system, octet by octet and without the event loop: for a
// program that passes it on and must not have read what is the receiver's. Linux only.

import { FFIType, ptr } from "bun:ffi";
import { cSymbol } from "../../state/c-symbol.ts";

const { i32, i64, u64 } = FFIType;
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

/** Connects a stream socket to an address; whoever reads it waits at most a minute. Throws when that fails. */
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
  const limit = call<(fd: number, level: number, name: number, value: unknown, length: number) => number>(
    "setsockopt",
    [i32, i32, i32, pointer, i32],
    i32,
  );
  const address = socketAddress(host, port);
  const fd = socket(address[0] ?? 0, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, ptr(address), address.length) !== 0) throw new Error("it cannot be reached");
  limit(fd, ...RECEIVE_TIMEOUT, ptr(new BigInt64Array([BigInt(ANSWER_S), 0n])), 16);
  return fd;
}

/** sockaddr_in or sockaddr_in6. Throws for what is no address. */
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
