// `iddio uninstall`: takes away the service, the trust and the binary, then the state, of which the
// audit log stays unless somebody removes it by hand. Removes only files that are iddio's by name:
// the directory may hold others.

import { isTerminal } from "../../host/process/descriptor-io.ts";
import { UserError } from "../../model/user-error.ts";
import type { Command, CommandContext } from "../kit/command.ts";
import {
  daemonStatus,
  type Installation,
  installationOf,
  SYSTEM_FLAG,
  waitForDaemon,
} from "../kit/installation/installation.ts";

const STOP_MS = 20_000;

/** Removes the installation. */
export const uninstallCommand: Command = {
  name: "uninstall",
  summary: "Remove the service, the daemon and its state; the audit log stays",
  flags: [
    SYSTEM_FLAG,
    { name: "keep-data", summary: "Keep the state directory: policy, settings, CA, logs" },
    { name: "yes", summary: "Do not ask" },
  ],
  examples: ["iddio uninstall", "iddio uninstall --keep-data --yes"],
  async run(context) {
    const { flags, output, env } = context;
    const installation = installationOf(context);
    const { paths } = installation;
    if (!flags.has("yes")) await confirm(paths.root, flags.has("keep-data"));

    const { openService } = await import("../../host/service/service.ts");
    const service = openService(installation);
    if (await service.remove()) output.line(`removed ${service.unitPath}`);
    await stopDaemon(installation, output);
    if (installation.scope === "user") {
      const { removeLauncher } = await import("../../host/desktop/launcher.ts");
      for (const path of await removeLauncher({ env })) output.line(`removed ${path}`);
    }
    const { untrustCa } = await import("../kit/installation/trust-ca.ts");
    for (const line of await untrustCa(paths, env, (line) => output.note(line))) output.line(line);
    const { removeInstallation } = await import("../../host/service/remove-installation.ts");
    const { removed, left } = await removeInstallation(paths, { isDataKept: flags.has("keep-data") });
    for (const path of removed) output.line(`removed ${path}`);
    for (const path of left) output.line(`kept    ${path}`);
    output.note("");
    // Also where the data is kept: there is no daemon any more.
    output.note("shells that were routed still send their clients here: open new ones, or type in each");
    output.note('eval "$(iddio shell-init --unset)"');
    output.note("and take the line 'eval \"$(iddio shell-init)\"' out of your shell's start file");
    output.note("the command itself stays; if a package manager put it there, use that to remove it, else:");
    output.note(`rm ${process.execPath}`);
    return 0;
  },
};

async function confirm(root: string, isDataKept: boolean): Promise<void> {
  if (!isTerminal(0))
    throw new UserError("uninstall asks before it removes anything, and nobody is there to answer", {
      hint: "type: iddio uninstall --yes",
      exitCode: 2,
    });
  const what = isDataKept
    ? "the iddio service and binary"
    : `the iddio service and everything but the audit log in ${root}`;
  const answer = prompt(`remove ${what}? [y/N]`);
  if (!/^y(?:es)?$/i.test(answer ?? "")) throw new UserError("nothing was removed");
}

/** A daemon that was started by hand is no service's: it is asked to end like any process. */
async function stopDaemon({ paths }: Installation, output: CommandContext["output"]): Promise<void> {
  const status = await daemonStatus(paths).catch(() => undefined);
  if (status === undefined) return;
  try {
    process.kill(status.pid, "SIGTERM");
  } catch {
    // gone by itself, or not ours: the wait tells
  }
  if ((await waitForDaemon(paths, STOP_MS, (answer) => answer === undefined)) === undefined)
    throw new UserError(`the daemon (pid ${status.pid}) does not stop`, {
      hint: `kill it: kill -9 ${status.pid}`,
    });
  output.line(`stopped the daemon (pid ${status.pid})`);
}
