// The orders that `iddio run` hands to the bridge that it starts, and the messages between the two
// afterwards: lines of text on a unix socket in the run's folder, which the agent cannot see.

/** Everything that the bridge needs, as JSON through a pipe that it was started with. */
export interface BridgeSpec {
  readonly name: string;
  /** The run's socket at the daemon, and what proves that this process is its bridge. */
  readonly socket: string;
  readonly token: string;
  /** Where `iddio run` listens. */
  readonly hostSocket: string;
  /** Ports on which connections are taken and handed on under their name. */
  readonly ports: readonly number[];
  /** Ports on loopback behind which the proxy itself is. */
  readonly proxyPorts: readonly number[];
  /** Ports on loopback that lead to the same ports of the machine's loopback. */
  readonly localPorts: readonly number[];
  readonly bwrap: string;
  /** Arguments of the inner bubblewrap, without the program. */
  readonly args: readonly string[];
  /** The seccomp filter, in base64. */
  readonly filter: string;
  /** The commands that start bubblewrap, and the command in it; see signal-wrappers.ts. */
  readonly wrappers: readonly [readonly string[], readonly string[]];
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Places below folders that an agent may write, which must be mounted from themselves. */
  readonly bound: readonly string[];
  /** The kernel's words for the folders that the agent is given, where each is mounted from itself. */
  readonly mounts: readonly string[];
  /** Paths that must not be readable inside. */
  readonly secrets: readonly string[];
  /** Stdin, stdout and stderr of the command, as descriptors of the bridge. */
  readonly stdio: readonly [number, number, number];
  /** Whether stdin is a terminal of the run's own. */
  readonly hasTerminal: boolean;
}

/** The pipe's end in the bridge. */
export const ORDERS_DESCRIPTOR = 3;
/** The orders end with this octet: the pipe stays open. */
export const ORDERS_END = 10;

/** From the bridge to `iddio run`. */
export type BridgeLine = "ready" | "stopped" | `exited ${number}`;

/** From `iddio run` to the bridge. */
export type HostLine = "continue" | `signal ${number}` | `open ${number} ${number}`;

/** Splits what arrives into lines; the rest is kept. */
export class BridgeLineReader {
  #rest = "";
  readonly #decoder = new TextDecoder();

  /** The lines that are whole now. */
  push(bytes: Uint8Array): readonly string[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines;
  }
}
