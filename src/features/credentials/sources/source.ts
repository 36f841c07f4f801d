// Where the real value of a credential comes from. Values stay in memory for a minute, so that a
// keychain is not asked for every request; nothing is written anywhere. A source that gives nothing
// usable is an error with what to do.

import type { Environment } from "../../../host/process/environment.ts";
import { runTool } from "../../../host/process/run-tool.ts";
import { isRootsAlone } from "../../../host/process/system-tool.ts";
import { UserError } from "../../../model/user-error.ts";
import { keptOut, readTrusted } from "../../../state/trusted-file.ts";

/** A source as it is stored. */
export type Source =
  | { readonly from: "env"; readonly variable: string }
  | { readonly from: "file"; readonly path: string }
  | { readonly from: "command"; readonly argv: readonly string[] }
  | { readonly from: "keychain" };

const MAX_BYTES = 16 * 1024;
const COMMAND_MS = 20_000;
/** Name of the service under which keychains list iddio's items. */
const SERVICE = "iddio";

/** Reads the value. Throws a `UserError` that never quotes it. */
export async function readSource(source: Source, name: string, env: Environment): Promise<string> {
  const text = await rawValue(source, name, env);
  const value = text.replace(/[\r\n]+$/, "");
  if (value === "")
    throw new UserError(`the source of '${name}' gives nothing`, { hint: hintOf(source, name) });
  // A line end would end the field, and the rest would be read as another.
  if (/[^\t\x20-\x7e]/.test(value))
    throw new UserError(`the source of '${name}' gives more than one line of printable text`, {
      hint: hintOf(source, name),
    });
  return value;
}

/** Reads the whole value of the source. Throws a `UserError` that never quotes it. */
export async function rawValue(source: Source, name: string, env: Environment): Promise<string> {
  switch (source.from) {
    case "env":
      return env[source.variable] ?? "";
    case "file":
      return readTrusted(source.path, MAX_BYTES).catch((error: unknown) => {
        const why = keptOut(error) ?? (error instanceof Error ? error.message : String(error));
        throw new UserError(`the file of '${name}' is not read: ${why}`, { hint: hintOf(source, name) });
      });
    case "command":
      return commandOutput(source.argv, name, env);
    case "keychain":
      return commandOutput(keychainRead(name), name, env);
  }
}

async function commandOutput(argv: readonly string[], name: string, env: Environment): Promise<string> {
  const [program = ""] = argv;
  const problem = program.includes("/") ? programProblem(program) : undefined;
  if (problem !== undefined) throw new UserError(`the command of '${name}' is not run: ${problem}`);
  const { code, stdout, stderr } = await runTool(argv, { env, timeoutMs: COMMAND_MS });
  if (code === 0 && stdout.length <= MAX_BYTES) return stdout;
  const said = stderr.replace(/\s+/g, " ").trim().slice(0, 200);
  throw new UserError(`the command of '${name}' failed${said === "" ? ` (${code})` : `: ${said}`}`, {
    hint: `try it yourself: ${program}`,
  });
}

/** Why a program may not be run for a secret: anyone who can change it gets the secret. Undefined when it may. */
export function programProblem(program: string): string | undefined {
  if (!program.startsWith("/")) return `'${program}' is not an absolute path`;
  return isRootsAlone(program)
    ? undefined
    : `'${program}' can be changed by others than root, so an agent could put another in its place`;
}

/** The command line that reads iddio's item of this name. */
function keychainRead(name: string): readonly string[] {
  return process.platform === "darwin"
    ? ["security", "find-generic-password", "-s", SERVICE, "-a", name, "-w"]
    : ["secret-tool", "lookup", "service", SERVICE, "account", name];
}

/** Stores a value in the keychain; on standard input, never in a command line. Throws a `UserError`. */
export async function writeKeychain(name: string, value: string, env: Environment): Promise<void> {
  const isMac = process.platform === "darwin";
  const argv = isMac
    ? ["security", "-i"]
    : ["secret-tool", "store", `--label=iddio ${name}`, "service", SERVICE, "account", name];
  // `security -i` reads commands; a value that could end its quotes is refused.
  if (isMac && /["\\]/.test(value))
    throw new UserError("the value holds a quote or a backslash, which the keychain's tool cannot take");
  const input = isMac ? `add-generic-password -U -s ${SERVICE} -a ${name} -w "${value}"\n` : value;
  const { code, stderr } = await runTool(argv, { env, input, timeoutMs: COMMAND_MS });
  if (code !== 0)
    throw new UserError(
      `the keychain did not take it: ${stderr.trim().slice(0, 200) || `exit code ${code}`}`,
      {
        hint: isMac
          ? "unlock the login keychain"
          : "install libsecret-tools and unlock the keyring, or use --from file",
      },
    );
}

function hintOf(source: Source, name: string): string {
  switch (source.from) {
    case "env":
      return `the daemon's own environment must have ${source.variable}`;
    case "file":
      return `'${source.path}' must be a file of yours that nobody else may read or change`;
    case "command":
      return `try it yourself: ${source.argv.join(" ")}`;
    case "keychain":
      return `store it again: iddio credentials add … ${name} --from keychain`;
  }
}
