// `iddio hooks doctor`: starts each agent's hook as the agent would and shows what stops a command
// and what does not. The agents themselves are not started: they need an account. The agents' own
// behaviour when a hook fails is said beside the result.

import { access, constants, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandOfEntry, type HookPlace, hookPlace } from "../../host/agents/hook-place.ts";
import type { AgentName } from "../../model/agent-name.ts";
import { CANARY, type HookAdapter, type HookReply } from "./agents/adapter.ts";
import { HOOK_ADAPTERS } from "./agents/adapters.ts";
import { installedCommands } from "./hook-file.ts";

/** The findings about one agent. */
export interface HookFindings {
  readonly agent: AgentName;
  readonly path: string;
  /** `other`: it starts another file than the one that examines. */
  readonly installed: "yes" | "no" | "other";
  readonly checks: readonly { readonly name: string; readonly isOk: boolean; readonly saw: string }[];
  readonly onFailure: string;
}

const LIMIT_MS = 20_000;

/** Examines the hooks of the agents that are asked for, or of all. */
export async function examineHooks(
  agents: readonly AgentName[],
  program: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly HookFindings[]> {
  const empty = await mkdtemp(join(tmpdir(), "iddio-hooks-"));
  try {
    const found: HookFindings[] = [];
    for (const adapter of HOOK_ADAPTERS) {
      if (!agents.includes(adapter.agent)) continue;
      const place = hookPlace(adapter.agent, program, env);
      const installed = await isInstalled(adapter.agent, place, program);
      const checks = await contract(adapter, program, { ...env, IDDIO_RUN: undefined }, empty);
      const { agent, onFailure } = adapter;
      found.push({ agent, path: place.path, installed, checks, onFailure });
    }
    return found;
  } finally {
    await rm(empty, { recursive: true, force: true });
  }
}

async function isInstalled(
  agent: AgentName,
  place: HookPlace,
  program: readonly string[],
): Promise<HookFindings["installed"]> {
  const commands = await installedCommands(agent, place);
  const [first] = commands;
  if (first === undefined) return "no";
  const wanted = place.own ?? commandOfEntry(place.shared?.entry);
  const isThere = await access(program[0] ?? "", constants.X_OK).then(
    () => true,
    () => false,
  );
  return first === wanted && isThere ? "yes" : "other";
}

async function contract(
  adapter: HookAdapter,
  program: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  empty: string,
): Promise<HookFindings["checks"]> {
  const ask = (command: string, more: Readonly<Record<string, string>> = {}) =>
    start(adapter, program, JSON.stringify(adapter.sample(command, "/")), { ...env, ...more });
  const blocked = (name: string, reply: HookReply, isWanted: boolean) => ({
    name,
    isOk: adapter.blocks(reply) === isWanted,
    saw: sawOf(reply),
  });
  const unread = await start(adapter, program, "this is no JSON", env);
  const down = await ask("kubectl delete namespace iddio-canary", { IDDIO_HOME: empty, IDDIO_CONFIG: "" });
  return [
    blocked("a command that is denied is stopped", await ask(CANARY), true),
    blocked("without a daemon the policy still counts", down, true),
    blocked("input that cannot be read stops the command", unread, true),
    blocked("a harmless command is left alone", await ask("true"), false),
  ];
}

async function start(
  { agent }: HookAdapter,
  program: readonly string[],
  input: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<HookReply> {
  const child = Bun.spawn([...program, "hook", agent], {
    stdin: new TextEncoder().encode(input),
    stdout: "pipe",
    stderr: "pipe",
    env: { ...env },
    timeout: LIMIT_MS,
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, exitCode };
}

function sawOf({ stdout, stderr, exitCode }: HookReply): string {
  const text = (stdout.trim() || stderr.trim()).slice(0, 300);
  return `exit ${exitCode}${text === "" ? ", nothing printed" : `, ${text}`}`;
}
