// The contract between a tunnel and the feature that speaks SSH. The feature is above this room;
// the daemon puts the two together.

import type { Channel } from "../../stream/channel.ts";
import type { ClientOwner } from "../client-owner.ts";
import type { Destination } from "../inspection/inspection.ts";

/** A client's SSH connection to an inspected host; its bytes begin with its version line. */
export interface SshConnection {
  readonly channel: Channel;
  readonly owner: ClientOwner;
  readonly destination: Destination;
  /** The operator's alias of the host, if the client says it; empty otherwise. */
  readonly name: string;
}

/** Serves one to its end. Never rejects because of the client. */
export interface SshCarrier {
  serve(connection: SshConnection): Promise<void>;
}

/** The field of a CONNECT that carries the name. */
export const SSH_NAME_FIELD = "iddio-ssh-name";
