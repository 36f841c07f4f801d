// Which OS user holds the other end of a connection from this machine. Undefined where
// the system does not tell; everything that depends on the answer then takes the strict way.

import { userName } from "../user-name.ts";
import { findMacSocket, type MacSocket, readMacSockets } from "./mac-sockets.ts";
import { addressBytes, lookUpSocket, type SocketEnd } from "./sock-diag.ts";

/** The user of a socket, by number and by name; the number again where it has no name. */
export interface SocketOwner {
  readonly uid: number;
  readonly user: string;
  /** Inode of the socket, where the system tells (Linux). */
  readonly inode?: number;
}

/** The owner of the socket that is bound to `client` and connected to `server`, both on this machine. */
export function socketOwner(client: SocketEnd, server: SocketEnd): SocketOwner | undefined {
  if (process.platform === "linux") {
    const found = lookUpSocket(client, server);
    return found && { uid: found.uid, user: userName(found.uid), inode: found.inode };
  }
  return process.platform === "darwin" ? ownerOnMac(client, server) : undefined;
}

function ownerOnMac(client: SocketEnd, server: SocketEnd): SocketOwner | undefined {
  const found = macSocketOf(readMacSockets(), client, server);
  return found && { uid: found.uid, user: userName(found.uid) };
}

/** The connection with these ends in the kernel's table. */
export function macSocketOf(
  sockets: readonly MacSocket[] | undefined,
  client: SocketEnd,
  server: SocketEnd,
): MacSocket | undefined {
  const [local, remote] = [addressBytes(client.address), addressBytes(server.address)];
  if (sockets === undefined || local === undefined || remote === undefined) return undefined;
  const ends = [
    { address: local, port: client.port },
    { address: remote, port: server.port },
  ] as const;
  return findMacSocket(sockets, ...ends);
}
