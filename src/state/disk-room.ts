// How much room the disk under the state directory has left. Looked up beside the work, at most
// once a second and only when somebody asks; owns the limit of low room and the reserve for the
// rows without which nothing above observe may be forwarded.

import { statfs } from "node:fs/promises";

/** Below this part of the disk a person should know. */
export const LOW_PART = 0.1;
const RESERVE_BYTES = 32 * 1024 * 1024;
/** A small disk keeps less in reserve. */
const RESERVE_PART = 0.02;
const LOOK_EVERY_MS = 1_000;

/** The disk's room, from `statfs`. */
export interface DiskFacts {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Looks at one disk. */
export class DiskRoom {
  readonly #path: string;
  readonly #look: (path: string) => Promise<DiskFacts | undefined>;
  #facts: DiskFacts | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(path: string, look = diskFacts) {
    this.#path = path;
    this.#look = look;
  }

  /** Only rows that must be written are written now. Never waits: a disk that was filled in the last second may be missed. */
  get isReserved(): boolean {
    void this.refresh();
    const facts = this.#facts;
    return facts !== undefined && facts.freeBytes < Math.min(RESERVE_BYTES, facts.totalBytes * RESERVE_PART);
  }

  /** A clause for a person when little is left, as of the last look. */
  get problem(): string | undefined {
    void this.refresh();
    return this.#facts && lowDisk(this.#facts);
  }

  /** Resolves when a look that is not older than a second is there. Never rejects. */
  refresh(): Promise<void> {
    const now = performance.now();
    if (this.#looking !== undefined || now - this.#lookedAt < LOOK_EVERY_MS)
      return this.#looking ?? Promise.resolve();
    this.#lookedAt = now;
    this.#looking = this.#look(this.#path).then((facts) => {
      this.#facts = facts;
      this.#looking = undefined;
    });
    return this.#looking;
  }
}

/** The disk under a path; undefined when it cannot be looked at. */
export async function diskFacts(path: string): Promise<DiskFacts | undefined> {
  const disk = await statfs(path).catch(() => undefined);
  return disk && { freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize };
}

/** A clause when less than a tenth is free, e.g. `9 % free, 512 MiB`; undefined otherwise. */
export function lowDisk({ freeBytes, totalBytes }: DiskFacts): string | undefined {
  if (totalBytes <= 0 || freeBytes >= totalBytes * LOW_PART) return undefined;
  return `${Math.floor((100 * freeBytes) / totalBytes)} % free, ${Math.floor(freeBytes / (1024 * 1024))} MiB`;
}
