// Where a program of a remote line runs, and what comes to it: the folder that the shell stands in,
// the names that come through a pipe. Turns words into paths, and paths into what it means to read
// or to write there.

import type { ShellWord } from "../shell/word.ts";
import type { Folder } from "./folder-walk.ts";
import { type ProgramFinding, sensitive, strictest, unknown } from "./program-reader.ts";
import { holdsSecrets, mayBeSecret, normalPath, writeRisk, writeTreeRisk } from "./remote-paths.ts";

/** Whose names go through a pipe, for `xargs` at its end. */
export interface NamePipe {
  readonly named: string[];
  /** Nothing in it makes text of its own. */
  isOnlyNames: boolean;
}

/** The place of the program that is read now. */
export class CommandSurroundings {
  /** Where the shell stands; undefined where that cannot be told. */
  folder: Folder = "~";
  pipe: NamePipe | undefined;

  /** A path with the folder that the shell stands in; undefined when it cannot be told. Patterns stay patterns. */
  pathOf({ text, isSure }: ShellWord): string | undefined {
    const path = text.replace(/^\$(?:HOME|\{HOME\})(?=\/|$)/, "~").replace(/(?<=.)\{\}/g, "**");
    // `~-` and `~+2` are folders where the shell was.
    if (/^~[-+\d]/.test(path)) return undefined;
    if (!isSure && !/^(?:~[\w.-]*(?:\/|$)|[\w./+@,:=%-]|[*?[])[\w./+@,:=%*?[\]{}~-]*$/.test(path))
      return undefined;
    if (path.includes("{") && !isSure) return undefined;
    if (path === "-") return "/dev/stdin";
    if (path.startsWith("/") || path.startsWith("~")) return normalPath(path);
    return this.folder === undefined ? undefined : normalPath(`${this.folder}/${path}`);
  }

  /** Returns the finding for reading a path, if that is more than a plain read. */
  read(path: string | undefined, isDeep: boolean): ProgramFinding | undefined {
    if (path === undefined) {
      // A pipe of names leads to files below the names in it.
      const { named = [], isOnlyNames = false } = this.pipe ?? {};
      const isPlain =
        isOnlyNames && named.length > 0 && !named.some((each) => holdsSecrets(each) || mayBeSecret(each));
      return isPlain ? undefined : unknown("which file it reads is only known when it runs");
    }
    if (mayBeSecret(path)) return sensitive(`${path} may hold secrets`);
    if (isDeep && holdsSecrets(path)) return sensitive(`below ${path} may be secrets`);
    return undefined;
  }

  /** Returns the finding for writing to a path: `base`, or a stricter one. */
  write(path: string | undefined, base: ProgramFinding, riskOf = writeRisk): ProgramFinding {
    if (path === undefined)
      return strictest(base, sensitive(`${base.reason}; which, is only known when it runs`));
    const risk = riskOf(path);
    return risk === undefined ? base : strictest(base, risk);
  }

  /** The same for a tree of files below it. */
  writeTree(path: string | undefined, base: ProgramFinding): ProgramFinding {
    return this.write(path, base, writeTreeRisk);
  }

  /** A name, or what names are below, goes on through the pipe. */
  name(path: string): void {
    this.pipe?.named.push(path);
  }

  /** The pipe no longer carries names of files alone. */
  makesText(): void {
    if (this.pipe !== undefined) this.pipe.isOnlyNames = false;
  }
}
