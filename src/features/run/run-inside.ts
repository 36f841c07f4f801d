// A run whose bridge has been started: asks the daemon for a run and its layout, tells the bridge,
// and stays as the agent's end in the person's terminal. A run that cannot be closed off is not
// started. The agent waits for this, so it loads little before the bridge has its orders.

import { RUN_METHODS } from "../../api/methods/runs.ts";
import type { RunLayout, RunPlace, RunStart } from "../../api/run-report.ts";
import { shellExitCode } from "../../host/process/exit-code.ts";
import { bubblewrapVersion, isRestrictedByAppArmor } from "../../host/sandbox/bubblewrap.ts";
import { UserError } from "../../model/user-error.ts";
import { HostEnd } from "./bridge/host-end.ts";
import type { BridgeSpec } from "./bridge/spec.ts";
import { guessProfile, startOf } from "./run-name.ts";
import type { RunSignals } from "./run-signals.ts";
import { passedOn } from "./sandbox/passed-on.ts";
import type { RunContext, RunOptions } from "./start-run.ts";
import type { StartedBridge } from "./started-bridge.ts";

/** A file of every layout. */
const LAID_OUT = "resolv.conf";

/** This program's file, where it is one file. */
function ownBinary(): string | undefined {
  return Bun.main.startsWith("/$bunfs/") ? process.execPath : undefined;
}

/** Has a sandbox laid out and the bridge start the agent in it, and gives the agent's exit code. */
export async function runInside(
  context: RunContext,
  options: RunOptions,
  parts: { readonly bridge: StartedBridge; readonly bwrap: string; readonly signals: RunSignals },
): Promise<number> {
  const { bridge, bwrap, signals } = parts;
  const { env, paths, daemon } = context;
  const { profile, command } = await wantedOf(context, options);
  const place = placeOf(context, options, command);
  signals.check();
  const started = await daemon.call(
    "runs_start",
    { ...startOf(options, profile, command), place },
    RUN_METHODS.runs_start,
  );
  let stopped: Promise<unknown> | undefined;
  const stop = () => {
    stopped ??= daemon
      .call("runs_stop", { run: started.run.id }, RUN_METHODS.runs_stop)
      .catch(() => undefined);
    return stopped;
  };
  const scratch = `${paths.runs}/${started.run.id}`;
  try {
    const layout = started.layout ?? (await layOutHere(context, options, { profile, place, started }));
    // One that is too old does not know how to forbid namespaces, and says so; where that is not wanted, it is asked.
    if (layout.nested_namespaces) await bubblewrapVersion(bwrap);
    const { args, filter, wrappers, bound, secrets } = layout;
    // The file system has a clock of its own: by it, nothing that the agent changes is older than this file.
    const sinceMs = process.getBuiltinModule("node:fs").lstatSync(`${scratch}/${LAID_OUT}`).ctimeMs;
    const spec: Omit<BridgeSpec, "stdio" | "hasTerminal"> = {
      name: started.run.name,
      socket: started.socket,
      token: started.token,
      hostSocket: `${scratch}/host.sock`,
      ...portsOf(started, options),
      bwrap,
      args,
      filter,
      wrappers,
      command: layout.command,
      env: passedOn(env, layout),
      bound,
      mounts: layout.mounts ?? [],
      secrets,
    };
    signals.check();
    using host = await HostEnd.listen(spec.hostSocket, options.publish);
    const ends = { bridge, signals, host };
    await beginAgent(ends, spec);
    // Not before: the agent would wait for it to be loaded.
    const { Quarantine, movedText } = await import("./control-files/quarantine.ts");
    const quarantine = Quarantine.begin({
      folders: layout.writable,
      into: `${paths.quarantine}/${started.run.id}`,
      allowed: layout.allowed,
      readOnly: layout.read_only,
      sinceMs,
      known: new Map(layout.control_files.map(({ path, ...file }) => [path, file])),
    });
    const code = await endOfAgent(ends, bwrap, context.note);
    // The agent has ended: nothing of it asks the daemon any more.
    const [moved] = await Promise.all([quarantine.end(), stop()]);
    const text = movedText(moved);
    if (text !== undefined) context.note(text);
    await options.onEnd?.({ folder: `${scratch}/var-tmp`, secrets });
    return code;
  } finally {
    await stop();
    const { rm } = process.getBuiltinModule("node:fs").promises;
    await rm(scratch, { recursive: true, force: true }).catch(async () =>
      (await import("../../host/process/remove-folder.ts")).removeFolder(scratch),
    );
  }
}

/** The command line, with the profile's own command where none is typed. */
async function wantedOf(
  context: RunContext,
  options: RunOptions,
): Promise<{ readonly profile: string; readonly command: readonly string[] }> {
  const profile = options.profile ?? guessProfile(options.command);
  if (options.command.length > 0) return { profile, command: options.command };
  const { commandOf, profileFor } = await import("./run-command.ts");
  return { profile, command: commandOf(await profileFor(context, options), context, options) };
}

function placeOf({ env, paths }: RunContext, options: RunOptions, command: readonly string[]): RunPlace {
  const program = ownBinary();
  const { resolve } = process.getBuiltinModule("node:path");
  return {
    state: paths.root,
    config: paths.config,
    folder: workingFolder(),
    home: env.HOME || process.getBuiltinModule("node:os").homedir(),
    path: env.PATH ?? "",
    command,
    ...(program === undefined ? {} : { program }),
    read_only: options.readOnly.map((path) => resolve(path)),
    writable: options.writable.map((path) => resolve(path)),
    pass: options.env,
  };
}

/** The runtime says by itself, before any of this, that the folder was gone at the start. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new UserError("the working directory is gone", { hint: "change to a folder that exists", cause });
  }
}

/** The layout of a run whose daemon does not see this user's files as we do. */
async function layOutHere(
  { paths, daemon }: RunContext,
  { keepHome }: RunOptions,
  {
    profile,
    place,
    started,
  }: { readonly profile: string; readonly place: RunPlace; readonly started: RunStart },
): Promise<RunLayout> {
  const { layOut } = await import("./lay-out.ts");
  const { loadProfile } = await import("./profile.ts");
  const { placeholdersOf } = await import("./run-placeholders.ts");
  return layOut({
    profile: await loadProfile(profile, paths.profiles),
    place,
    keepHome,
    paths,
    uid: process.getuid?.() ?? 0,
    run: started.run,
    token: started.token,
    placeholders: placeholdersOf(daemon, started.run.id),
  });
}

/** The proxy is on this port in every run, wherever the daemon listens. */
const RUN_PROXY_PORT = 9443;

function portsOf(started: RunStart, { localPorts }: RunOptions) {
  const proxyPorts = [...new Set([RUN_PROXY_PORT, started.proxy_port])];
  const ports = [...new Set([80, 443, ...started.ports])].filter((port) => !proxyPorts.includes(port));
  return { ports, proxyPorts, localPorts: localPorts.filter((port) => !proxyPorts.includes(port)) };
}

interface Ends {
  readonly bridge: StartedBridge;
  readonly signals: RunSignals;
  readonly host: HostEnd;
}

/** Tells the bridge to start the agent; resolves when it has been told. */
async function beginAgent(
  { bridge, signals, host }: Ends,
  spec: Omit<BridgeSpec, "stdio" | "hasTerminal">,
): Promise<void> {
  signals.passTo(
    (signal) => {
      if (host.wasReady) host.send(`signal ${signal}`);
      return host.wasReady;
    },
    () => bridge.kill(),
  );
  host.onStopped = () => bridge.terminal?.suspend();
  await bridge.instruct(spec, host, signals);
}

/** Waits for the agent's end and gives its exit code. */
async function endOfAgent(
  { bridge: { child, terminal }, signals, host }: Ends,
  bwrap: string,
  note: RunContext["note"],
): Promise<number> {
  // A terminal has shown everything when the bridge has ended; without one, nobody waits for that.
  const code = terminal === undefined ? host.exited : child.exited.then(() => undefined);
  const told = await Promise.race([code, child.exited.then(() => undefined)]);
  // The rest of the way may be broken off.
  signals[Symbol.dispose]();
  await terminal?.drained();
  signals.check();
  // Throws, with the way to a newer one, when that is why.
  if (!host.wasReady) await bubblewrapVersion(bwrap);
  if (!host.wasReady && isRestrictedByAppArmor())
    note(
      "hint: AppArmor keeps programs from making user namespaces here; allow it once with: iddio run --setup",
    );
  return told ?? shellExitCode(child);
}
