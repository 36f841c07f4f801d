// A run on macOS, where there are no mounts and no network of its own: sandbox-exec refuses
// everything that is not listed, HOME is a folder of the profile's own, and this process is the
// bridge. docs/run.md names its limits.

import { existsSync } from "node:fs";
import { copyFile, lstat, mkdir, realpath, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { RUN_METHODS } from "../../../api/methods/runs.ts";
import { shellExitCode } from "../../../host/process/exit-code.ts";
import { removeFolder } from "../../../host/process/remove-folder.ts";
import { terminalName } from "../../../host/process/terminal-name.ts";
import { UserError } from "../../../model/user-error.ts";
import { PREFLIGHT } from "../bridge/preflight.ts";
import { register } from "../bridge/register.ts";
import { foldersIn, isControlPath } from "../control-files/control-files.ts";
import { gitMounts } from "../control-files/git-control-files.ts";
import type { Profile } from "../profile.ts";
import { commandOf, profileFor } from "../run-command.ts";
import { startOf } from "../run-name.ts";
import { placeholdersOf } from "../run-placeholders.ts";
import { isBelow } from "../sandbox/outside-sockets.ts";
import { sandboxEnvironment } from "../sandbox/sandbox-environment.ts";
import { givenPath, HOME_SECRETS, projectOf } from "../sandbox/shown-places.ts";
import type { RunContext, RunOptions } from "../start-run.ts";
import { macProfile } from "./mac-profile.ts";
import type { MacPrograms } from "./sandbox-exec.ts";
import { openTokenPort } from "./token-port.ts";

const END_MS = 2_000;

/** Runs an agent to its end and gives its exit code. */
export async function runOnMac(
  context: RunContext,
  options: RunOptions,
  programs: MacPrograms,
): Promise<number> {
  const { env, paths, daemon } = context;
  const profile = await profileFor(context, options);
  const command = commandOf(profile, context, options);
  const started = await daemon.call(
    "runs_start",
    // The sandbox of macOS has a home of its own in any case.
    startOf({ ...options, keepHome: false }, profile.name, command),
    RUN_METHODS.runs_start,
  );
  const scratch = join(paths.runs, started.run.id);
  try {
    const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
    using port = openTokenPort(started.socket, secret);
    // Asked now: once it is the run's bridge, this process has no more say than the agent.
    const placeholders = await placeholdersOf(daemon, started.run.id);
    let agent: Bun.Subprocess | undefined;
    const isAdmitted = await register(started, () => void end(agent));
    if (!isAdmitted)
      throw new UserError("the daemon did not admit this run", { hint: "see the end of its log" });
    const home = await realpath(env.HOME || homedir());
    const own = await ownHome(join(paths.runHomes, profile.name, "home"), profile, home);
    const temporary = join(scratch, "tmp");
    await mkdir(temporary, { recursive: true, mode: 0o700 });
    const state = await realpath(paths.root);
    const project = await projectOf(await realpath(process.cwd()), home, state);
    const writable = await Promise.all(
      options.writable.map((path) => givenPath("--rw", path, { home, state, project })),
    );
    const readOnly = await Promise.all(
      options.readOnly.map((path) => givenPath("--ro", path, { home: undefined, state, project })),
    );
    const git = await gitMounts((await Promise.all([project, ...writable].map(foldersIn))).flat(), home);
    const shown = [project, ...writable, ...readOnly];
    const resolved = (path: string) =>
      isBelow(path, paths.root) ? state + path.slice(paths.root.length) : path;
    const secrets = [
      ...[paths.caKey, paths.socket, paths.database, paths.policy, paths.settings, paths.audit].map(resolved),
      ...HOME_SECRETS.map((name) => join(home, name)),
    ].filter((path) => !shown.some((each) => isBelow(path, each)));
    const text = macProfile({
      port: port.port,
      localPorts: [...options.localPorts, ...options.publish],
      terminals: ownTerminals(),
      readable: [
        ...own.readable,
        ...readOnly,
        ...[paths.caCertificate, paths.bundle, paths.sshKnownHosts].filter(existsSync).map(resolved),
        ...programFolders(command[0], env.PATH ?? "", home),
      ],
      writable: [...new Set([project, ...writable, own.path, await realpath(temporary)])],
      projects: [...new Set([project, ...writable, await realpath(temporary)])],
      allowed: writable.filter(isControlPath),
      readOnly: git.readOnly,
      fixed: git.writable,
      secrets,
      isStrict: profile.strict,
      usesKeychain: profile.keychain,
    });
    const file = join(scratch, "profile.sb");
    await writeFile(file, text, { mode: 0o600 });
    const environment = {
      ...sandboxEnvironment({
        profile,
        env,
        home: own.path,
        realHome: home,
        uid: process.getuid?.() ?? 0,
        names: options.env,
        bundle: paths.bundle,
        kubeconfig: paths.kubeconfig,
        run: started.run.name,
        placeholders,
      }),
      ...proxyVariables(port.url),
      TMPDIR: temporary,
      XDG_RUNTIME_DIR: temporary,
    };
    const check = `if [ -x "$0" ] && "$0" -z -w 1 127.0.0.1 ${started.proxy_port} >/dev/null 2>&1; then echo "iddio: the sandbox is not closed: it has the machine's network" >&2; exit 126; fi; `;
    agent = Bun.spawn(
      [
        programs.sandboxExec,
        "-f",
        file,
        "/bin/sh",
        "-c",
        check + PREFLIGHT,
        programs.connect,
        ...secrets.filter(existsSync),
        "--",
        ...command,
      ],
      { stdio: ["inherit", "inherit", "inherit"], env: environment },
    );
    const code = await endOf(agent);
    await options.onEnd?.({ folder: temporary, secrets });
    return code;
  } finally {
    await daemon.call("runs_stop", { run: started.run.id }, RUN_METHODS.runs_stop).catch(() => undefined);
    await removeFolder(scratch);
  }
}

/** Devices of the terminals that the agent inherits. */
function ownTerminals(): readonly string[] {
  const names = [0, 1, 2].map(terminalName).filter((name) => name !== undefined);
  return [...new Set(names)].filter((name) => /^\/dev\/ttys\d+$/.test(name));
}

/** The proxy, for programs that ask variables; others have no network. */
function proxyVariables(url: string): Readonly<Record<string, string>> {
  const names = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
  return {
    ...Object.fromEntries(names.map((name) => [name, url])),
    NODE_USE_ENV_PROXY: "1",
    NO_PROXY: "localhost,127.0.0.1,::1",
    no_proxy: "localhost,127.0.0.1,::1",
  };
}

/** A home of the profile's own: its own files are in it, readable ones are linked. */
async function ownHome(
  path: string,
  profile: Profile,
  home: string,
): Promise<{ readonly path: string; readonly readable: readonly string[] }> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const own = await realpath(path);
  const readable: string[] = [];
  for (const each of profile.read) {
    const real = await realpath(each.startsWith("~/") ? join(home, each.slice(2)) : each).catch(
      () => undefined,
    );
    if (real === undefined) continue;
    if (each.startsWith("~/") && !isBelow(real, home) && !isBelow(real, "/usr") && !isBelow(real, "/opt"))
      continue;
    readable.push(real);
    if (!each.startsWith("~/")) continue;
    const link = join(own, each.slice(2));
    await mkdir(dirname(link), { recursive: true, mode: 0o700 });
    if ((await lstat(link).catch(() => undefined)) === undefined) await symlink(real, link);
  }
  for (const kept of profile.keep) await mkdir(join(own, kept.slice(2)), { recursive: true, mode: 0o700 });
  for (const seed of profile.seed) {
    const target = join(own, seed.slice(2));
    if (existsSync(target)) continue;
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await copyFile(join(home, seed.slice(2)), target).catch(() => undefined);
  }
  return { path: own, readable };
}

/** Where an agent that is installed in the home directory lies, and the target of its link. */
function programFolders(program: string | undefined, path: string, home: string): readonly string[] {
  const found = Bun.which(program ?? "", { PATH: path });
  return found !== null && isBelow(found, home) ? [found] : [];
}

/** Waits for the agent and gives its exit code; signals of the terminal and of our supervisor go to it. */
async function endOf(agent: Bun.Subprocess): Promise<number> {
  // Typed at the agent, which shares our terminal.
  const ignore = () => undefined;
  for (const signal of ["SIGINT", "SIGQUIT"]) process.on(signal, ignore);
  const pass = () => agent.kill("SIGTERM");
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, pass);
  await agent.exited;
  return shellExitCode(agent);
}

async function end(agent: Bun.Subprocess | undefined): Promise<void> {
  agent?.kill("SIGTERM");
  if (agent) await Promise.race([agent.exited, Bun.sleep(END_MS)]);
  agent?.kill("SIGKILL");
}
