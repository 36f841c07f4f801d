// Runs one program with the rights of the administrator, asking for the password where a person is
// there to give it. Each call is one visible command, so that a person can read it, and type it by
// hand instead.

import { isatty } from "node:tty";
import { UserError } from "../../model/user-error.ts";
import { shellWord } from "../../text/quote-posix.ts";
import type { Environment } from "../process/environment.ts";
import { lastWords, runTool, type ToolResult } from "../process/run-tool.ts";
import { findSystemTool } from "../process/system-tool.ts";

/** Runs the command as root, through sudo when we are not. Throws a `UserError` with the command to type when it fails. */
export async function asRoot(
  argv: readonly string[],
  env: Environment,
  { timeoutMs }: { readonly timeoutMs?: number } = {},
): Promise<ToolResult> {
  const isRoot = process.getuid?.() === 0;
  const isInteractive = !isRoot && isatty(0) && isatty(2);
  if (!isRoot && findSystemTool("sudo", env) === undefined)
    throw new UserError(`'${argv[0]}' must be run as root, and there is no sudo`, {
      hint: `as root: ${argv.map(shellWord).join(" ")}`,
    });
  const sudo = isRoot ? [] : isInteractive ? ["sudo", "--"] : ["sudo", "-n", "--"];
  const result = await runTool([...sudo, ...argv], {
    env,
    isInteractive,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  if (result.code === 0) return result;
  throw new UserError(`${argv[0]}: ${lastWords(result)}`, {
    hint: `by hand: ${isRoot ? "" : "sudo "}${argv.map(shellWord).join(" ")}`,
  });
}
