// The fate of every request, a byte each in files that all processes of the soak have mapped: the
// upstream's notes survive when it is killed. A request's number is its place in them.

import { appendFileSync, closeSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A client's view of its request. */
export const SEEN = {
  /** It left on purpose. */
  left: 1,
  /** 200 with the very reply that the upstream gives, or an echo over an upgraded connection. */
  served: 2,
  /** 403. */
  refused: 3,
  /** 502. */
  failed: 4,
  /** The reply, or the connection before it, ended in a way that shows that it is not whole. */
  broken: 5,
  /** A whole reply with another request's content. */
  foreign: 6,
  /** A reply that looked whole, with less or more than it should have. */
  deceptive: 7,
  /** Any other status. */
  strange: 8,
  /** Nothing came for half a minute. */
  stuck: 9,
  /** It waits. */
  nothing: 10,
  /** It left while its request was held; or it waits, and the approver knows that it is held. */
  held: 11,
} as const;

/** Parts of an `arrived` byte: how often the head came, and whether the body came whole and right, or whole and wrong. */
export const ARRIVED = { count: 0x0f, whole: 0x10, wrong: 0x20 } as const;

/** Where a ledger is. */
export interface LedgerPlace {
  readonly directory: string;
  readonly size: number;
}

/** The mapped files. */
export interface Ledger {
  readonly directory: string;
  readonly size: number;
  /** Each request's kind; 0 for numbers that were not given out. */
  readonly kinds: Uint8Array;
  /** The upstream's view; see `ARRIVED`. */
  readonly arrived: Uint8Array;
  /** See `SEEN`. */
  readonly seen: Uint8Array;
}

/** Opens the ledger of a directory, and makes it when it is not there. */
export function openLedger({ directory, size }: LedgerPlace): Ledger {
  const map = (name: string) => {
    const path = join(directory, name);
    const file = openSync(path, "a+");
    ftruncateSync(file, size);
    closeSync(file);
    return Bun.mmap(path, { shared: true });
  };
  return { directory, size, kinds: map("kinds"), arrived: map("arrived"), seen: map("seen") };
}

/** Notes a rule that the gateway broke towards the upstream. */
export function noteFault({ directory }: Ledger, what: string): void {
  appendFileSync(join(directory, "faults"), `${what}\n`);
}

/** Reads the noted faults. */
export function notedFaults({ directory }: Ledger): readonly string[] {
  try {
    return readFileSync(join(directory, "faults"), "utf8").split("\n").slice(0, -1);
  } catch {
    return [];
  }
}

/** Notes that a request's head has come. */
export function noteArrival({ arrived }: Ledger, id: number): void {
  const before = arrived[id] ?? 0;
  if ((before & ARRIVED.count) < ARRIVED.count) arrived[id] = before + 1;
}
