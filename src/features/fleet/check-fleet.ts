// doctor: whether this machine still hears of its control plane. Without it the last policy
// decides, so a while is no finding; that it was revoked, that a policy was refused, or that its
// own grew too old is.

import { ControlClient } from "../../api/client.ts";
import type { FleetReport } from "../../api/methods/fleet.ts";
import type { CheckContext, Finding } from "../../cli/kit/check.ts";

const LONG_MS = 10 * 60_000;

/** How the running daemon stands with its control plane. */
export async function checkFleet({ daemon, paths, nowMs }: CheckContext): Promise<Finding> {
  const about = { check: "fleet", lookedAt: paths.socket };
  const report =
    daemon && (await new ControlClient(paths.socket).call("fleet_status", {}).catch(() => undefined));
  if (report === undefined) return { ...about, verdict: "skip", detail: "no daemon to ask" };
  return { ...about, ...fleetVerdict(report, nowMs) };
}

/** The verdict on this report. */
export function fleetVerdict(
  report: FleetReport,
  nowMs: number,
): Pick<Finding, "verdict" | "detail" | "fix"> {
  const { enrolled, tenant = "", url = "", state, problem, refused, failing_since_ms, is_stale } = report;
  if (!enrolled) return { verdict: "ok", detail: "this machine belongs to no fleet" };
  if (state === "revoked")
    return {
      verdict: "fail",
      detail: `${tenant} has revoked this machine; its last policy stays in force`,
      fix: "ask for a new enrolment, or: iddio fleet leave",
    };
  if (is_stale)
    return {
      verdict: "fail",
      detail: `${url} was not reached for longer than its policy allows, so a person is asked above observe`,
      fix: `${problem ?? "see the log"}; then: iddio fleet sync`,
    };
  if (refused !== undefined)
    return {
      verdict: "warn",
      detail: `a policy was not taken: ${refused}`,
      fix: "tell the people who run the control plane",
    };
  if (problem !== undefined && nowMs - (failing_since_ms ?? nowMs) > LONG_MS)
    return {
      verdict: "warn",
      detail: `${url} is not reached: ${problem}`,
      fix: "nothing is lost; see: iddio fleet status",
    };
  return { verdict: "ok", detail: `one of ${tenant}` };
}
