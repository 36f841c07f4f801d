// The two steps of an installation that `install`, `repair` and `upgrade` share: the daemon's copy
// of the program, and a service that runs it. Both look first; parts that are right already are
// left alone, a running daemon too.

import type { StatusReport } from "../../../api/reports.ts";
import type { Service } from "../../../host/service/service.ts";
import { UserError } from "../../../model/user-error.ts";
import type { StatePaths } from "../../../state/paths.ts";
import { daemonStatus, programFile, waitForDaemon } from "./installation.ts";

/** Places a program (this one unless another is named) as the daemon's. */
export async function placeDaemon(
  paths: StatePaths,
  env: Readonly<Record<string, string | undefined>>,
  source?: string,
): Promise<{ readonly version: string; readonly isNew: boolean }> {
  const { askProgram, placeProgram } = await import("../../../host/service/daemon-binary.ts");
  const { ensureStateDirectory } = await import("../../../state/files.ts");
  const program = await askProgram(source ?? programFile(), env);
  await ensureStateDirectory(paths);
  return { version: program.version, isNew: await placeProgram(program.path, paths.daemonBinary) };
}

/** Registers the service, (re)starts the daemon if anything about it is new, and waits until it answers. */
export async function bringUp(
  paths: StatePaths,
  service: Service,
  { isBinaryNew, waitMs }: { readonly isBinaryNew: boolean; readonly waitMs: number },
): Promise<{ readonly isUnitNew: boolean; readonly status: StatusReport }> {
  // A supervisor may start the daemon as soon as it knows it.
  const before = await daemonStatus(paths).catch(() => undefined);
  const isUnitNew = await service.register();
  const isRestart = before === undefined || isUnitNew || isBinaryNew;
  if (isRestart) await service.restart();
  const status = await waitForDaemon(
    paths,
    waitMs,
    (answer) => answer !== undefined && (!isRestart || answer.pid !== before?.pid),
  );
  if (status !== undefined && status !== "down") return { isUnitNew, status };
  const state = await service.state();
  const detail = state.kind === "stopped" ? `: ${service.supervisor} says ${state.detail}` : "";
  throw new UserError(`the daemon was started but does not answer on '${paths.socket}'${detail}`, {
    hint: `see: iddio doctor; its log is ${service.supervisor === "launchd" ? `${paths.log}, and what it said before that ${paths.daemonErrors}` : paths.log}`,
  });
}
