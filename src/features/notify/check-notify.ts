// doctor: whether people are told of requests that wait. A target that is down for a moment is no
// finding; one that has been down for ten minutes is, and so is a channel where nobody could
// answer.

import { ControlClient } from "../../api/client.ts";
import type { NotifyReport } from "../../api/methods/notify.ts";
import type { CheckContext, Finding } from "../../cli/kit/check.ts";

const LONG_MS = 10 * 60_000;

/** Every target of the running daemon. */
export async function checkNotify({ daemon, paths, nowMs }: CheckContext): Promise<Finding> {
  const about = { check: "notify", lookedAt: paths.socket };
  const answer =
    daemon && (await new ControlClient(paths.socket).call("notify_list", {}).catch(() => undefined));
  if (answer === undefined) return { ...about, verdict: "skip", detail: "no daemon to ask" };
  return { ...about, ...notifyVerdict(answer.targets, nowMs) };
}

/** The verdict on these targets. */
export function notifyVerdict(
  targets: readonly NotifyReport[],
  nowMs: number,
): Pick<Finding, "verdict" | "detail" | "fix"> {
  if (targets.length === 0) return { verdict: "ok", detail: "nobody is told beside the desktop" };
  const failing = targets.find(
    ({ problem, failing_since_ms }) =>
      problem !== undefined && (failing_since_ms === undefined || nowMs - failing_since_ms > LONG_MS),
  );
  if (failing !== undefined)
    return {
      verdict: "warn",
      detail: `${failing.name} is not reached: ${failing.problem ?? ""}`,
      fix: `requests wait all the same; see: iddio notify test ${failing.name}`,
    };
  const aside = targets.find(({ set_aside }) => set_aside > 0);
  if (aside !== undefined)
    return {
      verdict: "warn",
      detail: `${aside.name} was not told of ${aside.set_aside} requests`,
      fix: `the log says why; try it: iddio notify test ${aside.name}`,
    };
  return { verdict: "ok", detail: `told: ${targets.map(({ name }) => name).join(", ")}` };
}
