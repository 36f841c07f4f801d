// A run whose bridge has been started: asks the daemon for a run, lays out the agent's files, tells
// the bridge, and stays as the agent's end in the person's terminal. A run that cannot be closed
// off is not started.

import { existsSync } from "node:fs";
import { mkdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { ADDRESS_IN_RUN } from "../../api/client.ts";
import { RUN_METHODS } from "../../api/methods/runs.ts";
import type { RunStart } from "../../api/run-report.ts";
import { overlayToken } from "../../host/kubeconfig/overlay.ts";
import { shellExitCode } from "../../host/process/exit-code.ts";
import { bubblewrapVersion, isRestrictedByAppArmor } from "../../host/sandbox/bubblewrap.ts";
import { bridgeTokenHash, overlayTokenOfRun } from "../../host/sandbox/run-token.ts";
import { seccompFilter } from "../../host/sandbox/seccomp-filter.ts";
import { architectureOf } from "../../host/sandbox/system-calls.ts";
import { UserError } from "../../model/user-error.ts";
import type { StatePaths } from "../../state/paths.ts";
import { HostEnd } from "./bridge/host-end.ts";
import type { BridgeSpec } from "./bridge/spec.ts";
import { isControlPath } from "./control-files/control-files.ts";
import { movedText, Quarantine } from "./control-files/quarantine.ts";
import type { Profile } from "./profile.ts";
import { commandOf, profileFor, startOf } from "./run-command.ts";
import { hookFileName, RUN_PROGRAM, type RunHook, runHook } from "./run-hook.ts";
import { placeholdersOf, type RunPlaceholder } from "./run-placeholders.ts";
import type { RunSignals } from "./run-signals.ts";
import { keptTrustStore } from "./sandbox/kept-trust-store.ts";
import { sandboxEnvironment } from "./sandbox/sandbox-environment.ts";
import { OVERLAY, SYSTEM_FILES, sandboxView, type View } from "./sandbox/sandbox-view.ts";
import { signalWrappers } from "./signal-wrappers.ts";
import type { RunContext, RunOptions } from "./start-run.ts";
import type { StartedBridge } from "./started-bridge.ts";

/** This program's file, where it is one file. */
function ownBinary(): string | undefined {
  return Bun.main.startsWith("/$bunfs/") ? process.execPath : undefined;
}

/** Lays a sandbox out, has the bridge start the agent in it, and gives the agent's exit code. */
export async function runInside(
  context: RunContext,
  options: RunOptions,
  parts: { readonly bridge: StartedBridge; readonly bwrap: string; readonly signals: RunSignals },
): Promise<number> {
  const { bridge, bwrap, signals } = parts;
  const { env, paths, daemon } = context;
  const profile = await profileFor(context, options);
  // One that is too old does not know how to forbid namespaces, and says so; where that is not wanted, it is asked.
  const version = profile.nested_namespaces ? bubblewrapVersion(bwrap) : undefined;
  version?.catch(() => undefined);
  const command = commandOf(profile, context, options);
  const uid = process.getuid?.() ?? 0;
  const architecture = architectureOf(process.arch);
  if (architecture === undefined)
    throw new UserError(`there is no filter of system calls for '${process.arch}'`, {
      hint: "iddio run works on x86_64 and aarch64",
    });
  signals.check();
  const started = await daemon.call("runs_start", startOf(options, profile, command), RUN_METHODS.runs_start);
  let stopped: Promise<unknown> | undefined;
  const stop = () => {
    stopped ??= daemon
      .call("runs_stop", { run: started.run.id }, RUN_METHODS.runs_stop)
      .catch(() => undefined);
    return stopped;
  };
  const scratch = join(paths.runs, started.run.id);
  try {
    await mkdir(scratch, { recursive: true, mode: 0o700 });
    const home = env.HOME || homedir();
    const realHome = await realpath(home);
    const hook = profile.hook === undefined ? undefined : runHook(profile.hook, realHome, command);
    // All at once: each waits for the disk or the daemon most of its time.
    const lent = placeholdersOf(daemon, started.run.id);
    const hasOverlay = lent.then((each) => writeOverlay(scratch, paths.kubeconfig, started.token, each));
    const view = sandboxView({
      profile,
      paths,
      home,
      cwd: process.cwd(),
      uid,
      readOnly: options.readOnly,
      writable: options.writable,
      keepHome: options.keepHome,
      scratch,
      hasOverlay,
      hook,
      ownProgram: ownBinary(),
      program: Bun.which(command[0] ?? "", { PATH: env.PATH ?? "" }) ?? undefined,
    });
    const work = [
      lent,
      signalWrappers(),
      view,
      view.then((seen) => quarantineOf(seen, join(paths.quarantine, started.run.id))),
      hasOverlay,
      writeSystemFiles(scratch, paths),
      writeRunFolder(scratch, hook),
    ] as const;
    // Whichever fails, the others have ended before the folder is removed.
    await Promise.allSettled(work);
    const [placeholders, wrappers, { args, bound, secrets }, quarantine] = await Promise.all(work);
    const environment = sandboxEnvironment({
      profile,
      env,
      home: realHome,
      uid,
      names: options.env,
      bundle: paths.bundle,
      kubeconfig: paths.kubeconfig,
      run: started.run.name,
      placeholders,
    });
    const spec: Omit<BridgeSpec, "stdio" | "hasTerminal"> = {
      name: started.run.name,
      socket: started.socket,
      token: started.token,
      hostSocket: join(scratch, "host.sock"),
      ...portsOf(started, options),
      bwrap,
      args: [...namespaceArgs(profile), ...args],
      filter: Buffer.from(
        seccompFilter(architecture, { allowsNamespaces: profile.nested_namespaces }),
      ).toString("base64"),
      wrappers,
      command: hook?.command ?? command,
      env: environment,
      bound,
      secrets,
    };
    await version;
    signals.check();
    const code = await carryOut({ bridge, signals }, spec, options, context);
    // The agent has ended: nothing of it asks the daemon any more.
    const [moved] = await Promise.all([quarantine.end(), stop()]);
    const text = movedText(moved);
    if (text !== undefined) context.note(text);
    await options.onEnd?.({ folder: join(scratch, "var-tmp"), secrets });
    return code;
  } finally {
    await stop();
    await rm(scratch, { recursive: true, force: true });
  }
}

function quarantineOf({ project, writable, protectedFiles }: View, into: string): Promise<Quarantine> {
  return Quarantine.begin({
    folders: [project, ...writable],
    into,
    allowed: writable.filter(isControlPath),
    readOnly: protectedFiles,
  });
}

/** The proxy is on this port in every run, wherever the daemon listens. */
const RUN_PROXY_PORT = 9443;

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

async function carryOut(
  { bridge, signals }: { readonly bridge: StartedBridge; readonly signals: RunSignals },
  spec: Omit<BridgeSpec, "stdio" | "hasTerminal">,
  options: RunOptions,
  { note }: RunContext,
): Promise<number> {
  using host = await HostEnd.listen(spec.hostSocket, options.publish);
  const { child, terminal } = bridge;
  signals.passTo(
    (signal) => {
      if (host.wasReady) host.send(`signal ${signal}`);
      return host.wasReady;
    },
    () => child.kill("SIGKILL"),
  );
  host.onStopped = () => terminal?.suspend();
  await bridge.instruct(spec, host, signals);
  await child.exited;
  // The rest of the way may be broken off.
  signals[Symbol.dispose]();
  await terminal?.drained();
  signals.check();
  // Throws, with the way to a newer one, when that is why.
  if (!host.wasReady) await bubblewrapVersion(spec.bwrap);
  if (!host.wasReady && isRestrictedByAppArmor())
    note(
      "hint: AppArmor keeps programs from making user namespaces here; allow it once with: iddio run --setup",
    );
  return shellExitCode(child);
}

/** The overlay kubeconfig with this run's token and placeholders in place of the person's. */
async function writeOverlay(
  scratch: string,
  path: string,
  token: string,
  lent: readonly RunPlaceholder[],
): Promise<boolean> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return false;
  const own = overlayTokenOfRun(bridgeTokenHash(token));
  const old = overlayToken(text);
  let overlay = old === undefined ? text : text.replaceAll(`:${old}@`, `:${own}@`);
  for (const each of lent) if (each.outside !== "") overlay = overlay.replaceAll(each.outside, each.own);
  await writeFile(join(scratch, OVERLAY), overlay, { mode: 0o600 });
  return true;
}

/** Writes the files that iddio itself shows in the sandbox. */
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
async function writeSystemFiles(scratch: string, paths: StatePaths): Promise<void> {
  const write = (name: string, data: string | Uint8Array) =>
    writeFile(join(scratch, name), data, { mode: 0o644 });
  const nsswitch = await readFile("/etc/nsswitch.conf", "utf8").catch(() => "passwd: files\ngroup: files\n");
  const host = await readFile("/etc/hostname", "utf8").catch(() => "");
  await write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n");
  await write("nsswitch.conf", `${nsswitch.replace(/^hosts:.*$/m, "").trimEnd()}\nhosts: files dns\n`);
  await write("hosts", `127.0.0.1 localhost ${host.trim()}\n::1 localhost ip6-localhost\n`);
  if (SYSTEM_FILES.some(([name, path]) => name === "cacerts" && existsSync(path)))
    await write("cacerts", await keptTrustStore(paths.runHomes, paths.bundle));
}
