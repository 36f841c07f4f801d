// Secrets from standard input: on the command line they would be public. At a terminal the person
// is asked.

import { UserError } from "../../../model/user-error.ts";

const MAX_BYTES = 16 * 1024;

/** So many lines, without blanks around them; `hint` says how they are given. Throws when there are none. */
export async function secretsFromInput(
  prompt: string,
  max: number,
  hint: string,
): Promise<readonly string[]> {
  if (process.stdin.isTTY) process.stderr.write(`${prompt}: `);
  let text = "";
  const lines = () =>
    text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  for await (const chunk of process.stdin) {
    text += String(chunk);
    const isWhole = text.endsWith("\n") && lines().length >= max;
    if (text.length > MAX_BYTES || isWhole) break;
  }
  const found = lines().slice(0, max);
  if (found.length > 0) return found;
  throw new UserError(`no ${prompt} on standard input`, { exitCode: 2, hint });
}
