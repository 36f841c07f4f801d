// The quick way of `iddio ssh-proxy` (ProxyUseFdpass of OpenSSH): it opens the tunnel, gives ssh the connected socket and
// ends, so that no byte of the session passes through it. Only for a parent that is ssh: another program that reads the
// same configuration has no use for a descriptor.

import { FFIType, ptr } from "bun:ffi";
import { fstatSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { sendDescriptor } from "../../host/process/descriptor.ts";
import { cSymbol } from "../../state/c-symbol.ts";

const { i32, i64, u64 } = FFIType;
const pointer = FFIType.ptr;
const STDOUT = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const HEAD_MAX = 16 * 1024;
/** SOL_SOCKET and SO_RCVTIMEO. */
const RECEIVE_TIMEOUT = [1, 20] as const;
const ANSWER_S = 60;

/** Whether stdout is the socket on which an OpenSSH client waits for a descriptor. */
export function awaitsSocket(): boolean {
  if (process.platform !== "linux") return false;
  try {
    return fstatSync(STDOUT).isSocket() && basename(readlinkSync(`/proc/${process.ppid}/exe`)) === "ssh";
  } catch {
    return false;
  }
}

/**
 * Asks a proxy for a tunnel and passes the socket on; the proxy's answer when it refused. Throws when it cannot be
 * reached. Waits for the answer without a turn of the event loop.
 */
export function passSocket(
  proxy: { readonly host: string; readonly port: number },
  ask: string,
): string | undefined {
  const fd = connectTo(proxy);
  write(fd, new TextEncoder().encode(ask));
  // Octet by octet: whatever comes behind the head is for ssh.
  let answer = "";
  while (!answer.endsWith("\r\n\r\n")) {
    const byte = read(fd);
    if (byte === undefined || answer.length > HEAD_MAX) throw new Error("the proxy closed the connection");
    answer += String.fromCharCode(byte);
  }
  if (!/^HTTP\/1\.[01] 200 /.test(answer)) {
    const length = Number(/\r\ncontent-length: *(\d{1,5})\r\n/i.exec(answer)?.[1] ?? 0);
    const body: number[] = [];
    while (body.length < Math.min(length, HEAD_MAX)) {
      const byte = read(fd);
      if (byte === undefined) break;
      body.push(byte);
    }
    return answer + Buffer.from(body).toString("utf8");
  }
  if (!sendDescriptor(STDOUT, fd)) throw new Error("ssh does not take the connection");
  return undefined;
}

function call<F>(name: string, args: readonly number[], returns: number): F {
  const found = cSymbol<F>(name, { args, returns } as never);
  if (found === undefined) throw new Error(`the C library has no ${name}`);
  return found;
}

function connectTo({ host, port }: { readonly host: string; readonly port: number }): number {
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

function write(fd: number, bytes: Uint8Array): void {
  const send = call<(fd: number, bytes: unknown, length: number) => bigint>(
    "write",
    [i32, pointer, u64],
    i64,
  );
  if (Number(send(fd, ptr(bytes), bytes.length)) !== bytes.length) throw new Error("the connection broke");
}

const ONE = new Uint8Array(1);
let receive: ((fd: number, bytes: unknown, length: number) => bigint) | undefined;

function read(fd: number): number | undefined {
  receive ??= call<typeof receive & {}>("read", [i32, pointer, u64], i64);
  return Number(receive(fd, ptr(ONE), 1)) === 1 ? ONE[0] : undefined;
}
