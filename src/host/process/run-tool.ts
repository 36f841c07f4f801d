// Runs the system's own programs (systemctl, launchctl, security, certutil, …) and returns their
// output. Never by a shell: arguments are file names that may hold anything. A bare name is a
// program of the system and is found there, never on PATH (system-tool.ts). Knows no program by
// name.

import { isAbsolute, resolve } from "node:path";
import { type Environment, toolEnvironment } from "./environment.ts";
import { findSystemTool, SYSTEM_PATH, standInFolder } from "./system-tool.ts";

/** How a program ended. Code 127: no program of that name was found. */
export interface ToolResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a program. */
export interface ToolOptions {
  /**
   * The whole environment of a program named by its path; a program of the system gets only the variables
   * that it needs.
   */
  readonly env: Environment;
  readonly input?: string;
  /** Let it use this terminal, for programs that ask for a password; nothing is collected then but stdout. */
  readonly isInteractive?: boolean;
  /** The working directory; the root unless given, so that no file of the person's folder is read. */
  readonly cwd?: string;
  /** Ended after this long; half a minute unless given. */
  readonly timeoutMs?: number;
}

/** How long a program may take for which no time is told. Tests shorten it. */
export const TOOL_PATIENCE = { ms: 30_000 };

/** Where a person's own program is on the PATH of this environment; entries that depend on the working directory do not count. */
export function findOnPath(name: string, env: Environment): string | undefined {
  const folders = (env.PATH ?? "").split(":").filter(isAbsolute);
  return (
    Bun.which(name, { PATH: [...folders, "/usr/sbin", "/sbin", "/usr/local/sbin"].join(":") }) ?? undefined
  );
}

/** Runs a program to its end: one of the system by its bare name, another by its path. Its messages come in English. Never throws. */
export async function runTool(argv: readonly string[], options: ToolOptions): Promise<ToolResult> {
  const [name = "", ...args] = argv;
  const isPath = name.includes("/");
  const program = isPath ? resolve(name) : findSystemTool(name, options.env);
  if (program === undefined)
    return {
      code: 127,
      stdout: "",
      stderr: `${name}: not found in the folders of the system (${SYSTEM_PATH})`,
    };
  try {
    const child = Bun.spawn([program, ...args], {
      env: isPath ? { ...options.env, LC_ALL: "C" } : environmentOf(options.env),
      cwd: options.cwd ?? "/",
      stdin: options.isInteractive ? "inherit" : Buffer.from(options.input ?? ""),
      stdout: "pipe",
      stderr: options.isInteractive ? "inherit" : "pipe",
      timeout: options.isInteractive ? 5 * 60_000 : (options.timeoutMs ?? TOOL_PATIENCE.ms),
    });
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      child.stderr === undefined ? "" : new Response(child.stderr).text(),
      child.exited,
    ]);
    return { code, stdout, stderr };
  } catch (error) {
    return { code: 126, stdout: "", stderr: error instanceof Error ? error.message : String(error) };
  }
}

/** Stand-ins are told where they keep their state by variables of the tests' own. */
function environmentOf(env: Environment): Environment {
  const standIns = standInFolder(env);
  const tool = toolEnvironment(env, standIns === undefined ? SYSTEM_PATH : `${standIns}:${SYSTEM_PATH}`);
  return standIns === undefined ? tool : { ...env, ...tool };
}

/** The last line that a failed program said, or that it said nothing. */
export function lastWords({ code, stdout, stderr }: ToolResult): string {
  const line = `${stdout}\n${stderr}`.trim().split("\n").at(-1)?.trim() ?? "";
  return line === "" ? `it ended with code ${code} and said nothing` : line;
}
