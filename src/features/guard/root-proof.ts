// How root shows itself to the daemon without running anything of ours as root: only root can make
// a file in /run. The name is a nonce that this daemon made up, so an old file proves nothing, and
// each is good once.

import { randomBytes } from "node:crypto";
import { lstatSync } from "node:fs";

const LIFE_MS = 5 * 60_000;
const FOLDER = process.platform === "darwin" ? "/var/run" : "/run";

/** Hands out nonces and looks for their files. */
export class RootProofs {
  readonly #waiting = new Map<string, { readonly digest: string; readonly untilMs: number }>();
  readonly #nowMs: () => number;
  readonly #ownerOf: (path: string) => number | undefined;

  /** The clock must not go back. `ownerOf` gives the owner of a regular file. */
  constructor(nowMs = () => performance.now(), ownerOf = regularFileOwner) {
    this.#nowMs = nowMs;
    this.#ownerOf = ownerOf;
  }

  /** A file that only root can make, to be made for one question. */
  ask(digest: string): { readonly nonce: string; readonly path: string } {
    const now = this.#nowMs();
    for (const [nonce, { untilMs }] of this.#waiting) if (untilMs <= now) this.#waiting.delete(nonce);
    const nonce = randomBytes(16).toString("hex");
    this.#waiting.set(nonce, { digest, untilMs: now + LIFE_MS });
    return { nonce, path: pathOf(nonce) };
  }

  /** Whether root has made the file for this question; uses the nonce up. */
  take(nonce: string, digest: string): boolean {
    const asked = this.#waiting.get(nonce);
    this.#waiting.delete(nonce);
    if (asked === undefined || asked.digest !== digest || asked.untilMs <= this.#nowMs()) return false;
    return this.#ownerOf(FOLDER) === undefined && this.#ownerOf(pathOf(nonce)) === 0;
  }
}

function pathOf(nonce: string): string {
  return `${FOLDER}/iddio-guard-${nonce}`;
}

function regularFileOwner(path: string): number | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() ? found.uid : undefined;
}
