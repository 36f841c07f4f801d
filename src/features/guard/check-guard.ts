// doctor: how much an approval is worth against an agent, and the command that makes it worth more.

import type { CheckContext, Finding } from "../../cli/kit/check.ts";

/** The level that the running daemon reports. */
export function checkGuard({ daemon, paths }: CheckContext): Promise<Finding> {
  return Promise.resolve(finding(daemon?.guard, paths.settings));
}

function finding(guard: NonNullable<CheckContext["daemon"]>["guard"], lookedAt: string): Finding {
  const about = { check: "guard", lookedAt };
  if (guard === undefined) return { ...about, verdict: "skip", detail: "no daemon to ask" };
  const { name, level, raise, problem, runs = [] } = guard;
  if (problem !== undefined)
    return {
      ...about,
      verdict: "fail",
      detail: `decisions are refused: ${problem}`,
      fix: "iddio guard remove (asks for root), then iddio guard enroll",
    };
  const inRuns = runs.map((run) => `; ${run.name} in iddio run: ${run.level}`).join("");
  const detail = `${level} (${name})${inRuns}${raise === undefined ? "" : `; more: ${raise}`}`;
  return name === "off"
    ? {
        ...about,
        verdict: "warn",
        detail: `${level} (off): agents can approve for themselves${inRuns}`,
        fix: raise ?? "iddio guard enroll passkey",
      }
    : { ...about, verdict: "ok", detail };
}
