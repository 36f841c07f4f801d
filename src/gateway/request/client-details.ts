// Details of the asking process for the person who decides. They are read only when somebody looks:
// the client is held until then, so its process and its parents still run.

import type { Principal } from "../../api/principal.ts";
import { ancestorsOf, type ProcessRecord, processOf } from "../../host/process/process-tree.ts";
import { userName } from "../../host/process/user-name.ts";
import type { ClientDetails, ClientIdentity, ProcessIdentity } from "../../model/entry.ts";

/** A client with its program and ancestors, as far as the system still tells. */
export async function clientDetails(client: ClientIdentity | undefined): Promise<ClientDetails | undefined> {
  if (client?.pid === undefined) return client;
  const found = await processOf(client.pid);
  // The number may belong to another process by now.
  if (found === undefined || found.name !== client.process) return client;
  const ancestors = (await ancestorsOf(client.pid)).map(identityOf);
  return { ...client, ...(found.program === undefined ? {} : { program: found.program }), ancestors };
}

/** Who typed a command: the process at the other end of the control socket, and what started it. */
export async function callerDetails({ uid, pid }: Principal): Promise<ClientDetails> {
  const user = uid === undefined ? {} : { user: userName(uid) };
  const found = pid === undefined ? undefined : await processOf(pid);
  if (found === undefined) return { ...user, ...(pid === undefined ? {} : { pid }) };
  return {
    ...user,
    pid: found.pid,
    process: found.name,
    ancestors: (await ancestorsOf(found.pid)).map(identityOf),
  };
}

function identityOf({ pid, name, user }: ProcessRecord): ProcessIdentity {
  return { pid, process: name, ...(user === undefined ? {} : { user }) };
}
