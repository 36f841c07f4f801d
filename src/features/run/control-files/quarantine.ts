// Takes files by which tools outside of the sandbox start programs out of an agent's reach and
// theirs, as soon as the agent has made them: they are moved to the state directory, and the person
// is told and may put them back. Paths are gone through folder by folder without following links,
// so that an agent cannot have other files moved.

import { appendFile, lstat, mkdir, readdir, readFile, readlink, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { UserError } from "../../../model/user-error.ts";
import { writeFileAtomic } from "../../../state/files.ts";
import { escapeForTerminal } from "../../../text/escape.ts";
import { isBelow } from "../sandbox/outside-sockets.ts";
import { cleanRepository } from "./clean-repository.ts";
import { type ControlFile, controlFilesIn } from "./control-files.ts";
import { cleanDeep } from "./deep-repositories.ts";
import { FolderTree } from "./folder-tree.ts";
import { gitDirectoryOf } from "./git-control-files.ts";
import { inFolderBelow } from "./open-places.ts";

/** A file that was moved. */
export interface Moved {
  readonly from: string;
  readonly to: string;
}

const LISTED_MAX = 20;
const SOONEST_MS = 1_000;
/** Looking takes at most so much of the time. */
const PART = 50;
const RECORD = "moved.jsonl";

/** The quarantine of one run. */
export class Quarantine {
  readonly #folders: readonly string[];
  readonly #trees: readonly FolderTree[];
  readonly #into: string;
  readonly #allowed: readonly string[];
  readonly #known: ReadonlyMap<string, ControlFile>;
  readonly #protected: ReadonlySet<string>;
  readonly #sinceMs: number;
  readonly #moved: Moved[] = [];
  readonly #ending = new AbortController();
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();

  private constructor(parts: QuarantineParts) {
    this.#folders = parts.folders;
    this.#trees = parts.folders.map((folder) => new FolderTree(folder));
    this.#into = parts.into;
    this.#allowed = parts.allowed;
    this.#protected = new Set(parts.readOnly);
    this.#known = parts.known;
    this.#sinceMs = parts.sinceMs;
  }

  /** Looks for new files from now on. */
  static begin(parts: QuarantineParts): Quarantine {
    const quarantine = new Quarantine(parts);
    quarantine.#again(SOONEST_MS);
    return quarantine;
  }

  #again(ms: number): void {
    this.#timer = setTimeout(() => {
      const started = performance.now();
      this.#looking = this.#look(this.#ending.signal).catch(() => undefined);
      void this.#looking.then(() => {
        if (this.#timer !== undefined)
          this.#again(Math.max(SOONEST_MS, (performance.now() - started) * PART));
      });
    }, ms);
  }

  /** Looks a last time and returns the moved files. */
  async end(): Promise<readonly Moved[]> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // The last look sees all of it anyhow.
    this.#ending.abort();
    await this.#looking;
    await this.#look();
    return this.#moved;
  }

  async #look(signal?: AbortSignal): Promise<void> {
    const looked = await Promise.all(
      this.#trees.map((tree) => (signal === undefined ? tree.lookLast() : tree.look(signal))),
    );
    const near = await controlFilesIn(looked.flatMap((each) => each.near));
    for (const [path, { kind, identity }] of near) {
      if (this.#allowed.some((each) => isBelow(path, each))) continue;
      const isKnown = this.#known.get(path)?.identity === identity;
      const folder = this.#folders.find((each) => isBelow(path, each));
      if (folder === undefined) continue;
      // Files that existed before were read-only, so only new ones need a look; in a repository, its new
      // parts.
      if (kind === "repository") await this.#clean(folder, path, isKnown);
      else if (!isKnown && !(kind === "pointer" && (await gitDirectoryOf(dirname(path))) !== undefined))
        await this.#inFolder(folder, dirname(path), (open) =>
          this.#take(open, dirname(path), basename(path)),
        );
    }
    for (const [index, folder] of this.#folders.entries())
      for (const repository of looked[index]?.repositories ?? []) {
        const { path } = repository;
        if (near.has(path) || this.#allowed.some((each) => isBelow(path, each))) continue;
        await cleanDeep(folder, repository, this.#sinceMs, async (at, name) =>
          this.#take(at, await readlink(at).catch(() => dirname(path)), name),
        );
      }
  }

  async #clean(folder: string, path: string, isKnown: boolean): Promise<void> {
    await this.#inFolder(folder, path, (open) =>
      cleanRepository(
        open,
        async (at, name) => this.#take(at, at === open ? path : await readlink(at).catch(() => path), name),
        (name) => isKnown && this.#protected.has(join(path, name)),
      ),
    );
  }

  #inFolder(root: string, path: string, work: (open: string) => Promise<void>): Promise<void> {
    const steps = relative(root, path).split("/");
    return inFolderBelow(root, steps[0] === "" ? [] : steps, work);
  }

  async #take(open: string, folder: string, name: string): Promise<void> {
    await mkdir(this.#into, { recursive: true, mode: 0o700 });
    const to = join(this.#into, `${this.#moved.length + 1}-${name}`);
    const moved = await rename(`${open}/${name}`, to).then(
      () => to,
      async (error: unknown) => {
        if ((error as { code?: unknown }).code !== "EXDEV") return undefined;
        // Another file system: a name that no tool looks for.
        const beside = `${name}.iddio-quarantine-${Date.now()}`;
        return rename(`${open}/${name}`, `${open}/${beside}`).then(
          () => join(folder, beside),
          () => undefined,
        );
      },
    );
    if (moved === undefined) return;
    const record = { from: join(folder, name), to: moved };
    this.#moved.push(record);
    await appendFile(join(this.#into, RECORD), `${JSON.stringify(record)}\n`, { mode: 0o600 });
  }
}

/** The parts that a quarantine works with. */
export interface QuarantineParts {
  /** Folders that the agent may write. */
  readonly folders: readonly string[];
  /** Where files are moved to. */
  readonly into: string;
  /** Paths that the agent was given by name. */
  readonly allowed: readonly string[];
  /** Files of repositories that are read-only in the sandbox. */
  readonly readOnly: readonly string[];
  /** The control files that were there before the agent started. */
  readonly known: ReadonlyMap<string, ControlFile>;
  /** Change time of a file that was made just before the agent began: what is not older is the agent's. */
  readonly sinceMs: number;
}

/** The message at the end; undefined when nothing was moved. */
export function movedText(moved: readonly Moved[]): string | undefined {
  if (moved.length === 0) return undefined;
  const listed = moved.slice(0, LISTED_MAX).map(({ from }) => `  ${escapeForTerminal(from)}`);
  const rest = moved.length - listed.length;
  return [
    "moved away: new files by which programs outside of the sandbox would be started",
    ...listed,
    ...(rest > 0 ? [`  and ${rest} more`] : []),
    "look at them with 'iddio run quarantine', and put one back with 'iddio run restore <path>'",
  ].join("\n");
}

/** Everything that is in quarantine, of all runs, oldest first. */
export async function quarantined(root: string): Promise<readonly Moved[]> {
  const found: Moved[] = [];
  for (const run of (await readdir(root).catch(() => [] as string[])).sort())
    found.push(...(await recordsOf(join(root, run))));
  return found;
}

async function recordsOf(folder: string): Promise<readonly Moved[]> {
  const text = await readFile(join(folder, RECORD), "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Moved);
}

/**
 * Puts the file that was last moved from a path back. Throws UserError when there is nothing, or something is
 * there now.
 */
export async function restore(root: string, path: string): Promise<Moved> {
  const moved = (await quarantined(root)).findLast(({ from }) => from === path);
  if (moved === undefined)
    throw new UserError(`nothing from '${path}' is in quarantine`, { hint: "iddio run quarantine" });
  if (await lstat(path).catch(() => undefined))
    throw new UserError(`'${path}' is there now`, { hint: `move it away; the moved file is ${moved.to}` });
  await rename(moved.to, path);
  const folder = dirname(moved.to);
  const left = (await recordsOf(folder)).filter(({ to }) => to !== moved.to);
  if (left.length > 0) {
    await writeFileAtomic(join(folder, RECORD), left.map((each) => `${JSON.stringify(each)}\n`).join(""));
  } else {
    await rm(join(folder, RECORD), { force: true });
    await rmdir(folder).catch(() => undefined);
  }
  return moved;
}
