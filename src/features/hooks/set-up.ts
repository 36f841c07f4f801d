// Carries out `iddio hooks install`, `uninstall` and `doctor` and puts the results into words. The
// files beside this one write and try.

import type { CommandContext } from "../../cli/kit/command.ts";
import { hookPlace } from "../../host/agents/hook-place.ts";
import { lastingProgram } from "../../host/process/lasting-program.ts";
import { AGENT_NAMES, type AgentName } from "../../model/agent-name.ts";
import { hookAdapter } from "./agents/adapters.ts";
import { examineHooks } from "./examine-hooks.ts";
import { installHook, uninstallHook } from "./hook-file.ts";

/** Writes an agent's hook. */
export async function installHooks({ args, env, paths, output }: CommandContext): Promise<void> {
  const agent = args[0] as AgentName;
  const place = hookPlace(agent, lastingProgram(env), env);
  const isNew = await installHook(agent, place, paths.hooks);
  output.line(`${hookAdapter(agent).title} ${isNew ? "asks" : "asks already"}: ${place.path}`);
  if (isNew) output.note("it counts from the next session on; try it with: iddio hooks doctor");
}

/** Takes it out. */
export async function uninstallHooks({ args, env, paths, output }: CommandContext): Promise<void> {
  const agent = args[0] as AgentName;
  const place = hookPlace(agent, lastingProgram(env), env);
  const wasThere = await uninstallHook(agent, place, paths.hooks);
  const what = wasThere ? "no longer asks" : "does not ask";
  output.line(`${hookAdapter(agent).title} ${what}: ${place.path}`);
}

/** Examines them; 1 when a hook that is installed does not hold. */
export async function doctor({ args, flags, env, output }: CommandContext): Promise<number> {
  const agents = args[0] === undefined ? AGENT_NAMES : [args[0] as AgentName];
  const found = await examineHooks(agents, lastingProgram(env), env);
  const isBad = found.some(
    ({ installed, checks }) =>
      installed === "other" || (installed === "yes" && checks.some(({ isOk }) => !isOk)),
  );
  if (flags.has("json")) {
    output.json(found);
    return isBad ? 1 : 0;
  }
  for (const { agent, path, installed, checks, onFailure } of found) {
    const state = { yes: "installed", no: "not installed", other: "starts another file; install it again" };
    output.line(`${hookAdapter(agent).title}: ${state[installed]} (${path})`);
    for (const { name, isOk, saw } of checks)
      output.line(`  ${isOk ? "ok    " : "FAILED"} ${name}${isOk ? "" : `: ${saw}`}`);
    output.line(`  if the hook itself fails: ${onFailure}`);
  }
  return isBad ? 1 : 0;
}
