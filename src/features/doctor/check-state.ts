// doctor: the state directory and the files in it; whose they are and who may read them. That a
// file is missing is the business of the check that needs it.

import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { CheckContext, Finding, Repair } from "../../cli/kit/check.ts";
import { databaseProblem } from "../../state/database.ts";
import { errorCode } from "../../state/files.ts";
import { directoryMode } from "../../state/paths.ts";

/** Whether the directory is there, ours and closed to others. */
export async function checkStateDirectory({ paths }: CheckContext): Promise<Finding> {
  const about = { check: "state directory", lookedAt: paths.root };
  const owner = process.getuid?.();
  const problems: string[] = [];
  const repairs: Repair[] = [];
  for (const path of new Set([paths.root, paths.config])) {
    let found: Awaited<ReturnType<typeof stat>>;
    try {
      found = await stat(path);
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
      return { ...about, verdict: "fail", detail: "not there: iddio is not installed", fix: "iddio install" };
    }
    if (!found.isDirectory())
      return {
        ...about,
        verdict: "fail",
        detail: "not a directory",
        fix: `move it away: mv ${path} ${path}.old`,
      };
    if (owner !== undefined && found.uid !== owner) {
      problems.push(`${path} belongs to user ${found.uid}`);
      repairs.push({ kind: "chown", path, uid: owner });
    }
    const mode = directoryMode(path);
    if ((Number(found.mode) & 0o777) !== mode) {
      problems.push(`${path} has mode ${octal(Number(found.mode))} instead of ${octal(mode)}`);
      repairs.push({ kind: "chmod", path, mode });
    }
  }
  if (problems.length === 0) return { ...about, verdict: "ok", detail: "yours, closed to others" };
  return { ...about, verdict: "fail", detail: problems.join("; "), fix: "iddio repair", repairs };
}

/** Whether each file that is there is ours, private unless it is a certificate, and readable at all. */
export async function checkFiles({ paths }: CheckContext): Promise<Finding> {
  const owner = process.getuid?.();
  const secret = [
    paths.caKey,
    paths.policy,
    paths.policyInForce,
    paths.settings,
    paths.audit,
    paths.observe,
    paths.log,
    paths.database,
    paths.lock,
    paths.installMode,
    paths.kubeconfig,
  ];
  const problems: string[] = [];
  const repairs: Repair[] = [];
  let count = 0;
  for (const [path, mode] of [
    ...secret.map((each) => [each, 0o600] as const),
    ...[paths.caCertificate, paths.bundle].map((each) => [each, 0o644] as const),
  ]) {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) continue; // another check looks for missing files
    count += 1;
    if (owner !== undefined && found.uid !== owner) {
      problems.push(`${path} belongs to user ${found.uid}`);
      repairs.push({ kind: "chown", path, uid: owner });
    }
    const isReadable = (found.mode & 0o600) === 0o600;
    if (
      isReadable &&
      (found.mode & 0o777 & ~mode) === 0 &&
      (mode === 0o600 || (found.mode & 0o444) === 0o444)
    )
      continue;
    problems.push(`${path} has mode ${octal(found.mode)} instead of ${octal(mode)}`);
    repairs.push({ kind: "chmod", path, mode });
  }
  const about = { check: "files", lookedAt: dirname(paths.caKey) };
  if (problems.length === 0)
    return { ...about, verdict: "ok", detail: `${count} files, private but for the certificates` };
  return { ...about, verdict: "fail", detail: problems.join("; "), fix: "iddio repair", repairs };
}

/** Whether state.db (pins, upstreams, grants) is whole, as SQLite itself checks it. */
export async function checkDatabase({ paths }: CheckContext): Promise<Finding> {
  const about = { check: "database", lookedAt: paths.database };
  const found = await stat(paths.database).catch(() => undefined);
  if (found === undefined) return { ...about, verdict: "skip", detail: "not there: the daemon makes it" };
  const problem = found.isFile() ? databaseProblem(paths.database) : "it is not a file";
  if (problem === undefined) return { ...about, verdict: "ok", detail: "whole" };
  return {
    ...about,
    verdict: "fail",
    detail: `cannot be used: ${problem}`,
    fix: "stop the daemon and move it away: pins and upstreams are then lost, iddio kubeconfig registers clusters again",
  };
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}
