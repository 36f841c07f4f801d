// Renders the problems of a policy as lines that editors and people can follow to the place.

import type { PolicyProblem } from "../../policy/parse/parse.ts";
import { escapeForTerminal } from "../../text/escape.ts";

/** `file:line:column: severity: message`, each followed by its hint if there is one. */
export function problemLines(path: string, problems: readonly PolicyProblem[]): string[] {
  return problems.flatMap(({ line, column, severity, message, hint }) => [
    `${escapeForTerminal(path)}:${line}:${column}: ${severity}: ${escapeForTerminal(message)}`,
    ...(hint === undefined ? [] : [`  hint: ${escapeForTerminal(hint)}`]),
  ]);
}

/** `2 errors`, `1 warning`. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
