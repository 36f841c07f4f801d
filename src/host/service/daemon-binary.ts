// The daemon's own copy of the program, `bin/iddio-daemon`. A copy, because the program that was
// typed may be replaced or removed by a package manager at any moment. It is only ever replaced by
// rename: one that runs keeps running.

import { chmod, copyFile, type FileHandle, mkdir, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UserError } from "../../model/user-error.ts";
import { syncWhole } from "../../state/durable.ts";
import { errorCode, syncDirectory } from "../../state/files.ts";
import { type Environment, programEnvironment } from "../process/environment.ts";
import { lastWords, runTool } from "../process/run-tool.ts";
import { FIRST_START_MS } from "./first-start.ts";

const PIECE_BYTES = 1024 * 1024;

/** A file that has been asked and says that it is iddio. */
export interface ProgramFile {
  readonly path: string;
  readonly version: string;
}

/** Runs `<path> version --json`. Throws a `UserError` when that is not an iddio that runs here. */
export async function askProgram(path: string, env: Environment): Promise<ProgramFile> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new UserError(`there is no '${path}'`, { hint: "name the iddio binary" });
  if (!found.isFile()) throw new UserError(`'${path}' is not a file`, { hint: "name the iddio binary" });
  const result = await runTool([path, "version", "--json"], {
    env: programEnvironment(env),
    timeoutMs: 5_000 + FIRST_START_MS,
  });
  let version: unknown;
  try {
    version = (JSON.parse(result.stdout) as { build_version?: unknown }).build_version;
  } catch {
    // told below
  }
  if (result.code !== 0 || typeof version !== "string")
    throw new UserError(`'${path}' is not an iddio that runs here: ${lastWords(result)}`, {
      hint: "name the iddio binary of this system and processor",
    });
  return { path: await realpath(path), version };
}

/** Makes `target` a copy of `source`, in one step. False when it is one already. A failure leaves nothing behind. */
export async function placeProgram(source: string, target: string): Promise<boolean> {
  if (await isSameFile(source, target)) {
    await chmod(target, 0o755);
    return false;
  }
  const folder = dirname(target);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = join(folder, `.${basename(target)}.${process.pid}.tmp`);
  try {
    await copyFile(source, temporary);
    await dropQuarantine(temporary);
    await chmod(temporary, 0o755);
    const file = await open(temporary, "r+");
    try {
      await syncWhole(file);
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw cannotPlace(target, error);
  }
  await syncDirectory(folder);
  return true;
}

/** A copy keeps the mark of a browser's download, and launchd starts nothing that has it. */
async function dropQuarantine(path: string): Promise<void> {
  if (process.platform === "darwin")
    await runTool(["xattr", "-d", "com.apple.quarantine", path], { env: {} });
}

function cannotPlace(target: string, cause: unknown): UserError {
  const hint = {
    ENOSPC: "make room on that disk; the old program is untouched",
    EACCES: "run it as the owner of that folder",
    EROFS: "that file system is read-only",
  }[errorCode(cause) ?? ""];
  return new UserError(
    `cannot write '${target}': ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      hint: hint ?? "the old program is untouched",
      cause,
    },
  );
}

async function isSameFile(left: string, right: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(left), stat(right).catch(() => undefined)]);
  if (b === undefined || a.size !== b.size) return false;
  if (a.ino === b.ino && a.dev === b.dev) return true;
  return holdTheSame(left, right);
}

/** Compares two files of one size, piece by piece: a hash of each costs seconds of a program this large. */
async function holdTheSame(left: string, right: string): Promise<boolean> {
  await using files = new AsyncDisposableStack();
  const opened = async (path: string) => {
    const file = await open(path, "r");
    files.defer(() => file.close());
    return file;
  };
  const [first, second] = [await opened(left), await opened(right)];
  const [ours, theirs] = [Buffer.alloc(PIECE_BYTES), Buffer.alloc(PIECE_BYTES)];
  for (;;) {
    const [a, b] = await Promise.all([filled(first, ours), filled(second, theirs)]);
    if (!a.equals(b)) return false;
    if (a.length < PIECE_BYTES) return true;
  }
}

/** The next octets of the file; fewer than the buffer takes only at its end. */
async function filled(file: FileHandle, buffer: Buffer): Promise<Buffer> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}
