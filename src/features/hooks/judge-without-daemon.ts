// A hook whose daemon does not answer: the policy on disk judges. Where the policy asks a person,
// the agent asks if it can, and otherwise the command is refused. Where the settings say that
// nothing is blocked, nothing is.

import type { HookVerdict } from "../../api/hooks/hook-report.ts";
import { hookVerdictOf } from "../../api/hooks/hook-verdict.ts";
import { judgeScript } from "../../policy/decide/judge-script.ts";
import { DEFAULT_POLICY } from "../../policy/default-policy.ts";
import { parsePolicy } from "../../policy/parse/parse.ts";
import type { StatePaths } from "../../state/paths.ts";
import { readConfigFile } from "../../state/trusted-file.ts";

/** Judges by the files in the state directory. Throws when the policy cannot be read. */
export async function judgeWithoutDaemon(
  command: string,
  paths: StatePaths,
  canAsk: boolean,
  failure: unknown,
): Promise<HookVerdict> {
  const parsed = parsePolicy((await readConfigFile(paths.policy)) ?? DEFAULT_POLICY);
  if ("problems" in parsed) throw new Error("policy.yaml is not valid; see: iddio policy validate");
  const judgement = judgeScript(parsed.policy, command);
  if (judgement === undefined) return { action: "none", reason: "" };
  const text = (await readConfigFile(paths.settings).catch(() => undefined)) ?? "";
  if (/^default_mode:[ \t]*["']?(?:observe|off)["']?[ \t]*(?:#.*)?$/m.test(text))
    return { action: "none", reason: "" };
  const verdict = hookVerdictOf(parsed.policy, judgement);
  if (verdict.action !== "escalate" || canAsk) return verdict;
  const why = failure instanceof Error ? failure.message : String(failure);
  return {
    ...verdict,
    action: "deny",
    reason: `${verdict.reason}; nobody can be asked: ${why}`,
    hint: "ask the user to start the daemon: iddio gateway",
  };
}
