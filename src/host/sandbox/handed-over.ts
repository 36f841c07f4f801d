// The line beside an open socket that a run's bridge hands to the daemon: the program asked for
// the proxy itself, or meant to go elsewhere and was caught; and the inode of the program's end.
// Only the bridge can ask for that: the system tells it to nobody outside of the run's network.

/** A connection of the agent's, as the bridge describes it. */
export interface HandedOver {
  /** host:port that a program meant which knows of no proxy; undefined for a connection to the proxy. */
  readonly caught?: string | undefined;
  /** Inode of the program's socket, where the system told; the daemon finds its process by that. */
  readonly inode?: number | undefined;
}

/** The line. */
export function handedOverLine({ caught, inode = 0 }: HandedOver): string {
  return caught === undefined ? `PROXY ${inode}\n` : `CAUGHT ${inode} ${caught}\n`;
}

/** Reads it; undefined when it is none. */
export function readHandedOver(line: string): HandedOver | undefined {
  const [, kind, inode, caught] = /^(PROXY|CAUGHT) (\d{1,15})(?: ([!-~]+))?\n$/.exec(line) ?? [];
  if (kind === undefined || (kind === "CAUGHT") !== (caught !== undefined)) return undefined;
  return {
    ...(caught === undefined ? {} : { caught }),
    ...(Number(inode) === 0 ? {} : { inode: Number(inode) }),
  };
}
