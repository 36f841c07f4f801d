// How a request is named on the page: the command, the host, the scope. Values are as they came
// from the client; anyone who shows them makes them safe.

import type { Approval } from "../../../../api/reports.ts";

/** The command, or method and path where the command says no more. */
export function requestName({
  command,
  method,
  path,
}: Pick<Approval, "command" | "method" | "path">): string {
  return command === "" || command === method ? `${method} ${path}` : command;
}

/** `kubectl (123)`. */
export function processText({
  process,
  pid,
}: {
  readonly process?: string | undefined;
  readonly pid?: number | undefined;
}): string {
  if (process === undefined) return pid === undefined ? "unknown" : `pid ${pid}`;
  return pid === undefined ? process : `${process} (${pid})`;
}
