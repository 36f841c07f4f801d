// `iddio install`: the daemon's binary, the state it starts with, its service, and trust in its CA.
// Every step looks first and does only the missing part, so that repeating it is harmless and
// completes a first try.

import { UserError } from "../../model/user-error.ts";
import type { Command, CommandContext } from "../kit/command.ts";
import {
  daemonStatus,
  type Installation,
  installationOf,
  SYSTEM_FLAG,
} from "../kit/installation/installation.ts";

/** Installs, or brings an installation up to date. */
export const installCommand: Command = {
  name: "install",
  summary: "Install the daemon as a service of this system and start it",
  flags: [
    SYSTEM_FLAG,
    { name: "no-service", summary: "Install the binary and the state directory, but no service" },
    { name: "no-trust-ca", summary: "Leave the macOS keychain alone" },
    { name: "trust-ca", summary: "Trust the CA system-wide on Linux too (asks for root)" },
    {
      name: "daemon-path",
      value: "file",
      completes: "file",
      summary: "Copy this binary instead of this program",
    },
    {
      name: "wait",
      value: "duration",
      kind: "duration",
      summary: "How long to wait for the daemon (default 10s, on macOS 30s)",
    },
    { name: "print-unit", summary: "Print the service unit and change nothing" },
  ],
  details: ["May be run again at any time: parts that are right already stay as they are."],
  examples: ["iddio install", "sudo iddio install --system", "iddio install --no-service --no-trust-ca"],
  async run(context) {
    const { flags, output } = context;
    const { openService } = await import("../../host/service/service.ts");
    if (flags.has("print-unit")) {
      const { systemStatePaths } = await import("../../state/paths.ts");
      // Reading is free: also for `--system` nobody has to be root.
      const isSystem = flags.has("system");
      const paths = isSystem ? systemStatePaths() : context.paths;
      output.write(openService({ scope: isSystem ? "system" : "user", paths, env: context.env }).unit);
      return 0;
    }
    const installation = installationOf(context);
    const { refuseMixedModes, writeInstallMode } = await import("../../host/service/install-mode.ts");
    await refuseMixedModes(installation.scope, installation.own);
    refuseForeignHome(installation);
    const service = flags.has("no-service") ? undefined : openService(installation);
    // Before anything is written: an installation that cannot be finished is not begun.
    await service?.ensureUsable();
    await refuseStrayDaemon(installation, service);

    const isBinaryNew = await place(context, installation);
    await seed(context, installation);
    await writeInstallMode(installation.paths, installation.scope, { hasService: service !== undefined });
    if (service !== undefined) await serve(context, installation, service, isBinaryNew);
    await trust(context, installation);
    sayWhatNext(context, installation, service !== undefined);
    return 0;
  },
};

/** Files that root makes in another user's directory lock that user out. */
function refuseForeignHome({ scope, env }: Installation): void {
  if (scope === "system" || process.getuid?.() !== 0 || !env.SUDO_USER || env.SUDO_USER === "root") return;
  throw new UserError("sudo would install for root, not for you", {
    hint: "iddio install without sudo, or for the whole system: sudo iddio install --system",
    exitCode: 2,
  });
}

type OpenService = ReturnType<typeof import("../../host/service/service.ts").openService>;

/** A daemon that somebody started by hand holds the directory: the service could never start. */
async function refuseStrayDaemon({ paths }: Installation, service: OpenService | undefined): Promise<void> {
  if (service === undefined) return;
  const status = await daemonStatus(paths);
  if (status === undefined) return;
  const state = await service.state();
  if (state.kind === "running" && (state.pid === undefined || state.pid === status.pid)) return;
  throw new UserError(`a daemon (pid ${status.pid}) runs already, and not as this service`, {
    hint: `stop it first: kill ${status.pid}`,
  });
}

/** Whether the binary is another one than before. */
async function place({ flags, output, env }: CommandContext, { paths }: Installation): Promise<boolean> {
  const { placeDaemon } = await import("../kit/installation/bring-up.ts");
  const { version, isNew } = await placeDaemon(paths, env, flags.text("daemon-path"));
  report(output, "binary", `${paths.daemonBinary} (${version}${isNew ? "" : ", there already"})`);
  return isNew;
}

async function seed({ output, env }: CommandContext, { paths }: Installation): Promise<void> {
  if ((await daemonStatus(paths)) !== undefined) {
    report(output, "policy", `${paths.policy} (in use)`);
    report(output, "ca", `${paths.caCertificate} (in use)`);
    return;
  }
  const { seedState } = await import("../kit/installation/seed.ts");
  const seeded = await seedState(paths, env);
  report(
    output,
    "policy",
    `${paths.policy} (${seeded.policy === "written" ? "the default policy" : "yours, kept"})`,
  );
  report(output, "ca", `${paths.caCertificate} (${seeded.authority === "made" ? "new" : "kept"})`);
  report(output, "bundle", paths.bundle);
}

async function serve(
  { flags, output }: CommandContext,
  { paths }: Installation,
  service: OpenService,
  isBinaryNew: boolean,
): Promise<void> {
  const { bringUp } = await import("../kit/installation/bring-up.ts");
  const { FIRST_START_MS } = await import("../../host/service/first-start.ts");
  const waitMs = flags.durationMs("wait") ?? FIRST_START_MS;
  const { isUnitNew, status } = await bringUp(paths, service, { isBinaryNew, waitMs });
  report(output, "service", `${service.unitPath}${isUnitNew ? "" : " (there already)"}`);
  const { isInUserDomain } = await import("../../host/service/launchctl-answer.ts");
  if (isInUserDomain(service.unit))
    output.note("nobody is at the screen: it starts when you log in, by ssh too, and not when the Mac boots");
  report(
    output,
    "daemon",
    `up, pid ${status.pid}, ${status.build_version}, listens on ${status.proxy_listen}`,
  );
}

async function trust({ flags, output, env }: CommandContext, { paths, scope }: Installation): Promise<void> {
  const { toolPlatform } = await import("../../host/process/system-tool.ts");
  const isWanted =
    toolPlatform(env) === "darwin"
      ? !flags.has("no-trust-ca")
      : flags.has("trust-ca") && !flags.has("no-trust-ca");
  if (!isWanted) return;
  const { trustAtInstall } = await import("../kit/installation/trust-ca.ts");
  const say = (line: string) => output.note(line);
  for (const line of await trustAtInstall(paths, env, { isAskedFor: flags.has("trust-ca"), say }))
    report(output, "trust", line);
  if (scope === "system") output.note("browsers of other users keep their own trust");
}

function report(output: CommandContext["output"], step: string, text: string): void {
  output.pairs([[step.padEnd(7), text]]);
}

function sayWhatNext({ output }: CommandContext, { scope }: Installation, hasService: boolean): void {
  const isSystem = scope === "system";
  output.note("");
  if (!hasService) output.note(`start it:             ${isSystem ? "sudo " : ""}iddio gateway`);
  output.note('route this shell:     eval "$(iddio shell-init)"');
  output.note("see what is allowed:  iddio policy show");
  output.note(`look it over:         ${isSystem ? "sudo iddio doctor --system" : "iddio doctor"}`);
}
