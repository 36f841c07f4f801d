// Another user of this machine, for root's daemon that starts a program with that user's rights:
// who that is, and the words in front of the program's own. Asks the system's directory, so that
// users of a network count as well.

import type { Environment } from "./environment.ts";
import { runTool } from "./run-tool.ts";
import { findSystemTool } from "./system-tool.ts";

/** How a program is started as another user. */
export interface OtherUser {
  readonly uid: number;
  readonly gid: number;
  /** The program that gives up root's rights, and its words. */
  readonly prefix: readonly string[];
  /** Variables that a login would set. */
  readonly env: Readonly<Record<string, string>>;
}

/** Undefined for a user that the system does not know, or where no program gives rights up. */
export async function otherUser(uid: number, env: Environment): Promise<OtherUser | undefined> {
  const isMac = process.platform === "darwin";
  const entry = isMac
    ? await runTool(["id", "-P", String(uid)], { env })
    : await runTool(["getent", "passwd", String(uid)], { env });
  const fields = entry.stdout.trim().split(":");
  // `id -P` has the class, and two times, before the name.
  const [name = "", , id, gid] = fields;
  const [home = "", shell = ""] = fields.slice(-2);
  if (entry.code !== 0 || Number(id) !== uid || !Number.isInteger(Number(gid))) return undefined;
  const tool = findSystemTool(isMac ? "sudo" : "setpriv", env);
  if (tool === undefined) return undefined;
  return {
    uid,
    gid: Number(gid),
    prefix: isMac
      ? [tool, "-n", "-u", `#${uid}`, "--"]
      : [tool, "--reuid", String(uid), "--regid", String(Number(gid)), "--init-groups", "--"],
    env: {
      HOME: home,
      USER: name,
      LOGNAME: name,
      SHELL: shell === "" ? "/bin/sh" : shell,
      ...(isMac ? {} : { XDG_RUNTIME_DIR: `/run/user/${uid}` }),
    },
  };
}
