// Puts a hook into an agent's settings file and takes it out again. Comments, order and layout of
// the file stay. The previous file is kept in the state directory: as long as nobody else has
// changed it since, it comes back byte for byte.

import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { applyEdits, type FormattingOptions, modify, type ParseError, parse } from "jsonc-parser";
import { commandOfEntry, freshText, type HookPlace, isOurs } from "../../host/agents/hook-place.ts";
import type { AgentName } from "../../model/agent-name.ts";
import { UserError } from "../../model/user-error.ts";
import { errorCode, writeFileAtomic } from "../../state/files.ts";

/** The file that was there before ours. */
interface Kept {
  readonly path: string;
  /** Null when there was no file. */
  readonly before: string | null;
  readonly after_sha256: string;
  /** Folders that were made for it, the outermost first. */
  readonly made: readonly string[];
}

/** Writes the hook; false when it was there already, just so. Throws UserError for a file that is not JSON. */
export async function installHook(agent: AgentName, place: HookPlace, keepIn: string): Promise<boolean> {
  const before = await textOf(place.path);
  const after = withHook(agent, place, before);
  if (after === before) return false;
  const kept = await readKept(agent, keepIn);
  const made = await makeFolders(dirname(place.path));
  await mkdir(keepIn, { recursive: true, mode: 0o700 });
  // Installed twice with nobody's change in between: the file from before the first time comes back.
  const isSame = kept !== undefined && kept.path === place.path && kept.after_sha256 === hashOf(before ?? "");
  const record: Kept = {
    path: place.path,
    before: isSame ? kept.before : before,
    after_sha256: hashOf(after),
    made: isSame ? kept.made : made,
  };
  await writeFileAtomic(join(keepIn, `${agent}.json`), JSON.stringify(record));
  await write(place.path, after);
  return true;
}

/** Takes the hook out; false when there was none. */
export async function uninstallHook(agent: AgentName, place: HookPlace, keepIn: string): Promise<boolean> {
  const now = await textOf(place.path);
  const kept = await readKept(agent, keepIn);
  const isUntouched =
    kept !== undefined && kept.path === place.path && hashOf(now ?? "") === kept.after_sha256;
  const after = isUntouched ? kept.before : withoutHook(agent, place, now);
  if (after === now) return false;
  if (after === null) {
    await rm(place.path, { force: true });
    // Only folders that we made, and only while they are empty.
    for (const folder of [...(kept?.made ?? [])].reverse()) await rmdir(folder).catch(() => undefined);
  } else await write(place.path, after);
  await rm(join(keepIn, `${agent}.json`), { force: true });
  return true;
}

/** The commands of our hooks in a file, one unless somebody has copied it. */
export async function installedCommands(agent: AgentName, place: HookPlace): Promise<readonly string[]> {
  const text = await textOf(place.path);
  if (text === null) return [];
  if (place.own !== undefined) return text === place.own ? [place.own] : [text];
  return entriesOf(parsed(place.path, text), place)
    .map(commandOfEntry)
    .filter((command): command is string => isOurs(command, agent));
}

function withHook(agent: AgentName, place: HookPlace, text: string | null): string {
  if (place.own !== undefined) return place.own;
  const { list, entry, base } = place.shared ?? { list: [], entry: {}, base: {} };
  if (text === null || text.trim() === "") return freshText(place);
  const value = parsed(place.path, text);
  const entries = entriesOf(value, place);
  const at = entries.findIndex((each) => isOurs(commandOfEntry(each), agent));
  if (at >= 0 && JSON.stringify(entries[at]) === JSON.stringify(entry)) return text;
  const whole = Object.entries(base).reduce(
    (sofar, [name, given]) =>
      Object.hasOwn(value as object, name) ? sofar : edited(sofar, [name], given, false),
    text,
  );
  // Every time the list is there it is added to, at its end.
  if (at >= 0) return edited(whole, [...list, at], entry, false);
  return hasList(value, list)
    ? edited(whole, [...list, entries.length], entry, true)
    : edited(whole, list, [entry], false);
}

function withoutHook(agent: AgentName, place: HookPlace, text: string | null): string | null {
  if (text === null || place.own !== undefined) return null;
  const list = place.shared?.list ?? [];
  let left = text;
  for (;;) {
    const entries = entriesOf(parsed(place.path, left), place);
    const at = entries.findIndex((each) => isOurs(commandOfEntry(each), agent));
    if (at < 0) return left;
    left = edited(left, entries.length === 1 ? list : [...list, at], undefined, false);
    const outer = (parsed(place.path, left) as Record<string, unknown>)[list[0] ?? ""];
    if (typeof outer === "object" && outer !== null && Object.keys(outer).length === 0)
      left = edited(left, list.slice(0, 1), undefined, false);
  }
}

function edited(
  text: string,
  path: readonly (string | number)[],
  value: unknown,
  isInsertion: boolean,
): string {
  return applyEdits(
    text,
    modify(text, [...path], value, { isArrayInsertion: isInsertion, formattingOptions: layoutOf(text) }),
  );
}

/** Indents as the file does. */
function layoutOf(text: string): FormattingOptions {
  const indent = /^([ \t]+)\S/m.exec(text)?.[1] ?? "  ";
  return {
    insertSpaces: !indent.startsWith("\t"),
    tabSize: indent.startsWith("\t") ? 4 : indent.length,
    eol: text.includes("\r\n") ? "\r\n" : "\n",
  };
}

function parsed(path: string, text: string): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true, disallowComments: false });
  if (errors.length > 0 || typeof value !== "object" || value === null || Array.isArray(value))
    throw new UserError(`'${path}' is not a JSON object, so it is left as it is`, {
      hint: "fix the file, then run the command again",
    });
  return value;
}

function entriesOf(value: unknown, { shared }: HookPlace): readonly unknown[] {
  const found = (shared?.list ?? []).reduce<unknown>(
    (at, name) => (typeof at === "object" && at !== null ? (at as Record<string, unknown>)[name] : undefined),
    value,
  );
  return Array.isArray(found) ? found : [];
}

function hasList(value: unknown, list: readonly string[]): boolean {
  const found = list.reduce<unknown>(
    (at, name) => (typeof at === "object" && at !== null ? (at as Record<string, unknown>)[name] : undefined),
    value,
  );
  return Array.isArray(found);
}

async function write(path: string, text: string): Promise<void> {
  const mode = await stat(path).then(
    (found) => found.mode & 0o777,
    () => 0o600,
  );
  await writeFileAtomic(path, text, mode);
  await chmod(path, mode);
}

/** Makes a folder and those above it; gives those that were missing, the outermost first. */
async function makeFolders(path: string): Promise<readonly string[]> {
  const missing: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    const isThere = await stat(at).then(
      () => true,
      () => false,
    );
    if (isThere || at === dirname(at)) break;
    missing.unshift(at);
  }
  await mkdir(path, { recursive: true, mode: 0o700 });
  return missing;
}

async function readKept(agent: AgentName, keepIn: string): Promise<Kept | undefined> {
  const text = await textOf(join(keepIn, `${agent}.json`));
  try {
    return text === null ? undefined : (JSON.parse(text) as Kept);
  } catch {
    return undefined;
  }
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return null;
    throw error;
  }
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
