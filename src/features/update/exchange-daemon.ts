// Puts a new version in the place of the daemon that runs as a service. The new one is tried on the
// real state, but never beside the old: that one has ended first. Whatever fails on the way,
// program, database and service come back as they were, each of them also when another cannot be
// restored.

import { waitForDaemon } from "../../cli/kit/installation/installation.ts";
import type { Environment } from "../../host/process/environment.ts";
import { FIRST_START_MS } from "../../host/service/first-start.ts";
import type { Service } from "../../host/service/service.ts";
import { keepDatabase, type Swap, swapDaemon } from "../../host/service/swap-daemon.ts";
import { UserError } from "../../model/user-error.ts";
import type { StatePaths } from "../../state/paths.ts";
import { BUILD_VERSION } from "../../version.ts";
import { tryDaemon } from "./try-daemon.ts";

/** The inputs of an exchange. */
export interface Exchange {
  readonly paths: StatePaths;
  readonly env: Environment;
  /** Undefined when the installation has none. */
  readonly service: Service | undefined;
  /** The new program. */
  readonly staged: string;
  readonly version: string;
}

/** Exchanges the daemon. Throws a `UserError` when the old one is back instead. */
export async function exchangeDaemon(exchange: Exchange): Promise<{ readonly isRestarted: boolean }> {
  const { paths, env, service, staged, version } = exchange;
  const isRunning = (await service?.state())?.kind === "running";
  const status = await waitForDaemon(paths, 0, (answer) => answer !== undefined);
  if (status !== undefined && status !== "down" && !isRunning)
    throw new UserError(`the daemon (pid ${status.pid}) runs, but not as a service`, {
      hint: `stop it first: kill ${status.pid}`,
    });
  let database: Swap | undefined;
  let program: Swap | undefined;
  let isStarted = false;
  try {
    if (isRunning) {
      await service?.stop();
      if ((await waitForDaemon(paths, FIRST_START_MS, (answer) => answer === undefined)) === undefined)
        throw new UserError("the daemon that runs does not stop");
    }
    // The trial may change the database: with the old version comes the old one.
    database = await keepDatabase(paths);
    const problem = await tryDaemon(staged, version, paths, env);
    if (problem !== undefined) throw new UserError(problem);
    program = await swapDaemon(paths, staged);
    if (isRunning && service !== undefined) {
      isStarted = true;
      await service.restart();
      const isUp = await waitForDaemon(paths, FIRST_START_MS, (answer) => answer?.build_version === version);
      if (isUp === undefined) throw new UserError("it does not answer as a service");
    }
  } catch (error) {
    const lost = await undo([
      ["the service", isStarted && (() => service?.stop())],
      ["the program", program && (() => program?.restore())],
      ["the database", database && (() => database?.restore())],
      ["the service", isRunning && (() => comeBack(paths, service))],
    ]);
    throw rolledBack(exchange, error instanceof Error ? error.message : String(error), lost);
  }
  await program.settle();
  await database.settle();
  return { isRestarted: isRunning };
}

async function comeBack(paths: StatePaths, service: Service | undefined): Promise<void> {
  await service?.restart();
  if ((await waitForDaemon(paths, FIRST_START_MS, (answer) => answer !== undefined)) === undefined)
    throw new UserError("the daemon was started and does not answer");
}

type Step = readonly [what: string, undo: false | undefined | (() => Promise<void> | undefined)];

/** Takes every step, and says of each that failed what and why. */
async function undo(steps: readonly Step[]): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const [what, step] of steps)
    try {
      if (step) await step();
    } catch (error) {
      failed.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  return failed;
}

function rolledBack({ version, paths }: Exchange, problem: string, lost: readonly string[]): UserError {
  const isBack = lost.length === 0;
  return new UserError(
    isBack
      ? `${version} did not come up, ${BUILD_VERSION} is back: ${problem}`
      : `${version} did not come up (${problem}), and not everything could be restored: ${lost.join("; ")}`,
    { hint: isBack ? `nothing was replaced; see ${paths.log}` : "iddio repair; then see: iddio doctor" },
  );
}
