// How `doctor --live` sends a client to a name of our choosing with one harmless request: with the
// user's own environment and configuration where those decide about proxy and trust, but never with
// a real credential and never to a real service.

import type { Protocol } from "../model/protocol.ts";

/** The arguments of a command, and the files in its directory. */
export interface LiveCommand {
  readonly args: readonly string[];
  /** Beside the user's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** One client that can be tried. */
export interface LiveClient {
  readonly name: string;
  /** Names of the program; the first that is installed is tried. */
  readonly programs: readonly string[];
  /** Whose classifier reads its requests; absent for the protocol that brings the client. */
  readonly protocol?: Protocol;
  /** The host that it talks to in earnest; undefined where that is the user's affair. */
  readonly standsFor?: string;
  /** The entry to add to the policy so that it is inspected. */
  readonly inspect?: string;
  /** `host` is the name to talk to; `directory` is empty and the client's own. */
  command(host: string, directory: string): LiveCommand;
}
