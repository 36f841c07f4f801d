// `iddio ssh-proxy`: asks the proxy for a tunnel to the host and hands it to the ssh that takes
// connections (ProxyUseFdpass); for any other client it carries the bytes between the tunnel and
// stdin and stdout. It knows no SSH and no keys.

import type { Socket } from "node:net";
import type { CommandContext } from "../../cli/kit/command.ts";
import { proxyAddress } from "../../cli/kit/proxy-address.ts";
import { SSH_NAME_FIELD } from "../../gateway/request/contracts/ssh-carrier.ts";
import { isPipe } from "../../host/process/file-status.ts";
import { isUnixSocket, sendOver } from "../../host/process/sockets/pass-descriptor.ts";
import {
  carryNow,
  connectNow,
  limitReads,
  readOctet,
  writeNow,
} from "../../host/process/sockets/raw-socket.ts";
import { UserError } from "../../model/user-error.ts";
import { isPlainHost } from "../../protocols/ssh/target.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { hostPort } from "../../text/host-port.ts";

const ANSWER_MAX = 16 * 1024;

/** Carries one connection to its end. */
export async function carry(context: CommandContext): Promise<number> {
  const [host = "", port = "", name = host] = context.args;
  if (!isPlainHost(host) || !isPlainHost(name))
    throw new UserError(`'${isPlainHost(host) ? name : host}' is not a host`, {
      hint: "give a name or an address",
      exitCode: 2,
    });
  if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65535)
    throw new UserError(`'${port}' is not a port`, { hint: "a number from 1 to 65535", exitCode: 2 });
  const where = hostPort(host, Number(port));
  // Inside a run every connection leads through iddio by itself, and there is no daemon to ask.
  if (context.env.IDDIO_RUN !== undefined) return join(await open(where), Buffer.alloc(0));
  const ask = `CONNECT ${where} HTTP/1.1\r\nHost: ${where}\r\n${SSH_NAME_FIELD}: ${name}\r\n\r\n`;
  const address = await proxyAddress(context);
  if (hasPipes()) {
    carryNow(0, 1, await openNow(address, ask));
    return 0;
  }
  if (await isForSsh()) return passOn(await openNow(address, ask));
  const socket = await open(address);
  socket.write(ask);
  const first = await readAnswer(socket);
  return join(socket, first);
}

const HEAD_MAX = 16 * 1024;

/** Whether both sides are pipes, between which and a socket Linux moves bytes by itself. */
function hasPipes(): boolean {
  return process.platform === "linux" && isPipe(0) && isPipe(1);
}

/**
 * Whether whoever started this waits for the connection itself: an ssh with `ProxyUseFdpass`, which gives one unix
 * socket for both. Other clients that read its configuration give one, too, and want bytes.
 */
async function isForSsh(): Promise<boolean> {
  if (process.platform !== "linux" || !isUnixSocket(0) || !isUnixSocket(1)) return false;
  const parent = await Bun.file(`/proc/${process.ppid}/comm`)
    .text()
    .catch(() => "");
  return parent.trim().endsWith("ssh");
}

/** Gives the tunnel to ssh and waits until it has taken it: somebody must hold it while the daemon looks whose it is. */
function passOn(fd: number): number {
  limitReads(fd, 0);
  if (!sendOver(1, "\0", fd)) return 1;
  readOctet(0);
  return 0;
}

/** Opens the tunnel without the event loop. */
async function openNow(address: string, ask: string): Promise<number> {
  const { host, port } = parts(address);
  let fd: number;
  let head = "";
  try {
    fd = connectNow({ host: await addressOf(host), port });
    writeNow(fd, new TextEncoder().encode(ask));
    // Octet by octet: octets behind the head are for ssh.
    while (!head.endsWith("\r\n\r\n")) {
      const octet = readOctet(fd);
      if (octet === undefined || head.length > HEAD_MAX) throw new Error("the answer broke off");
      head += String.fromCharCode(octet);
    }
  } catch (cause) {
    throw unreachable(address, cause);
  }
  if (!/^HTTP\/1\.[01] 200 /.test(head)) throw refused(head, readBody(fd, head));
  return fd;
}

/** Node's names and sockets are loaded only where they are needed: each takes as long as all else that is done here. */
async function addressOf(host: string): Promise<string> {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(host)) return host;
  return (await (await import("node:dns/promises")).lookup(host)).address;
}

function readBody(fd: number, head: string): string {
  const length = Number(/\r\ncontent-length: *(\d{1,5})\r\n/i.exec(head)?.[1] ?? 0);
  const body: number[] = [];
  for (let left = Math.min(length, HEAD_MAX); left > 0; left--) {
    const octet = readOctet(fd);
    if (octet === undefined) break;
    body.push(octet);
  }
  return Buffer.from(body).toString("utf8");
}

function parts(address: string): { readonly host: string; readonly port: number } {
  const [, host = "", port = ""] = /^\[?([^\]]*?)\]?:(\d+)$/.exec(address) ?? [];
  return { host, port: Number(port) };
}

function unreachable(address: string, cause: unknown): UserError {
  return new UserError(`${address} cannot be reached`, { hint: "start it: iddio gateway --start", cause });
}

function refused(head: string, body: string): UserError {
  const [line = ""] = head.split("\r\n");
  return new UserError(`the proxy refused: ${escapeForTerminal(body.trim().slice(0, 400) || line)}`, {
    hint: LAST_ROWS,
  });
}

const LAST_ROWS = "iddio audit show --last 5";

async function open(address: string): Promise<Socket> {
  const { connect } = await import("node:net");
  return new Promise((resolve, reject) => {
    const socket = connect({ ...parts(address), allowHalfOpen: true, noDelay: true }, () => resolve(socket));
    socket.once("error", (cause) => reject(unreachable(address, cause)));
  });
}

/** Reads the answer to CONNECT; returns the octets behind it. */
function readAnswer(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const fail = (error: UserError) => {
      socket.destroy();
      reject(error);
    };
    const broken = (text: string) => fail(new UserError(text, { hint: LAST_ROWS }));
    const data = (bytes: Buffer) => {
      seen = Buffer.concat([seen, bytes]);
      const end = seen.indexOf("\r\n\r\n");
      if (end < 0) {
        if (seen.length > ANSWER_MAX) broken("the proxy's answer is too long");
        return;
      }
      const head = seen.subarray(0, end).toString("latin1");
      const rest = seen.subarray(end + 4);
      if (/^HTTP\/1\.[01] 200 /.test(head)) {
        socket.off("data", data);
        socket.pause();
        return resolve(rest);
      }
      fail(refused(head, rest.toString("utf8")));
    };
    socket.on("data", data);
    socket.once("end", () => broken("the proxy closed the connection"));
    socket.on("error", () => broken("the connection to the proxy broke"));
  });
}

async function join(socket: Socket, first: Buffer): Promise<number> {
  const outward = (async () => {
    const { stdout } = process;
    const put = (bytes: Uint8Array) =>
      new Promise<void>((resolve, reject) =>
        stdout.write(bytes, (error) => (error ? reject(error) : resolve())),
      );
    if (first.length > 0) await put(first);
    for await (const bytes of socket as AsyncIterable<Buffer>) await put(bytes);
  })();
  const inward = (async () => {
    for await (const bytes of Bun.stdin.stream() as unknown as AsyncIterable<Uint8Array>)
      if (!socket.write(bytes)) await new Promise((resolve) => socket.once("drain", resolve));
    socket.end();
  })();
  inward.catch(() => socket.destroy());
  // When the far side is done, nothing that is typed has anywhere to go.
  await outward.catch(() => undefined);
  socket.destroy();
  return 0;
}
