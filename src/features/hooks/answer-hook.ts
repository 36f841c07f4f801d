// One question of one agent, from its bytes to the answer in its own shape. Nothing here throws:
// whatever goes wrong becomes that agent's deny. The daemon judges; without one the policy on disk
// does, and nobody can be asked.

import type { ControlClient } from "../../api/client.ts";
import { HOOKS_JUDGE } from "../../api/hooks/hook-method.ts";
import type { HookVerdict } from "../../api/hooks/hook-report.ts";
import { isPlainlyHarmless } from "../../protocols/shell/plainly-harmless.ts";
import type { StatePaths } from "../../state/paths.ts";
import { CANARY, type HookAdapter, type HookReply } from "./agents/adapter.ts";

/** The surroundings of a hook. */
export interface HookContext {
  readonly paths: StatePaths;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly daemon: ControlClient;
  /** After this the answer is deny; the agent waits longer. */
  readonly deadlineMs?: number;
}

/** Agents are told to wait for 15 minutes, and an approval may be waited for that long at most. */
const DEADLINE_MS = 14 * 60_000;

/** Answers an agent's message. */
export async function answerHook(
  adapter: HookAdapter,
  input: string,
  context: HookContext,
): Promise<HookReply> {
  try {
    const parsed: unknown = JSON.parse(input);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
      return adapter.deny(mistake("its input is not an object"));
    const read = adapter.read(parsed as Readonly<Record<string, unknown>>);
    if (read.kind === "other") return adapter.silent();
    if (read.kind === "unreadable") return adapter.deny(mistake(read.why));
    if (read.command === CANARY)
      return adapter.deny("iddio: the hook works: this is the command that it must stop");
    if (isPlainlyHarmless(read.command)) return adapter.silent();
    const verdict = await judge(adapter, read.command, read.cwd, context);
    return replyTo(adapter, verdict);
  } catch (error) {
    return adapter.deny(mistake(error instanceof Error ? error.message : String(error)));
  }
}

function mistake(why: string): string {
  return `iddio: the hook could not judge this command, so it is not run: ${why}`;
}

async function judge(
  adapter: HookAdapter,
  command: string,
  cwd: string | undefined,
  context: HookContext,
): Promise<HookVerdict> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), context.deadlineMs ?? DEADLINE_MS);
  try {
    const input = {
      agent: adapter.agent,
      command,
      can_ask: adapter.canAsk,
      ...(cwd === undefined ? {} : { cwd }),
      ...(await plansOf(command, cwd)),
    };
    for await (const verdict of context.daemon.stream("hooks_judge", input, stop.signal, HOOKS_JUDGE))
      return verdict;
    return { action: "deny", reason: "nobody answered in time" };
  } catch (error) {
    const { judgeWithoutDaemon } = await import("./judge-without-daemon.ts");
    return judgeWithoutDaemon(command, context.paths, adapter.canAsk, error);
  } finally {
    clearTimeout(timer);
  }
}

async function plansOf(command: string, cwd: string | undefined) {
  if (!/\bapply\b/.test(command)) return {};
  const { mayApplyPlan, savedPlans } = await import("./saved-plans.ts");
  return mayApplyPlan(command) ? { plans: await savedPlans(command, cwd) } : {};
}

function replyTo(adapter: HookAdapter, verdict: HookVerdict): HookReply {
  switch (verdict.action) {
    case "none":
    case "allow":
      return adapter.silent();
    case "escalate":
      return adapter.canAsk
        ? adapter.ask(textOf("iddio: a person must decide", "about", verdict))
        : adapter.deny(textOf("iddio: a person must decide", "about", verdict));
    default:
      return adapter.deny(textOf("iddio refused this command", "because of", verdict));
  }
}

/** One paragraph: what, why, by which rule, and what to do instead. */
function textOf(what: string, link: "about" | "because of", verdict: HookVerdict): string {
  const { command, reason, rule, tier, hint, to_allow } = verdict;
  const named = command === undefined ? "" : ` ${link} '${command}'`;
  const by = [tier, rule ? `rule ${rule}` : undefined].filter((each) => each !== undefined).join(", ");
  const because = by === "" ? reason : `${reason} (${by})`;
  const forward = hint === undefined ? "" : `. To go on: ${hint}`;
  const rest = to_allow === undefined ? "" : `; ${to_allow}`;
  return `${what}${named}: ${because}${rest}${forward}`;
}
