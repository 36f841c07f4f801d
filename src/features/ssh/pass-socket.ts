// The quick way of `iddio ssh-proxy` (ProxyUseFdpass of OpenSSH): it opens the tunnel, gives ssh the connected socket and
// ends, so that no byte of the session passes through it. Only for a parent that is ssh: another program that reads the
// same configuration has no use for a descriptor.

import { fstatSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { sendDescriptor } from "../../host/process/descriptor.ts";
import { connectNow, readOctet, writeNow } from "../../host/process/raw-socket.ts";

const STDOUT = 1;
const HEAD_MAX = 16 * 1024;

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
  const fd = connectNow(proxy);
  writeNow(fd, new TextEncoder().encode(ask));
  // Octet by octet: whatever comes behind the head is for ssh.
  let answer = "";
  while (!answer.endsWith("\r\n\r\n")) {
    const byte = readOctet(fd);
    if (byte === undefined || answer.length > HEAD_MAX) throw new Error("the proxy closed the connection");
    answer += String.fromCharCode(byte);
  }
  if (!/^HTTP\/1\.[01] 200 /.test(answer)) {
    const length = Number(/\r\ncontent-length: *(\d{1,5})\r\n/i.exec(answer)?.[1] ?? 0);
    const body: number[] = [];
    while (body.length < Math.min(length, HEAD_MAX)) {
      const byte = readOctet(fd);
      if (byte === undefined) break;
      body.push(byte);
    }
    return answer + Buffer.from(body).toString("utf8");
  }
  if (!sendDescriptor(STDOUT, fd)) throw new Error("ssh does not take the connection");
  return undefined;
}
