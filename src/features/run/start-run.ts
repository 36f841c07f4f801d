// Starts an agent: asks the daemon for a run, lays out what the agent sees, starts the bridge in namespaces of its
// own, and stays as the agent's end in the person's terminal. What cannot be closed is not started.

import { existsSync } from "node:fs";
import { mkdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { isatty } from "node:tty";
import { ADDRESS_IN_RUN, type ControlClient } from "../../api/client.ts";
import type { RunStart } from "../../api/daemon-reports.ts";
import { overlayToken } from "../../host/kubeconfig/overlay.ts";
import { ownProgram } from "../../host/process/own-program.ts";
import { type Bubblewrap, findBubblewrap, isRestrictedByAppArmor } from "../../host/sandbox/bubblewrap.ts";
import { javaTrustStore } from "../../host/sandbox/java-trust-store.ts";
import { closeDescriptor, memoryFile } from "../../host/sandbox/libc.ts";
import { bridgeTokenHash, overlayTokenOfRun } from "../../host/sandbox/run-token.ts";
import { seccompFilter } from "../../host/sandbox/seccomp-filter.ts";
import { architectureOf } from "../../host/sandbox/system-calls.ts";
import { UserError } from "../../model/user-error.ts";
import type { StatePaths } from "../../state/paths.ts";
import { AgentTerminal } from "./agent-terminal.ts";
import { HostEnd } from "./bridge/host-end.ts";
import type { BridgeSpec } from "./bridge/spec.ts";
import { isControlPath } from "./control-files/control-files.ts";
import { movedText, Quarantine } from "./control-files/quarantine.ts";
import { loadProfile, type Profile } from "./profile.ts";
import { hookFileName, RUN_PROGRAM, type RunHook, runHook } from "./run-hook.ts";
import { runUnconfined } from "./run-unconfined.ts";
import { sandboxEnvironment } from "./sandbox-environment.ts";
import { SYSTEM_FILES, sandboxView, type View } from "./sandbox-view.ts";
import { checkStandardStreams } from "./standard-streams.ts";

/** What the command line said. */
export interface RunOptions {
  readonly command: readonly string[];
  readonly profile: string | undefined;
  readonly name: string | undefined;
  readonly readOnly: readonly string[];
  readonly writable: readonly string[];
  readonly env: readonly string[];
  readonly publish: readonly number[];
  readonly localPorts: readonly number[];
  readonly keepHome: boolean;
  /** A person shows presence, so that lists of the policy that let more through count for its name. */
  readonly withPresence: boolean;
  readonly bestEffort: boolean;
  /** Called at the end, while the run's folder is still there. */
  readonly onEnd?: (scratch: string, view: View) => Promise<void>;
}

/** What a command runs with. */
export interface RunContext {
  readonly paths: StatePaths;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly daemon: ControlClient;
  readonly note: (text: string) => void;
}

/** This program's file, where it is one file. */
function ownBinary(): string | undefined {
  return Bun.main.startsWith("/$bunfs/") ? process.execPath : undefined;
}

/** Runs an agent to its end and gives its exit code. */
export async function startRun(context: RunContext, options: RunOptions): Promise<number> {
  const { env, paths, daemon } = context;
  const uid = process.getuid?.() ?? 0;
  let bwrap: Bubblewrap;
  try {
    bwrap = findHelper(uid);
  } catch (error) {
    if (!options.bestEffort || !(error instanceof UserError)) throw error;
    const profile = await loadProfile(options.profile ?? guessProfile(options.command), paths.profiles);
    const command = options.command.length > 0 ? options.command : commandOf(profile, env);
    return runUnconfined(context, command, error.message);
  }
  const profile = await loadProfile(options.profile ?? guessProfile(options.command), paths.profiles);
  const command = options.command.length > 0 ? options.command : commandOf(profile, env);
  const architecture = architectureOf(process.arch);
  if (architecture === undefined)
    throw new UserError(`there is no filter of system calls for '${process.arch}'`, {
      hint: "iddio run works on x86_64 and aarch64",
    });
  checkStandardStreams();
  const started = await daemon.call("runs_start", {
    name: options.name ?? (await freeName(daemon, basename(command[0] ?? profile.name))),
    profile: profile.name,
    command: command.join(" "),
    local_ports: options.localPorts,
    ...(options.keepHome ? { keep_home: true } : {}),
    ...(options.withPresence ? { with_presence: true } : {}),
  });
  const scratch = join(paths.runs, started.run.id);
  try {
    await mkdir(scratch, { recursive: true, mode: 0o700 });
    await writeSystemFiles(scratch, paths.bundle);
    const home = env.HOME || homedir();
    const lent = await placeholdersOf(daemon, started.run.id);
    await writeOverlay(scratch, paths.kubeconfig, started.token, lent);
    const realHome = await realpath(home);
    const hook = profile.hook === undefined ? undefined : runHook(profile.hook, realHome, command);
    await writeRunFolder(scratch, hook);
    const environment = sandboxEnvironment({
      profile,
      env,
      home: realHome,
      uid,
      names: options.env,
      bundle: paths.bundle,
      kubeconfig: paths.kubeconfig,
      run: started.run.name,
      placeholders: lent,
    });
    const view = await sandboxView({
      profile,
      paths,
      home,
      cwd: process.cwd(),
      uid,
      readOnly: options.readOnly,
      writable: options.writable,
      keepHome: options.keepHome,
      scratch,
      hook,
      ownProgram: ownBinary(),
      program: Bun.which(command[0] ?? "", { PATH: env.PATH ?? "" }) ?? undefined,
    });
    const spec: Omit<BridgeSpec, "stdio" | "hasTerminal"> = {
      name: started.run.name,
      socket: started.socket,
      token: started.token,
      hostSocket: join(scratch, "host.sock"),
      ...portsOf(started, options),
      bwrap: bwrap.path,
      args: [...namespaceArgs(profile), ...view.args],
      filter: Buffer.from(
        seccompFilter(architecture, { allowsNamespaces: profile.nested_namespaces }),
      ).toString("base64"),
      command: hook?.command ?? command,
      env: environment,
      secrets: view.secrets,
    };
    const quarantine = await Quarantine.begin({
      folders: [view.project, ...view.writable],
      into: join(paths.quarantine, started.run.id),
      allowed: view.writable.filter(isControlPath),
      readOnly: view.protectedFiles,
    });
    const code = await carryOut(bwrap.path, spec, options, context);
    const moved = movedText(await quarantine.end());
    if (moved !== undefined) context.note(moved);
    await options.onEnd?.(scratch, view);
    return code;
  } finally {
    await daemon.call("runs_stop", { run: started.run.id }).catch(() => undefined);
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The proxy is on this port in every run, wherever the daemon listens. */
const RUN_PROXY_PORT = 9443;

/** What confines; throws UserError where nothing can. */
function findHelper(uid: number): Bubblewrap {
  if (process.platform !== "linux")
    throw new UserError("'iddio run' works on Linux only so far", { hint: "see docs/run.md" });
  if (uid === 0)
    throw new UserError("'iddio run' does not confine root", {
      hint: "run it as an ordinary user; root's own files would be open to the agent",
    });
  return findBubblewrap();
}

function portsOf(started: RunStart, { localPorts }: RunOptions) {
  const proxyPorts = [...new Set([RUN_PROXY_PORT, started.proxy_port])];
  const ports = [...new Set([80, 443, ...started.ports])].filter((port) => !proxyPorts.includes(port));
  return { ports, proxyPorts, localPorts: localPorts.filter((port) => !proxyPorts.includes(port)) };
}

function namespaceArgs(profile: Profile): readonly string[] {
  return [
    "--unshare-user",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    ...(profile.nested_namespaces ? [] : ["--disable-userns"]),
    "--die-with-parent",
    "--cap-drop",
    "ALL",
  ];
}

/** The outer sandbox: only a network of its own, in which our program may set a route and listen on low ports. */
function outerArgs(bwrap: string): readonly string[] {
  return [
    bwrap,
    "--unshare-user",
    "--unshare-net",
    "--dev-bind",
    "/",
    "/",
    "--cap-add",
    "CAP_NET_ADMIN",
    "--cap-add",
    "CAP_NET_BIND_SERVICE",
    "--die-with-parent",
    "--",
    ...ownProgram(),
    "run-bridge",
  ];
}

async function carryOut(
  bwrap: string,
  spec: Omit<BridgeSpec, "stdio" | "hasTerminal">,
  options: RunOptions,
  { note }: RunContext,
): Promise<number> {
  using host = await HostEnd.listen(spec.hostSocket, options.publish);
  const isTerminal = [0, 1, 2].map((fd) => isatty(fd));
  const hasTerminal = isTerminal.includes(true);
  // What of stdin, stdout and stderr is no terminal goes past the one that the agent gets.
  const extra = hasTerminal ? [0, 1, 2].filter((fd) => !isTerminal[fd]) : [];
  const stdio = [0, 1, 2].map((fd) => (extra.includes(fd) ? 4 + extra.indexOf(fd) : fd));
  const whole: BridgeSpec = { ...spec, stdio: stdio as [number, number, number], hasTerminal };
  const file = memoryFile("spec", new TextEncoder().encode(JSON.stringify(whole)));
  using terminal = hasTerminal ? new AgentTerminal(host) : undefined;
  const environment = { PATH: "/usr/bin:/bin", HOME: "/", LANG: "C.UTF-8" };
  const child = Bun.spawn([...outerArgs(bwrap)], {
    stdio: terminal === undefined ? [0, 1, 2, file] : [null, null, null, file, ...extra],
    env: environment,
    ...(terminal === undefined ? { detached: true } : { terminal: terminal.options }),
  } as never) as Bun.Subprocess;
  terminal?.attach(child.terminal);
  closeDescriptor(file);
  const stopForwarding = forwardSignals(host, child);
  host.onStopped = () => terminal?.suspend();
  const code = await child.exited;
  stopForwarding();
  await terminal?.drained();
  if (!host.wasReady && isRestrictedByAppArmor())
    note(
      "hint: AppArmor keeps programs from making user namespaces here; allow it once with: iddio run --setup",
    );
  return child.signalCode === null ? code : 128 + 9;
}

function forwardSignals(host: HostEnd, child: Bun.Subprocess): () => void {
  const numbers: Readonly<Record<string, number>> = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1, SIGQUIT: 3 };
  const listeners = Object.entries(numbers).map(([name, number]) => {
    const listener = () => {
      if (host.wasReady) host.send(`signal ${number}`);
      else child.kill("SIGKILL");
    };
    process.on(name, listener);
    return [name, listener] as const;
  });
  return () => {
    for (const [name, listener] of listeners) process.off(name, listener);
  };
}

function guessProfile(command: readonly string[]): string {
  const name = basename(command[0] ?? "shell");
  const known: Readonly<Record<string, string>> = {
    claude: "claude",
    codex: "codex",
    copilot: "copilot",
    "cursor-agent": "cursor",
    gemini: "gemini",
    opencode: "opencode",
  };
  return known[name] ?? "shell";
}

function commandOf(profile: Profile, env: RunContext["env"]): readonly string[] {
  return profile.command.length > 0 ? profile.command : [env.SHELL || "/bin/sh"];
}

async function freeName(daemon: ControlClient, wanted: string): Promise<string> {
  const name =
    wanted
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, "-")
      .replace(/^[^a-z0-9]+/, "")
      .slice(0, 32) || "run";
  const { runs } = await daemon.call("runs_list", {});
  const taken = new Set(runs.map((run) => run.name));
  for (let number = 1; ; number += 1) {
    const each = number === 1 ? name : `${name}-${number}`;
    if (!taken.has(each)) return each;
  }
}

/** What the run has in place of a credential, and what the person has, who is outside. */
interface RunPlaceholder {
  readonly variables: readonly (readonly [string, string])[];
  readonly own: string;
  readonly outside: string;
}

async function placeholdersOf(
  daemon: RunContext["daemon"],
  runId: string,
): Promise<readonly RunPlaceholder[]> {
  const { placeholders: own } = await daemon.call("credentials_placeholders", { run_id: runId });
  if (own.length === 0) return [];
  const { placeholders: outside } = await daemon.call("credentials_placeholders", {});
  return own.map(({ name, placeholder, variables }) => ({
    variables: variables.map((variable) => [variable, placeholder] as const),
    own: placeholder,
    outside: outside.find((each) => each.name === name)?.placeholder ?? "",
  }));
}

/** The overlay kubeconfig with this run's token and placeholders in place of the person's. */
async function writeOverlay(
  scratch: string,
  path: string,
  token: string,
  lent: readonly RunPlaceholder[],
): Promise<void> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return;
  const own = overlayTokenOfRun(bridgeTokenHash(token));
  const old = overlayToken(text);
  let overlay = old === undefined ? text : text.replaceAll(`:${old}@`, `:${own}@`);
  for (const each of lent) if (each.outside !== "") overlay = overlay.replaceAll(each.outside, each.own);
  await writeFile(join(scratch, "kubeconfig"), overlay, { mode: 0o600 });
}

/** What iddio itself shows in the sandbox. */
async function writeRunFolder(scratch: string, hook: RunHook | undefined): Promise<void> {
  const folder = join(scratch, "run");
  await mkdir(folder, { mode: 0o755 });
  // A mount needs something to be put on.
  await writeFile(join(folder, basename(RUN_PROGRAM)), "", { mode: 0o755 });
  await writeFile(join(folder, basename(ADDRESS_IN_RUN)), `http://127.0.0.1:${RUN_PROXY_PORT}\n`);
  for (const [index, { text, at }] of (hook?.files ?? []).entries())
    await writeFile("name" in at ? join(folder, at.name) : join(scratch, hookFileName(index)), text);
}

/** The files by which programs inside look up names and trust. */
async function writeSystemFiles(scratch: string, bundle: string): Promise<void> {
  const write = (name: string, data: string | Uint8Array) =>
    writeFile(join(scratch, name), data, { mode: 0o644 });
  const nsswitch = await readFile("/etc/nsswitch.conf", "utf8").catch(() => "passwd: files\ngroup: files\n");
  const host = await readFile("/etc/hostname", "utf8").catch(() => "");
  await write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n");
  await write("nsswitch.conf", `${nsswitch.replace(/^hosts:.*$/m, "").trimEnd()}\nhosts: files dns\n`);
  await write("hosts", `127.0.0.1 localhost ${host.trim()}\n::1 localhost ip6-localhost\n`);
  if (SYSTEM_FILES.some(([name, path]) => name === "cacerts" && existsSync(path)))
    await write("cacerts", javaTrustStore(await readFile(bundle, "utf8")));
}
