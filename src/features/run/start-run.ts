// `iddio run` from its command line to the agent's end. What takes longest is begun first: the
// process that carries the agent's connections starts while the rest is worked out (run-inside.ts),
// which is loaded only then.

import type { ControlClient } from "../../api/client.ts";
import { ownProgram } from "../../host/process/own-program.ts";
import { bubblewrapVersion, findBubblewrap } from "../../host/sandbox/bubblewrap.ts";
import { UserError } from "../../model/user-error.ts";
import type { StatePaths } from "../../state/paths.ts";
import type { View } from "./sandbox-view.ts";
import { checkStandardStreams } from "./standard-streams.ts";
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
  readonly onEnd?: (scratch: string, view: View) => Promise<void>;
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
  if (process.platform === "darwin" && process.getuid?.() !== 0)
    return (await import("./mac/run-on-mac.ts")).runOnMac(context, options);
  let bwrap: string;
  try {
    bwrap = findHelper(process.getuid?.() ?? 0);
    // A bubblewrap that is too old is no sandbox either; without `--best-effort` its version is checked while
    // the bridge starts.
    if (options.bestEffort) await bubblewrapVersion(bwrap);
  } catch (error) {
    if (!options.bestEffort || !(error instanceof UserError)) throw error;
    const { commandOf, profileFor } = await import("./run-command.ts");
    const { runUnconfined } = await import("./run-unconfined.ts");
    const profile = await profileFor(context, options);
    return runUnconfined(context, commandOf(profile, context, options), error.message);
  }
  checkStandardStreams();
  using bridge = new StartedBridge(outerArgs(bwrap));
  const { runInside } = await import("./run-inside.ts");
  return await runInside(context, options, { bridge, bwrap });
}

/** Finds the program that confines; throws UserError where there is none. */
function findHelper(uid: number): string {
  if (process.platform !== "linux")
    throw new UserError("'iddio run' works on Linux and macOS", { hint: "see docs/run.md" });
  if (uid === 0)
    throw new UserError("'iddio run' does not confine root", {
      hint: "run it as an ordinary user; root's own files would be open to the agent",
    });
  return findBubblewrap();
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
