// How many sockets the daemon may have open, and how many of its open files are set aside for the
// control socket, the audit log and the database. Without any left, Bun's accept would spin and say
// nothing.

import { readdirSync } from "node:fs";
import { openFileLimit } from "../../host/process/open-file-limit.ts";
import { Shares } from "./shares.ts";

/** Where the system sets no limit or does not tell it. */
const SOCKETS_MAX = 40_000;
/** Descriptors that sockets of the proxy leave alone, or a quarter of all where those are few. */
const SET_ASIDE = 600;
/** The fewest that are left beside those open at the start. */
const FEWEST = 14;
/**
 * File descriptors that the daemon itself has open at rest, with some to spare: files, watchers, the control
 * socket.
 */
const AT_REST = 48;

/** Sockets of clients and upstreams, in one budget; one per daemon. */
export class Descriptors extends Shares {
  /** Connections that the control socket may have at once. */
  readonly control: number;
  /** Client connections: each may need a second descriptor for its upstream. */
  readonly connections: number;

  constructor(files: number | undefined = openFileLimit()) {
    const aside = setAside(files);
    super(files === undefined ? SOCKETS_MAX : Math.max(2, Math.min(SOCKETS_MAX, files - aside)));
    this.control = Math.max(16, Math.min(512, aside - AT_REST));
    this.connections = Math.max(1, Math.floor(this.limit / 2));
  }
}

function setAside(files: number | undefined): number {
  if (files === undefined) return SET_ASIDE;
  return Math.min(SET_ASIDE, Math.max(files / 4, openNow() + FEWEST));
}

function openNow(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}
