// What a tunnel hands an SSH connection to. The feature that speaks SSH is above this room; the daemon puts the two
// together.

import type { Channel } from "../stream/channel.ts";
import type { ClientOwner } from "./client-owner.ts";
import type { Destination } from "./inspection/inspection.ts";

/** A client's SSH connection to an inspected host; its bytes begin with its version line. */
export interface SshConnection {
  readonly channel: Channel;
  readonly owner: ClientOwner;
  readonly destination: Destination;
  /** What the operator calls the host, if the client says so. */
  readonly name: string;
}

/** Serves one to its end. Never rejects for what the client does. */
export interface SshCarrier {
  serve(connection: SshConnection): Promise<void>;
}

/** The field of a CONNECT that carries the name. */
export const SSH_NAME_FIELD = "iddio-ssh-name";
