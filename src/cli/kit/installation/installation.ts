// Which installation a lifecycle command is about (the user's, or with `--system` the machine's),
// its daemon and its service. Shared by install, uninstall, doctor, repair and upgrade.

import { ControlClient } from "../../../api/client.ts";
import type { StatusReport } from "../../../api/reports.ts";
import { UserError } from "../../../model/user-error.ts";
import { type StatePaths, statePaths, systemStatePaths } from "../../../state/paths.ts";
import { BUILD_VERSION } from "../../../version.ts";
import type { CommandContext, FlagSpec } from "../command.ts";
import { isDown } from "../is-down.ts";

/** `--system`, as every lifecycle command has it. */
export const SYSTEM_FLAG: FlagSpec = {
  name: "system",
  summary: "The system's service in /var/lib/iddio and /etc/iddio (Linux, as root)",
};

/** One installation of iddio on this machine. */
export interface Installation {
  readonly scope: "user" | "system";
  readonly paths: StatePaths;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's own state directory, whatever the scope. */
  readonly own: StatePaths;
}

/** The installation that was typed. Throws a `UserError` when `--system` comes from somebody who is not root. */
export function installationOf({ flags, env }: Pick<CommandContext, "flags" | "env">): Installation {
  const own = statePaths(env);
  if (!flags.has("system")) return { scope: "user", paths: own, env, own };
  if (process.platform !== "linux")
    throw new UserError("'--system' is for Linux; here the daemon runs as the user's own", {
      hint: "leave out --system",
      exitCode: 2,
    });
  if (process.getuid?.() !== 0)
    throw new UserError("'--system' needs root", { hint: "type the same after sudo" });
  return { scope: "system", paths: systemStatePaths(), env, own };
}

/** Asks the daemon for its status; undefined when none answers. */
export async function daemonStatus(paths: StatePaths, timeoutMs = 3000): Promise<StatusReport | undefined> {
  try {
    return await new ControlClient(paths.socket, { timeoutMs }).call("status", {});
  } catch (error) {
    if (isDown(error)) return undefined;
    throw error;
  }
}

const POLL_MS = 50;

/** Asks until the daemon's answer is good or the time has run out; then undefined. */
export async function waitForDaemon(
  paths: StatePaths,
  timeoutMs: number,
  isGood: (status: StatusReport | undefined) => boolean,
): Promise<StatusReport | "down" | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    // One that is just going down may answer half an answer: that is no answer yet.
    const status = await daemonStatus(paths, 1000).catch(() => undefined);
    if (isGood(status)) return status ?? "down";
    if (performance.now() >= deadline) return undefined;
    await Bun.sleep(POLL_MS);
  }
}

/** The program that is running, as a file. Throws a `UserError` when it runs from source. */
export function programFile(): string {
  if (BUILD_VERSION !== "v0.0.0-dev") return process.execPath;
  throw new UserError("iddio runs from source here: there is no binary to install", {
    hint: "build one and use that: npm run build && dist/iddio install",
  });
}
