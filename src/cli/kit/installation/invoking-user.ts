// Whose state directory a command under sudo is about. sudo changes HOME to root's on most systems;
// the user's own is in the list of users.

import { readFile } from "node:fs/promises";
import { UserError } from "../../../model/user-error.ts";
import { type StatePaths, statePaths } from "../../../state/paths.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The paths and environment of the user who typed the command, also when sudo runs it. */
export async function invokingUser(
  env: Environment,
): Promise<{ readonly paths: StatePaths; readonly env: Environment }> {
  const user = env.SUDO_USER;
  if (process.getuid?.() !== 0 || !user || user === "root" || env.IDDIO_HOME)
    return { paths: statePaths(env), env };
  const home = await homeOf(user);
  if (home === undefined)
    throw new UserError(`cannot tell the home directory of '${user}'`, {
      hint: `type it: sudo IDDIO_HOME=~${user}/.iddio iddio …`,
    });
  const own = { ...env, HOME: home };
  return { paths: statePaths(own), env: own };
}

/** The home directory in what `dscl -read … NFSHomeDirectory` prints; one with blanks is on a line of its own. */
export function homeInAnswer(text: string): string | undefined {
  return /^NFSHomeDirectory:\s*(\/.*)$/m.exec(text)?.[1]?.trimEnd();
}

async function homeOf(user: string): Promise<string | undefined> {
  if (process.platform === "darwin") {
    const { runTool } = await import("../../../host/process/run-tool.ts");
    const { stdout } = await runTool(["dscl", "/Search", "-read", `/Users/${user}`, "NFSHomeDirectory"], {
      env: process.env,
    });
    return homeInAnswer(stdout);
  }
  const users = await readFile("/etc/passwd", "utf8").catch(() => "");
  return users
    .split("\n")
    .map((line) => line.split(":"))
    .find(([name]) => name === user)?.[5];
}
