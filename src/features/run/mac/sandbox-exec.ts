// The program that confines on macOS: one of the system, by its whole path, because an agent may
// put a program of that name on the person's PATH.

import { existsSync } from "node:fs";
import { UserError } from "../../../model/user-error.ts";

/** Programs that a run on macOS needs; another system has stand-ins in their place, for tests. */
export interface MacPrograms {
  readonly sandboxExec: string;
  /** Tries whether the daemon's own port can be reached, which it must not. */
  readonly connect: string;
}

/** Where macOS has them. */
export const MAC_PROGRAMS: MacPrograms = { sandboxExec: "/usr/bin/sandbox-exec", connect: "/usr/bin/nc" };

/** The path of sandbox-exec. Throws UserError where it is missing. */
export function findSandboxExec({ sandboxExec }: MacPrograms): string {
  if (existsSync(sandboxExec)) return sandboxExec;
  throw new UserError(`'iddio run' needs '${sandboxExec}', which is part of macOS`, {
    hint: "update macOS",
  });
}
