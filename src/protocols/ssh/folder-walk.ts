// In which folders each program of a line may run. A `cd` may fail, may stand in a subshell, and
// what stands before it may run after it; so a program counts in every folder where the line could
// have got to. Only a list of `&&` is sure.

import type { CommandPlace } from "../shell/word.ts";

/** A folder; undefined when it may be any. */
export type Folder = string | undefined;

const FOLDERS_MAX = 8;
/** Every Unix machine has these and lets everybody in: `cd` there does not fail. */
const ALWAYS_THERE = /^\/(?:etc|tmp|var|var\/(?:log|tmp)|usr|usr\/(?:bin|lib|share)|proc|sys|home)?$/;

/** The folders of one line. */
export class FolderWalk {
  readonly #hasJumps: boolean;
  #possible: readonly Folder[];
  /** Where a list of `&&` is for sure, by its number. */
  readonly #sure = new Map<number, readonly Folder[]>();

  constructor(start: Folder, hasJumps: boolean) {
    this.#possible = [start];
    this.#hasJumps = hasJumps;
  }

  /** Everywhere the line may get to. */
  get all(): readonly Folder[] {
    return this.#possible;
  }

  /** Where a program runs. */
  of(place: CommandPlace | undefined): readonly Folder[] {
    if (!this.#hasJumps)
      for (const chain of [...(place?.chains ?? [])].reverse()) {
        const known = this.#sure.get(chain);
        if (known !== undefined) return known;
      }
    return this.#possible;
  }

  /** A program went to these folders, if it did; `isCd`: it is the shell's own `cd`, and no script within. */
  moved(place: CommandPlace | undefined, to: readonly Folder[], isCd: boolean): void {
    if (to.length === 0) return;
    const chains = place?.chains ?? [];
    const isSure = isCd && place?.isDirect === true && !this.#hasJumps;
    const own = isSure ? chains.at(-1) : undefined;
    for (const chain of chains) {
      const before = this.#sure.get(chain);
      if (chain === own) this.#sure.set(chain, union([], to));
      else if (before !== undefined) this.#sure.set(chain, union(before, to));
    }
    const isThere = to.every((each) => each !== undefined && ALWAYS_THERE.test(each));
    this.#possible = isSure && chains.length === 0 && isThere ? union([], to) : union(this.#possible, to);
  }
}

function union(one: readonly Folder[], other: readonly Folder[]): readonly Folder[] {
  const all = new Set([...one, ...other]);
  return all.size > FOLDERS_MAX || all.has(undefined) ? [undefined] : [...all];
}
