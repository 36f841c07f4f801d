// Which folders an agent may be given: not the person's whole home, not the system's, not iddio's
// own. And where secrets of a person usually are.

import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { UserError } from "../../../model/user-error.ts";
import { workTreeOf } from "../control-files/git-control-files.ts";
import { isBelow } from "./outside-sockets.ts";

/** Places of secrets in a home directory, with which the start is checked. */
export const HOME_SECRETS = [
  ".ssh",
  ".gnupg",
  ".aws",
  ".kube",
  ".netrc",
  ".git-credentials",
  ".npmrc",
  ".pypirc",
  ".docker",
  ".config/gh",
  ".config/gcloud",
  ".config/hub",
  ".config/op",
  ".azure",
  ".fly",
  ".terraform.d",
  ".password-store",
  ".mozilla",
  ".config/google-chrome",
  ".config/chromium",
  ".local/share/keyrings",
  ".bash_history",
  ".zsh_history",
];

/** The repository that the working directory is in, or the directory itself. Throws UserError when both are too wide. */
export async function projectOf(cwd: string, home: string, state: string): Promise<string> {
  const refuse = (why: string) =>
    new UserError(`an agent cannot be given '${cwd}' to work in: ${why}`, {
      hint: "change to the folder of a project first: cd <folder>",
    });
  const tree = await workTreeOf(cwd);
  for (const folder of tree === undefined ? [cwd] : [tree, cwd]) {
    const why = tooWide(folder, home, state);
    if (why === undefined) return folder;
    if (folder === cwd) throw refuse(why);
  }
  return cwd;
}

function tooWide(folder: string, home: string, state: string): string | undefined {
  if (isBelow(home, folder)) return "it holds the home directory";
  if (isBelow(state, folder) || isBelow(folder, state)) return "it holds the state of iddio";
  if (/^\/(?:|usr|etc|var|run|tmp|dev|proc|sys|bin|sbin|lib|lib64|opt|home|boot)$/.test(folder))
    return "it belongs to the system";
  return undefined;
}

/** The places that a path of `--rw` or `--ro` must keep clear of. */
export interface GivenBounds {
  /** Undefined where the path is only to be read. */
  readonly home: string | undefined;
  readonly state: string;
  readonly project: string;
}

/**
 * The real path of a folder that a flag gives an agent. Throws UserError for a path that is too wide, or is
 * not the one that it looks like.
 */
export async function givenPath(
  flag: string,
  path: string,
  { home, state, project }: GivenBounds,
): Promise<string> {
  const real = await realpath(path).catch(() => {
    throw new UserError(`'${path}' after '${flag}' does not exist`, {
      hint: "give the path of a file or folder",
    });
  });
  const refuse = (why: string, hint: string) =>
    new UserError(`an agent cannot be given '${path}': ${why}`, { hint });
  // An earlier agent may have left it: the person means a folder in the project.
  if (isBelow(resolve(path), project) && !isBelow(real, project))
    throw refuse("it is a link that leads out of the project", `if you mean it, give '${real}'`);
  const why =
    home === undefined
      ? isBelow(real, state) || isBelow(state, real)
        ? "it holds the state of iddio"
        : undefined
      : tooWide(real, home, state);
  if (why !== undefined) throw refuse(why, "give a narrower path");
  return real;
}
