// The profile of a kind of agent: which of the person's files it may read, what it keeps for
// itself, which variables it is given. Profiles are YAML, in the binary or in the state directory's
// `profiles/`, where a file of the same name replaces the built-in one. Unknown keys are refused: a
// misspelt one would widen or break silently.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { AGENT_NAMES, type AgentName } from "../../model/agent-name.ts";
import { UserError } from "../../model/user-error.ts";
import base from "./profiles/base.yaml" with { type: "text" };
import ci from "./profiles/ci.yaml" with { type: "text" };
import claude from "./profiles/claude.yaml" with { type: "text" };
import codex from "./profiles/codex.yaml" with { type: "text" };
import copilot from "./profiles/copilot.yaml" with { type: "text" };
import cursor from "./profiles/cursor.yaml" with { type: "text" };
import gemini from "./profiles/gemini.yaml" with { type: "text" };
import opencode from "./profiles/opencode.yaml" with { type: "text" };
import shell from "./profiles/shell.yaml" with { type: "text" };

/** A profile; paths begin with `/` or `~/`. */
export interface Profile {
  readonly name: string;
  readonly summary: string;
  /** The command to start when the command line names no program. */
  readonly command: readonly string[];
  /** Shown read-only, where they are there. */
  readonly read: readonly string[];
  /** Folders private to the profile, kept between runs. */
  readonly keep: readonly string[];
  /** Files below a `keep` folder that are copied from the person's own when the folder has none yet. */
  readonly seed: readonly string[];
  /** Variables that are let through. */
  readonly environment: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  /** The agent whose hook is part of the sandbox. */
  readonly hook: AgentName | undefined;
  /** Does not begin with what every profile begins with. */
  readonly bare: boolean;
  /** Lets programs make user namespaces, which weakens the sandbox. */
  readonly nested_namespaces: boolean;
  /** macOS: lets programs use the login keychain, with all that is in it. */
  readonly keychain: boolean;
  /** macOS: without the system's own verification of certificates, which fetches from the network by itself. */
  readonly strict: boolean;
}

const BUILT_IN: Readonly<Record<string, unknown>> = {
  claude,
  codex,
  copilot,
  cursor,
  gemini,
  opencode,
  shell,
  ci,
};

const LISTS = ["command", "read", "keep", "seed", "environment"] as const;
const SWITCHES = ["bare", "nested_namespaces", "keychain", "strict"] as const;
const PATHS = ["read", "keep", "seed"] as const;

/** Reads one profile's text. Throws UserError that names the file. */
export function parseProfile(name: string, text: string, file = `profile '${name}'`): Profile {
  const problem = (why: string) =>
    new UserError(`${file}: ${why}`, { hint: "see the format in docs/run.md", exitCode: 2 });
  let value: unknown;
  try {
    value = Bun.YAML.parse(text);
  } catch (error) {
    throw problem(error instanceof Error ? error.message : String(error));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw problem("expected a map");
  const fields = value as Record<string, unknown>;
  const known = new Set<string>(["summary", "set", "hook", ...LISTS, ...SWITCHES]);
  for (const key of Object.keys(fields)) if (!known.has(key)) throw problem(`unknown key '${key}'`);
  const lists = Object.fromEntries(LISTS.map((key) => [key, listOf(fields[key], key, problem)]));
  for (const key of PATHS)
    for (const path of lists[key] ?? [])
      if (!/^(?:\/|~\/)[^\0]+$/.test(path) || path.split("/").includes(".."))
        throw problem(`'${path}' under '${key}' must begin with '/' or '~/' and hold no '..'`);
  for (const path of lists.keep ?? [])
    if (!path.startsWith("~/")) throw problem(`'${path}' under 'keep' must begin with '~/'`);
  for (const variable of lists.environment ?? [])
    if (!isPassable(variable)) throw problem(`'${variable}' must not be let through`);
  const set = mapOf(fields.set, problem);
  const switches = Object.fromEntries(
    SWITCHES.map((key) => {
      const given = fields[key] ?? false;
      if (typeof given !== "boolean") throw problem(`'${key}' must be true or false`);
      return [key, given];
    }),
  );
  const summary = fields.summary ?? "";
  if (typeof summary !== "string") throw problem("'summary' must be a text");
  const hook = fields.hook ?? undefined;
  if (hook !== undefined && !AGENT_NAMES.includes(hook as AgentName))
    throw problem(`'hook' must be one of: ${AGENT_NAMES.join(", ")}`);
  return { name, summary, set, hook, ...lists, ...switches } as Profile;
}

/** Whether a variable may be let through by name. What loads code or names a socket outside may not. */
export function isPassable(name: string): boolean {
  return (
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) &&
    !/^(?:LD_|DYLD_|BUN_|GIT_|KITTY_|WEZTERM_|IDDIO_|DBUS_|XDG_RUNTIME_DIR$|NODE_OPTIONS$|SSH_AUTH_SOCK$|SSH_AGENT_PID$|GPG_AGENT_INFO$|TMUX|STY$|DOCKER_HOST$|CONTAINER_HOST$|BASH_ENV$|ENV$|PYTHONSTARTUP$|PERL5OPT$|RUBYOPT$|HOME$|PATH$)/.test(
      name,
    ) &&
    !/_IPC_HOOK/.test(name)
  );
}

function listOf(value: unknown, key: string, problem: (why: string) => UserError): readonly string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value as string[];
  throw problem(`'${key}' must be a list of texts`);
}

function mapOf(value: unknown, problem: (why: string) => UserError): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw problem("'set' must be a map");
  for (const each of Object.values(value))
    if (typeof each !== "string") throw problem("'set' must hold texts");
  return value as Record<string, string>;
}

/** Joins two profiles, the second on top of the first. */
function onTopOf(first: Profile, second: Profile): Profile {
  return {
    ...second,
    read: [...first.read, ...second.read],
    keep: [...first.keep, ...second.keep],
    environment: [...first.environment, ...second.environment],
    set: { ...first.set, ...second.set },
  };
}

/** A profile by name, the state directory's before the built-in one. Throws UserError when there is none. */
export async function loadProfile(name: string, directory: string): Promise<Profile> {
  const file = join(directory, `${name}.yaml`);
  const own = /^[a-z0-9][a-z0-9-]*$/.test(name) && (await Bun.file(file).exists());
  const text = own ? await Bun.file(file).text() : Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
  if (text === undefined)
    throw new UserError(`unknown profile '${name}'`, { hint: "see: iddio run profiles", exitCode: 2 });
  const profile = parseProfile(name, String(text), own ? file : undefined);
  if (profile.bare) return onTopOf({ ...bare(), environment: baseProfile().environment }, profile);
  return onTopOf(baseProfile(), profile);
}

function baseProfile(): Profile {
  return parseProfile("base", String(base));
}

function bare(): Profile {
  return parseProfile("base", "summary: nothing");
}

/** Every profile with the file that it comes from, undefined for the built-in ones. */
export async function listProfiles(
  directory: string,
): Promise<readonly { readonly profile: Profile; readonly file: string | undefined }[]> {
  const files = await readdir(directory).catch(() => [] as string[]);
  const own = files
    .filter((file) => /^[a-z0-9][a-z0-9-]*\.yaml$/.test(file))
    .map((file) => file.slice(0, -5));
  const names = [...new Set([...Object.keys(BUILT_IN), ...own])];
  return Promise.all(
    names.map(async (name) => ({
      profile: await loadProfile(name, directory),
      file: own.includes(name) ? join(directory, `${name}.yaml`) : undefined,
    })),
  );
}
