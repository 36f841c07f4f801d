// The daemon's part of runs: the control methods about them. A run is given its socket and token
// here; anyone who starts one is the operator, and `runs_stop` only ever takes something away.

import type { ControlHandlers } from "../../api/handlers.ts";
import type { Principal } from "../../api/principal.ts";
import type { RunReport } from "../../api/run-report.ts";
import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import { type Run, runLevel } from "../../gateway/request/runs/runs.ts";
import { startTimeOf } from "../../host/process/process-start.ts";
import { UserError } from "../../model/user-error.ts";
import type { PolicyStore } from "../../state/policy-store.ts";

type Methods = "runs_list" | "runs_start" | "runs_stop";

/** Adds the methods about runs; the runs themselves are the gateway's, because every caller may be one. */
export function startRuns(parts: DaemonParts): DaemonPart {
  const { runs, paths, log } = parts;
  runs.onLeft = async (run) => {
    const { lastLook } = await import("./control-files/left-run.ts");
    for (const { from } of await lastLook(run, paths))
      log.warn("moved away: a file of a killed run, by which programs would be started", {
        path: from,
        run: run.name,
      });
  };
  return { handlers: handlersOf(parts) };
}

function handlersOf({
  runs,
  policy,
  gateway,
  record,
  paths,
  handlers,
}: DaemonParts): Pick<ControlHandlers, Methods> {
  return {
    runs_list: () => ({ runs: runs.list().map(runReport) }),

    runs_start: async (input, caller) => {
      const { profile, command, local_ports, keep_home, with_presence, place } = input;
      const uid = caller.uid ?? process.getuid?.() ?? 0;
      const localPorts = checkPorts(local_ports);
      const here = place === undefined ? undefined : await import("./lay-out-in-daemon.ts");
      const known =
        place !== undefined && here?.seesSameFiles(caller, place, paths) === true
          ? { place, profile: await here.profileOf(profile, paths), layOut: here.layOutFor }
          : undefined;
      const name = input.may_number === true ? runs.freeName(input.name) : input.name;
      const { run, token } = await runs.start({
        name,
        profile,
        command,
        uid,
        localPorts,
        keepsHome: keep_home === true,
        isPresent: with_presence === true && caller.presence !== undefined,
        ...starterOf(caller),
      });
      record(caller, "run", {
        run: run.name,
        run_id: run.id,
        profile,
        local_ports: localPorts,
        run_level: runLevel(run),
        with_presence: run.isPresent === true,
      });
      const layout = await known
        ?.layOut({ ...known, keepHome: keep_home === true, paths, uid, run, token }, handlers(), caller)
        .catch((error: unknown) => {
          runs.end(run.id, "stopped");
          throw error;
        });
      return {
        run: runReport(run),
        socket: runs.socketOf(run.id),
        token,
        ports: inspectPorts(policy),
        proxy_port: gateway().listen.port,
        ...(layout === undefined ? {} : { layout }),
      };
    },

    runs_stop: ({ run: wanted }, caller) => {
      const run = runs.find(wanted);
      if (run === undefined)
        throw new UserError(`no run '${wanted}'`, { hint: "see what runs: iddio run ls", code: "not-found" });
      runs.end(run.id, "stopped");
      record(caller, "run stop", { run: run.name, run_id: run.id });
      return { run: runReport(run) };
    },
  };
}

function starterOf({ pid }: Principal): Pick<Run, "starter"> {
  const started = pid === undefined ? undefined : startTimeOf(pid);
  return pid === undefined || started === undefined ? {} : { starter: { pid, started } };
}

function checkPorts(ports: readonly number[]): readonly number[] {
  for (const port of ports)
    if (!Number.isInteger(port) || port < 1 || port > 65535)
      throw new UserError(`'${port}' is not a port`, { hint: "a number from 1 to 65535", exitCode: 2 });
  return ports;
}

/** Every port that an inspect entry names. */
function inspectPorts(policy: PolicyStore): readonly number[] {
  const ports = new Set<number>();
  const { blocks, central } = policy.current;
  for (const { inspect } of [...blocks.values(), ...(central?.policy.blocks.values() ?? [])])
    for (const { entry } of inspect) if (entry.port !== undefined) ports.add(entry.port);
  return [...ports].sort((a, b) => a - b);
}

function runReport(run: Run): RunReport {
  return {
    id: run.id,
    name: run.name,
    profile: run.profile,
    command: run.command,
    started_ms: run.startedMs,
    ...(run.bridge === undefined ? {} : { pid: run.bridge.pid }),
    local_ports: run.localPorts,
    level: runLevel(run),
    with_presence: run.isPresent === true,
  };
}
