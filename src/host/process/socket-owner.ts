// Which OS user holds the other end of a connection from this machine. Undefined where
// the system does not tell; everything that depends on the answer then takes the strict way.

import { type Endpoint, lookUpSocket } from "./sock-diag.ts";
import { userName } from "./user-name.ts";

/** The user of a socket, by number and by name; the number again where it has no name. */
export interface SocketOwner {
  readonly uid: number;
  readonly user: string;
  /** Inode of the socket, where the system tells (Linux). */
  readonly inode?: number;
}

/** The owner of the socket that is bound to `client` and connected to `server`, both on this machine. */
export function socketOwner(client: Endpoint, server: Endpoint): SocketOwner | undefined {
  if (process.platform === "linux") {
    const found = lookUpSocket(client, server);
    return found && { uid: found.uid, user: userName(found.uid), inode: found.inode };
  }
  return process.platform === "darwin" ? ownerByLsof(client, server) : undefined;
}

/** lsof prints one field a line: `p<pid>`, `u<uid>`, `n<local>-><remote>`. */
function ownerByLsof(client: Endpoint, server: Endpoint): SocketOwner | undefined {
  const { stdout, success } = Bun.spawnSync(
    ["/usr/sbin/lsof", "-nP", `-iTCP@${client.address}:${client.port}`, "-sTCP:ESTABLISHED", "-Fun"],
    { stdin: "ignore", stderr: "ignore", timeout: 2_000, env: {}, cwd: "/" },
  );
  if (!success) return undefined;
  let uid: number | undefined;
  for (const line of stdout.toString().split("\n")) {
    if (line.startsWith("u")) uid = Number(line.slice(1));
    const isClient =
      line.startsWith("n") && line.includes(`:${client.port}->`) && line.endsWith(`:${server.port}`);
    if (isClient && uid !== undefined) return { uid, user: userName(uid) };
  }
  return undefined;
}
