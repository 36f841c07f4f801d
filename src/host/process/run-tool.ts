// Runs the system's own programs (systemctl, launchctl, security, certutil, …) and gives what they said. Never by a
// shell: arguments are file names that may hold anything. Knows no program by name.

import type { Environment } from "./environment.ts";

/** How a program ended. Code 127 means that there is none of that name. */
export interface ToolResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a program. */
export interface ToolOptions {
  /** The whole environment; the program is looked for on its PATH. */
  readonly env: Environment;
  readonly input?: string;
  /** Let it use this terminal, for programs that ask for a password; nothing is collected then but stdout. */
  readonly isInteractive?: boolean;
  /** The working directory; this process's own unless told. */
  readonly cwd?: string;
  /** Ended after this long; half a minute unless told. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;

/** Where a program is on the PATH of this environment. */
export function findTool(name: string, env: Environment): string | undefined {
  // What administrators use is not on everybody's PATH.
  const path = `${env.PATH ?? ""}:/usr/sbin:/sbin:/usr/local/sbin`;
  return Bun.which(name, { PATH: path }) ?? undefined;
}

/** Runs a program to its end. Its messages come in English. Never throws. */
export async function runTool(argv: readonly string[], options: ToolOptions): Promise<ToolResult> {
  const [name = "", ...args] = argv;
  const program = findTool(name, options.env);
  if (program === undefined) return { code: 127, stdout: "", stderr: `${name}: not found` };
  try {
    const child = Bun.spawn([program, ...args], {
      env: { ...options.env, LC_ALL: "C" },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdin: options.isInteractive ? "inherit" : Buffer.from(options.input ?? ""),
      stdout: "pipe",
      stderr: options.isInteractive ? "inherit" : "pipe",
      timeout: options.isInteractive ? 5 * 60_000 : (options.timeoutMs ?? TIMEOUT_MS),
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

/** The last line that a failed program said, or that it said nothing. */
export function lastWords({ code, stdout, stderr }: ToolResult): string {
  const line = `${stdout}\n${stderr}`.trim().split("\n").at(-1)?.trim() ?? "";
  return line === "" ? `it ended with code ${code} and said nothing` : line;
}
