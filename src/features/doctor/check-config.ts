// doctor: policy.yaml and settings.yaml, read exactly as the daemon reads them. Never proposes a
// policy that is not known to be the one that was meant.

import type { CheckContext, Finding } from "../../cli/kit/check.ts";
import { commandProblems } from "../../policy/lint/known-commands.ts";
import { parsePolicy } from "../../policy/parse/parse.ts";
import { parseSettings } from "../../state/settings/settings.ts";
import { readConfigFile } from "../../state/trusted-file.ts";

/** Whether the policy loads, and which policy the daemon enforces if it does not. */
export async function checkPolicy({ paths, daemon }: CheckContext): Promise<Finding> {
  const about = { check: "policy", lookedAt: paths.policy };
  const text = await readConfigFile(paths.policy);
  if (text === undefined)
    return {
      ...about,
      verdict: "fail",
      detail: "not there",
      fix:
        daemon === undefined
          ? "iddio repair writes the default policy"
          : "iddio repair writes the one in force",
      repairs: [{ kind: daemon === undefined ? "seed" : "policy" }],
    };
  const parsed = parsePolicy(text);
  if ("problems" in parsed) {
    const [first] = parsed.problems;
    const detail = `line ${first?.line}: ${first?.message}${parsed.problems.length > 1 ? ` (and ${parsed.problems.length - 1} more)` : ""}`;
    // Without a daemon nobody knows which policy was meant: a default in its place might let more through.
    return daemon === undefined
      ? {
          ...about,
          verdict: "fail",
          detail,
          fix: `correct the file; iddio policy validate lists every problem`,
        }
      : {
          ...about,
          verdict: "fail",
          detail,
          fix: "correct the file, or iddio repair puts it aside and writes the policy in force",
          repairs: [{ kind: "put-aside", path: paths.policy }, { kind: "policy" }],
        };
  }
  // A command of a command line alone is accepted; `policy validate` says what to write in addition.
  const wrong = commandProblems(parsed.policy).filter(({ severity }) => severity === "error");
  const [warning] = [...parsed.warnings, ...wrong];
  if (warning !== undefined)
    return {
      ...about,
      verdict: "warn",
      detail: `loads, but line ${warning.line}: ${warning.message}`,
      fix: warning.hint ?? "iddio policy validate lists every warning",
    };
  if (daemon !== undefined && daemon.policy !== "loaded")
    return { ...about, ...notInForce(daemon.policy, "iddio policy reload") };
  const count = [...parsed.policy.blocks.values()].reduce((sum, { inspect }) => sum + inspect.length, 0);
  return { ...about, verdict: "ok", detail: `loads; ${count} inspect entries` };
}

/** Whether the settings load. A missing file is the defaults. */
export async function checkSettings({ paths, daemon }: CheckContext): Promise<Finding> {
  const about = { check: "settings", lookedAt: paths.settings };
  const text = await readConfigFile(paths.settings);
  if (text === undefined) return { ...about, verdict: "ok", detail: "not there: the defaults hold" };
  const parsed = parseSettings(text);
  if ("settings" in parsed)
    return daemon?.settings === undefined || daemon.settings === "loaded"
      ? { ...about, verdict: "ok", detail: "loads" }
      : { ...about, ...notInForce(daemon.settings, "iddio settings reload") };
  return {
    ...about,
    verdict: "fail",
    detail: parsed.problems.join("; "),
    fix: `correct the file, or iddio repair puts it aside and goes on with ${daemon === undefined ? "the defaults" : "the settings in force"}`,
    repairs: [
      { kind: "put-aside", path: paths.settings },
      ...(daemon === undefined ? [] : [{ kind: "settings" } as const]),
    ],
  };
}

/** The finding about a file that loads and that the daemon has not taken: `loaded (… failed to reload: <why>)`. */
function notInForce(state: string, reload: string): Pick<Finding, "verdict" | "detail" | "fix"> {
  const [, why = state, waits] = /failed to reload: (.*?)(; load it with: .*)?\)$/s.exec(state) ?? [];
  return {
    verdict: "warn",
    detail: `loads, but is not in force: ${why}`,
    fix: waits === undefined ? `correct that, then: ${reload}` : reload,
  };
}
