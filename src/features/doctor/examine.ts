// Gathers the context of the checks of `doctor` and `repair`, and prints their findings. Everything
// that is looked at is asked for once, before the first check.

import type { StatusReport } from "../../api/reports.ts";
import type { CheckContext, Finding, ForwardFacts } from "../../cli/kit/check.ts";
import type { Feature } from "../../cli/kit/feature.ts";
import { daemonStatus, type Installation } from "../../cli/kit/installation/installation.ts";
import type { Output } from "../../cli/kit/output.ts";
import type { Service } from "../../host/service/service.ts";
import { UserError } from "../../model/user-error.ts";
import type { StatePaths } from "../../state/paths.ts";
import { BUILD_VERSION } from "../../version.ts";

/** The findings of an examination, and the examined service. */
export interface Examination {
  readonly findings: readonly Finding[];
  readonly service: Service | undefined;
}

/** Runs every check. */
export async function examine(
  { scope, paths, env }: Installation,
  features: readonly Feature[],
): Promise<Examination> {
  const { runChecks } = await import("./checks.ts");
  const { openService } = await import("../../host/service/service.ts");
  const { trustPlaces } = await import("../../host/trust/trust.ts");
  const { toolPlatform } = await import("../../host/process/system-tool.ts");
  const { systemRoots } = await import("../../host/trust/system-roots.ts");
  const service = ((): Service | undefined => {
    try {
      return openService({ scope, paths, env });
    } catch (error) {
      if (error instanceof UserError) return undefined;
      throw error;
    }
  })();
  let daemonProblem: string | undefined;
  const status = await daemonStatus(paths).catch((error: unknown) => {
    daemonProblem = error instanceof Error ? error.message : String(error);
    return undefined;
  });
  const forward = status && (await forwardFacts(paths));
  const context: CheckContext = {
    paths,
    env,
    version: BUILD_VERSION,
    nowMs: Date.now(),
    service,
    daemon: status && {
      pid: status.pid,
      version: status.build_version,
      proxyListen: status.proxy_listen,
      policy: status.policy,
      ...(status.settings === undefined ? {} : { settings: status.settings }),
      proxyMode: status.proxy_mode,
      ...(status.guard === undefined ? {} : { guard: guardFacts(status) }),
      ...(forward === undefined ? {} : { forward }),
    },
    ...(daemonProblem === undefined ? {} : { daemonProblem }),
    systemRoots: await systemRoots({ env, kept: paths.bundle }),
    trustPlaces: await trustPlaces({ env }),
    platform: toolPlatform(env),
  };
  const checks = await Promise.all(features.map((feature) => feature.checks?.() ?? []));
  return { findings: await runChecks(context, checks.flat()), service };
}

/** Undefined of a daemon that is older than forwarding. */
async function forwardFacts(paths: StatePaths): Promise<readonly ForwardFacts[] | undefined> {
  const { ControlClient } = await import("../../api/client.ts");
  const answer = await new ControlClient(paths.socket).call("forward_list", {}).catch(() => undefined);
  return answer?.sinks;
}

function guardFacts({ guard = "", guard_level = "", guard_raise, guard_problem, guard_runs }: StatusReport) {
  return { name: guard, level: guard_level, raise: guard_raise, problem: guard_problem, runs: guard_runs };
}

/** Whether nothing failed. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ verdict }) => verdict !== "fail");
}

/** The findings with the names that JSON has outside. */
export function findingsJson(findings: readonly Finding[]): object[] {
  return findings.map(({ check, lookedAt, verdict, detail, fix, repairs }) => ({
    check,
    looked_at: lookedAt,
    verdict,
    detail,
    ...(fix === undefined ? {} : { fix }),
    ...(repairs === undefined ? {} : { repairs }),
  }));
}

/** One line a finding, and below those that are not well what fixes them. */
export async function printFindings(findings: readonly Finding[], output: Output): Promise<void> {
  const { escapeForTerminal } = await import("../../text/escape.ts");
  const { good, warn, bad, faint } = await output.loadPaints();
  const paints = { ok: good, warn, fail: bad, skip: faint };
  const width = Math.max(...findings.map(({ check }) => check.length));
  for (const { check, lookedAt, verdict, detail, fix } of findings) {
    const name = check.padEnd(width);
    const isWell = verdict === "ok" || verdict === "skip";
    const text = escapeForTerminal(isWell ? detail : `${detail} (${lookedAt})`);
    output.line(`${paints[verdict](verdict.padEnd(4))}  ${name}  ${text}`);
    if (!isWell && fix !== undefined)
      output.line(`      ${" ".repeat(width)}  fix: ${escapeForTerminal(fix)}`);
  }
}
