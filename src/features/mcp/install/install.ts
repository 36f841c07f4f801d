// Puts iddio before the servers in a client's settings, and takes it away again. A file that nobody
// else has changed since comes back byte for byte; in another one each entry comes back to the
// command line that it says it was.

import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, realpath, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, writeFileAtomic } from "../../../state/files.ts";
import type { SettingsFile } from "./clients.ts";
import { type FoundServer, serversIn, withEntry } from "./json-settings.ts";
import { hasTomlArgs, serversInToml, withTomlEntry } from "./toml-settings.ts";
import { nameFrom, unwrap, wrap } from "./wrapped.ts";

/** The change of one server. */
export interface ServerChange {
  readonly file: string;
  readonly server: string;
  /** `remote`: the client reaches it by an address, so there is nothing to start. */
  readonly state: "changed" | "unchanged" | "remote";
}

interface Kept {
  readonly path: string;
  readonly before: string;
  readonly after_sha256: string;
}

/** Wraps every server of the file; undefined when there is no such file. */
export async function installIn(
  file: SettingsFile,
  program: readonly string[],
  keepIn: string,
): Promise<readonly ServerChange[] | undefined> {
  const path = await realpath(file.path).catch(() => file.path);
  const before = await textOf(path);
  if (before === undefined) return undefined;
  let after = before;
  const changes = read(file, before).map(({ key, entry, path: at }): ServerChange => {
    const change = (state: ServerChange["state"]) => ({ file: file.path, server: key, state });
    if (entry === undefined) return change("remote");
    const plain = unwrap(entry) ?? entry;
    const wrapped = wrap(program, nameFrom(`${file.prefix}${key}`), plain);
    if (wrapped.command === entry.command && wrapped.args.join("\0") === entry.args.join("\0"))
      return change("unchanged");
    after =
      file.format === "toml" ? withTomlEntry(after, key, wrapped, true) : withEntry(after, at, wrapped, true);
    return change("changed");
  });
  if (after === before) return changes;
  const kept = await readKept(keepIn, path);
  const isOurs = kept?.after_sha256 === hashOf(before);
  await mkdir(keepIn, { recursive: true, mode: 0o700 });
  const record: Kept = { path, before: isOurs ? kept.before : before, after_sha256: hashOf(after) };
  await writeFileAtomic(keptPath(keepIn, path), JSON.stringify(record));
  await write(path, after);
  return changes;
}

/** Takes iddio out of every server of the file; undefined when there is no such file. */
export async function uninstallIn(
  file: SettingsFile,
  keepIn: string,
): Promise<readonly ServerChange[] | undefined> {
  const path = await realpath(file.path).catch(() => file.path);
  const now = await textOf(path);
  if (now === undefined) return undefined;
  const kept = await readKept(keepIn, path);
  const isUntouched = kept?.after_sha256 === hashOf(now);
  const before = kept === undefined ? [] : read(file, kept.before);
  let after = now;
  const changes = read(file, now).map(({ key, entry, path: at }): ServerChange => {
    const plain = entry === undefined ? undefined : unwrap(entry);
    if (plain === undefined)
      return { file: file.path, server: key, state: entry === undefined ? "remote" : "unchanged" };
    const hadArgs =
      plain.args.length > 0 ||
      hasArgs(
        file,
        kept?.before,
        before.find((each) => each.path.join("\0") === at.join("\0")),
      );
    after =
      file.format === "toml"
        ? withTomlEntry(after, key, plain, hadArgs)
        : withEntry(after, at, plain, hadArgs);
    return { file: file.path, server: key, state: "changed" };
  });
  const text = isUntouched ? kept.before : after;
  if (text !== now) await write(path, text);
  await rm(keptPath(keepIn, path), { force: true });
  return changes;
}

function read(file: SettingsFile, text: string): readonly FoundServer[] {
  return file.format === "toml" ? serversInToml(file.path, text) : serversIn(file.path, text, file.below);
}

/** Whether an entry had a list of arguments, be it an empty one. */
function hasArgs(file: SettingsFile, text: string | undefined, server: FoundServer | undefined): boolean {
  if (text === undefined || server?.entry === undefined) return false;
  if (file.format === "toml") return hasTomlArgs(text, server.key);
  return withEntry(text, server.path, server.entry, false) !== text;
}

function keptPath(keepIn: string, path: string): string {
  return join(keepIn, `${hashOf(path).slice(0, 24)}.json`);
}

async function readKept(keepIn: string, path: string): Promise<Kept | undefined> {
  const text = await textOf(keptPath(keepIn, path));
  if (text === undefined) return undefined;
  try {
    const kept = JSON.parse(text) as Kept;
    return kept.path === path ? kept : undefined;
  } catch {
    return undefined;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

async function write(path: string, text: string): Promise<void> {
  const { mode } = await stat(path);
  await writeFileAtomic(path, text, mode & 0o777);
  await chmod(path, mode & 0o777);
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
