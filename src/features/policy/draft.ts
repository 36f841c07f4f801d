// The draft that `policy edit` works on: a copy beside policy.yaml, so that the schema its first
// line names is found, with a note of which policy.yaml it was made from. A draft that is not valid
// stays until it is, or is discarded. Nothing here touches policy.yaml.

import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { UserError } from "../../model/user-error.ts";
import { DEFAULT_POLICY } from "../../policy/default-policy.ts";
import { ensureStateDirectory, errorCode, writeFileAtomic } from "../../state/files.ts";
import type { StatePaths } from "../../state/paths.ts";

/** A draft and where it stands. */
export interface PolicyDraft {
  readonly path: string;
  /** SHA-256 of the policy.yaml that it was made from, "" when there was none. */
  readonly baseSha256: string;
  /** The text that it was made from. */
  readonly base: string;
  /** Whether it was left by an earlier edit. */
  readonly isKept: boolean;
}

/**
 * The draft that was kept, or a fresh copy of policy.yaml (of the default policy when there is none). Throws
 * a UserError when policy.yaml is another than the one the kept draft was made from: saving it would undo the
 * changes in between.
 */
export async function openDraft(paths: StatePaths): Promise<PolicyDraft> {
  await ensureStateDirectory(paths);
  const file = await readIfThere(paths.policy);
  const base = file ?? DEFAULT_POLICY;
  const baseSha256 = file === undefined ? "" : sha256(file);
  const path = paths.policyDraft;
  if ((await readIfThere(path)) === undefined) {
    await writeFileAtomic(basePath(paths), baseSha256);
    await writeFileAtomic(path, base);
    return { path, baseSha256, base, isKept: false };
  }
  if ((await readIfThere(basePath(paths))) !== baseSha256)
    throw new UserError("policy.yaml has been changed since the draft that is kept was begun", {
      hint: `compare: diff ${paths.policy} ${path}; start over: iddio policy edit --discard`,
    });
  return { path, baseSha256, base, isKept: true };
}

/** Removes the draft; nothing happens when there is none. */
export async function discardDraft(paths: StatePaths): Promise<void> {
  await rm(paths.policyDraft, { force: true });
  await rm(basePath(paths), { force: true });
}

/** The text of the draft as the editor left it. */
export async function readDraft({ path }: PolicyDraft): Promise<string> {
  const text = await readIfThere(path);
  if (text !== undefined) return text;
  throw new UserError(`the draft '${path}' has gone`, { hint: "start over: iddio policy edit" });
}

function basePath(paths: StatePaths): string {
  return `${paths.policyDraft}.base`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw new UserError(`'${path}' cannot be read: ${errorCode(error) ?? String(error)}`, { cause: error });
  }
}
