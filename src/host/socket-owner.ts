// Which OS user holds the other end of a loopback TCP connection. Read from the
// kernel's socket table, where the platform has one that can be read; undefined
// elsewhere, and everything that depends on the answer then takes the strict way.

import { readFileSync } from "node:fs";

/** The user of a socket, by number and, when it is known, by name. */
export interface SocketOwner {
  readonly uid: number;
  readonly user: string;
}

/**
 * The owner of the socket that is bound to `clientPort` and connected to `serverPort` on this machine.
 * Linux only (proc_pid_net(5), tcp and tcp6); undefined when it is not found.
 */
export function socketOwner(clientPort: number, serverPort: number): SocketOwner | undefined {
  if (process.platform !== "linux") return undefined;
  const local = `:${hexPort(clientPort)} `;
  const remote = `:${hexPort(serverPort)}`;
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const uid = findUid(table, local, remote);
    if (uid !== undefined) return { uid, user: userName(uid) };
  }
  return undefined;
}

function findUid(table: string, local: string, remote: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(table, "latin1");
  } catch {
    return undefined;
  }
  for (let at = text.indexOf(local); at >= 0; at = text.indexOf(local, at + 1)) {
    const [, address, state, , , , uid] = text.slice(at, at + 160).split(/\s+/, 8);
    // The match may be in the remote column, and a socket in TIME_WAIT belongs to nobody any more.
    if (address?.endsWith(remote) && state !== TIME_WAIT && uid !== undefined) return Number(uid);
  }
  return undefined;
}

function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}

const TIME_WAIT = "06";

const names = new Map<number, string>();

function userName(uid: number): string {
  const known = names.get(uid);
  if (known !== undefined) return known;
  const name = lookUpName(uid);
  names.set(uid, name);
  return name;
}

function lookUpName(uid: number): string {
  try {
    for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
      const [name, , id] = line.split(":");
      if (name && id === String(uid)) return name;
    }
  } catch {
    // a number is a name too
  }
  return String(uid);
}
