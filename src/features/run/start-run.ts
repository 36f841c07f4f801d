// `iddio run` from its command line to the agent's end. What takes longest is begun first: the
// process that carries the agent's connections starts while the rest is worked out (run-inside.ts),
// which is loaded only then.

import type { ControlClient } from "../../api/client.ts";
import { ownProgram } from "../../host/process/own-program.ts";
import { bubblewrapVersion, findBubblewrap } from "../../host/sandbox/bubblewrap.ts";
import { UserError } from "../../model/user-error.ts";
import type { StatePaths } from "../../state/paths.ts";
import { EndedBySignal, RunSignals } from "./run-signals.ts";
import { StartedBridge } from "./started-bridge.ts";

/** The options of the command line. */
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
  readonly onEnd?: (seen: SeenRun) => Promise<void>;
}

/** The leftovers of a run at its end. */
export interface SeenRun {
  /** The folder outside of what is `$TMPDIR` (macOS) or /var/tmp (Linux) inside. */
  readonly folder: string;
  /** Paths that were proved not to be readable. */
  readonly secrets: readonly string[];
}

/** The surroundings of the command. */
export interface RunContext {
  readonly paths: StatePaths;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly daemon: ControlClient;
  readonly note: (text: string) => void;
}

/** Runs an agent to its end and gives its exit code. */
export async function startRun(context: RunContext, options: RunOptions): Promise<number> {
  let helper: string;
  try {
    helper = await findHelper(process.getuid?.() ?? 0);
    // A bubblewrap that is too old is no sandbox either; without `--best-effort` it says so itself.
    if (options.bestEffort && process.platform === "linux") await bubblewrapVersion(helper);
  } catch (error) {
    if (!options.bestEffort || !(error instanceof UserError)) throw error;
    return startUnconfined(context, options, error.message);
  }
  if (process.platform === "darwin")
    return (await import("./mac/run-on-mac.ts")).runOnMac(context, options, {
      ...(await import("./mac/sandbox-exec.ts")).MAC_PROGRAMS,
      sandboxExec: helper,
    });
  using signals = new RunSignals();
  using bridge = new StartedBridge(outerArgs(helper));
  // It waits for its orders; an agent gets these streams only with them.
  (await import("./standard-streams.ts")).checkStandardStreams();
  const { runInside } = await import("./run-inside.ts");
  try {
    return await runInside(context, options, { bridge, bwrap: helper, signals });
  } catch (error) {
    if (error instanceof EndedBySignal) return error.exitCode;
    throw error;
  }
}

async function startUnconfined(context: RunContext, options: RunOptions, why: string): Promise<number> {
  const { commandOf, profileFor } = await import("./run-command.ts");
  const { runUnconfined } = await import("./run-unconfined.ts");
  const profile = await profileFor(context, options);
  return runUnconfined(context, commandOf(profile, context, options), why);
}

/** Finds the program that confines; throws UserError where there is none. */
async function findHelper(uid: number): Promise<string> {
  if (process.platform !== "linux" && process.platform !== "darwin")
    throw new UserError("'iddio run' works on Linux and macOS", { hint: "see docs/run.md" });
  if (uid === 0)
    throw new UserError("'iddio run' does not confine root", {
      hint: "run it as an ordinary user; root's own files would be open to the agent",
    });
  if (process.platform === "linux") return findBubblewrap();
  const { findSandboxExec, MAC_PROGRAMS } = await import("./mac/sandbox-exec.ts");
  return findSandboxExec(MAC_PROGRAMS);
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
