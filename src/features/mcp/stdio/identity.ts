// Who a server that is started by a command line is: the command, its arguments, and the code that
// will run, where it is known. The digest of an interpreter says nothing about the script, so the
// script's digest counts; code that a launcher fetches when it runs is not pinned, and the reason
// is reported.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import type { ServerIdentity } from "../../../state/tables/mcp-pins.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const INTERPRETERS =
  /^(?:node|nodejs|bun|deno|python[\d.]*|pypy\d*|ruby|perl|php|java|sh|bash|zsh|dash)(?:\.exe)?$/;
/** Programs that start another one, which is none of their own code. */
const STARTERS =
  /^(?:nice|ionice|timeout|nohup|setsid|stdbuf|time|chrt|taskset|sudo|doas|xvfb-run|firejail|bwrap|strace|flatpak|snap|npm|make|just|direnv|mise|asdf|nvm|fnm|volta|pyenv|conda|mamba|micromamba|poetry|hatch|pdm|rye|pipenv|op|doppler|infisical|dotenv|dotenvx|aws-vault|chamber|envchain|ssh|wsl|iddio)(?:\.cmd|\.exe)?$/;
/** Programs that fetch what they run. */
const LAUNCHERS = /^(?:npx|bunx|pnpx|pnpm|yarn|uvx|uv|pipx|docker|podman|go|cargo|env)(?:\.cmd|\.exe)?$/;
const FILE_MAX = 512 * 1024 * 1024;
const PACKAGE_FILES_MAX = 5_000;

/** The identity of a command line. Never throws: a program that cannot be read is not pinned. */
export async function identityOf(
  command: string,
  args: readonly string[],
  env: Environment,
): Promise<ServerIdentity> {
  const name = basename(command);
  const loaded = loadedBy(env, LAUNCHERS.test(name));
  const base = { kind: "stdio" as const, command, args, ...(loaded.length === 0 ? {} : { env: loaded }) };
  if (STARTERS.test(name)) return { ...base, unpinned: `${name} starts another program` };
  if (LAUNCHERS.test(name)) return { ...base, unpinned: launcherReason(name, args) };
  const program = await findProgram(command, env);
  if (program === undefined) return { ...base, unpinned: "the program was not found" };
  const isScript = INTERPRETERS.test(basename(program)) || INTERPRETERS.test(name);
  const file = isScript ? await scriptOf(args) : program;
  if (file === undefined) return { ...base, unpinned: "it is not known which script the interpreter runs" };
  const inPackage = await packageOf(file);
  if (inPackage !== undefined) return { ...base, ...inPackage };
  const code_sha256 = await hashFile(file);
  return code_sha256 === undefined
    ? { ...base, unpinned: "the program is too large to read" }
    : { ...base, code_sha256 };
}

/** Variables by which other code is loaded into a program: of the loader, of interpreters. */
const LOADS =
  /^(?:LD_(?:PRELOAD|LIBRARY_PATH|AUDIT)|DYLD_(?:INSERT_LIBRARIES|LIBRARY_PATH|FRAMEWORK_PATH)|GCONV_PATH|NODE_(?:OPTIONS|PATH)|BUN_OPTIONS|BUN_INSPECT_PRELOAD|PYTHON(?:PATH|HOME|USERBASE)|RUBY(?:OPT|LIB)|GEM_(?:HOME|PATH)|PERL5?(?:OPT|LIB)|BASH_ENV|ENV|ZDOTDIR|_JAVA_OPTIONS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH|PHPRC|PHP_INI_SCAN_DIR)$/;
/** Variables that say where a launcher fetches from. */
const FETCHES =
  /^(?:npm_config_(?:registry|userconfig|globalconfig|prefix|node_options|script_shell)|(?:UV|PIP)_(?:INDEX_URL|DEFAULT_INDEX|INDEX|EXTRA_INDEX_URL|FIND_LINKS|CONFIG_FILE)|DOCKER_(?:HOST|CONTEXT)|CONTAINER_HOST|GOPROXY|GOFLAGS)$/i;
const VALUE_MAX = 500;

/** The variables that decide which code runs, as `NAME=value`. */
function loadedBy(env: Environment, isLauncher: boolean): readonly string[] {
  return Object.entries(env)
    .filter(([name]) => LOADS.test(name) || (isLauncher && FETCHES.test(name)))
    .flatMap(([name, value = ""]) => {
      // The image that a client is started from has another folder each time.
      const kept = value.split(":").filter((place) => !/^\/tmp\/\.mount_[^/]+(?:\/|$)/.test(place));
      return kept.every((place) => place === "") ? [] : [`${name}=${shownValue(kept.join(":"))}`];
    })
    .sort();
}

/** A value that may hold a password, or is long, is known by its digest. */
function shownValue(value: string): string {
  const isPlain = value.length <= VALUE_MAX && !/:\/\/[^/\s]*@/.test(value);
  return isPlain ? value : `sha256 ${createHash("sha256").update(value).digest("hex")}`;
}

function launcherReason(name: string, args: readonly string[]): string {
  const what = args.find((arg) => !arg.startsWith("-")) ?? "";
  const isVersioned =
    /^(?:@[^@/]+\/)?[^@]+@\d+\.\d+\.\d+/.test(what) || /==\d/.test(what) || /@sha256:/.test(what);
  return isVersioned
    ? `${name} fetches '${what}' when it runs; only its version is fixed`
    : `${name} fetches '${what}' in whatever version there is when it runs`;
}

async function findProgram(command: string, env: Environment): Promise<string | undefined> {
  const places = command.includes("/")
    ? [command]
    : (env.PATH ?? "").split(":").map((folder) => join(folder, command));
  for (const place of places) {
    const found = await stat(place).catch(() => undefined);
    if (found?.isFile()) return realpath(place).catch(() => undefined);
  }
  return undefined;
}

async function scriptOf(args: readonly string[]): Promise<string | undefined> {
  for (const arg of args) {
    // `-e code` and `-m module` have no file; flags of which a value follows cannot be told from switches.
    if (/^(?:-e|-c|-m|-p|--eval|--print|-r|--require|--import|--loader)(?:$|=)/.test(arg)) return undefined;
    if (arg.startsWith("-")) continue;
    const found = await stat(arg).catch(() => undefined);
    return found?.isFile() ? realpath(arg).catch(() => undefined) : undefined;
  }
  return undefined;
}

/** The npm package that a file belongs to: all of its files, without those that it depends on. */
async function packageOf(file: string): Promise<{ package?: string; code_sha256: string } | undefined> {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const text = await readFile(join(folder, "package.json"), "utf8").catch(() => undefined);
    if (text === undefined) continue;
    // A project's own folder changes with everything that is worked on.
    if (!folder.includes("/node_modules/")) return undefined;
    const { name, version } = parsed(text);
    const hash = await hashFolder(folder);
    if (hash === undefined) return undefined;
    const isNamed = typeof name === "string" && typeof version === "string";
    return { ...(isNamed ? { package: `${name}@${version}` } : {}), code_sha256: hash };
  }
  return undefined;
}

function parsed(text: string): { readonly name?: unknown; readonly version?: unknown } {
  try {
    return JSON.parse(text) as { name?: unknown; version?: unknown };
  } catch {
    return {};
  }
}

async function hashFolder(folder: string): Promise<string | undefined> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !relative(folder, path).split("/").includes("node_modules"))
    .sort();
  if (files.length === 0 || files.length > PACKAGE_FILES_MAX) return undefined;
  const sum = createHash("sha256");
  for (const path of files) {
    const hash = await hashFile(path);
    if (hash === undefined) return undefined;
    sum.update(`${relative(folder, path)}\0${hash}\n`);
  }
  return sum.digest("hex");
}

async function hashFile(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.size > FILE_MAX) return undefined;
  const sum = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path)) sum.update(chunk as Buffer);
  } catch {
    return undefined;
  }
  return sum.digest("hex");
}
