// Classifies one operation of SFTP by its kind and its paths. Links are not followed, so a path may
// lead elsewhere; relative paths are below the home directory.

import type { Classification } from "../../model/classification.ts";
import type { Tier } from "../../model/tier.ts";
import { unknownClassification } from "../unknown.ts";
import { mayBeSecret, normalPath, writeRisk } from "./remote-paths.ts";

/** Operations that are asked about. */
export type FileOperation =
  | "download"
  | "upload"
  | "remove"
  | "rmdir"
  | "mkdir"
  | "rename"
  | "chmod"
  | "chown"
  | "symlink"
  | "link"
  | "list"
  | "other";

const TIERS: Readonly<Record<Exclude<FileOperation, "other">, readonly [tier: Tier, reason: string]>> = {
  download: ["observe", "reads a file"],
  list: ["observe", "lists files"],
  upload: ["modify", "writes a file"],
  remove: ["modify", "removes a file"],
  rmdir: ["modify", "removes an empty folder"],
  mkdir: ["modify", "makes a folder"],
  rename: ["modify", "moves a file"],
  symlink: ["modify", "makes a link"],
  link: ["modify", "makes a link"],
  chmod: ["modify", "changes a file's mode or times"],
  chown: ["sensitive", "changes whose a file is, or makes it run as its owner"],
};

/** Classifies; relative paths are below the home directory. */
export function classifyFileOperation(operation: FileOperation, paths: readonly string[]): Classification {
  const whole = paths.map(wholePath);
  const command = `sftp ${operation}`;
  if (operation === "other" || paths.some((path) => /[\0\uFFFD]/.test(path)))
    return unknownClassification("ssh", "the operation or its path is not known", { command });
  let [tier, reason] = TIERS[operation];
  const raise = (to: Tier, why: string) => {
    if (ORDER.indexOf(to) > ORDER.indexOf(tier)) [tier, reason] = [to, why];
  };
  for (const path of whole) {
    if (operation === "download") {
      if (mayBeSecret(path)) raise("sensitive", `${path} may hold secrets`);
    } else if (operation !== "list") {
      const risk = writeRisk(path);
      if (risk !== undefined) raise(risk.tier, risk.reason);
    }
  }
  const [first = ""] = whole;
  return {
    protocol: "ssh",
    tier,
    command,
    aliases: [`${command} ${first}`, `${command} <path>`],
    labels: {},
    reason,
  };
}

const ORDER: readonly Tier[] = ["observe", "modify", "sensitive", "break-glass"];

/** The folder of which a person's yes to one change may count for others; undefined when there is none. */
export function folderOf(path: string): string | undefined {
  const whole = wholePath(path);
  const folder = whole.slice(0, whole.lastIndexOf("/"));
  return folder === "" || folder === "~" || /^\/(?:home|root|Users)?(?:\/[^/]+)?$/.test(folder)
    ? undefined
    : folder;
}

/** Whether a path is in a folder or below it. */
export function isFileBelow(path: string, folder: string): boolean {
  const whole = wholePath(path);
  return whole === folder || whole.startsWith(`${folder}/`);
}

/** A relative path is below the home directory; SFTP itself knows no `~`, which is a name like any other. */
function wholePath(path: string): string {
  return normalPath(path.startsWith("/") ? path : `~/${path}`);
}
