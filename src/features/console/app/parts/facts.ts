// How a request is named on the page: what is asked, where, in which scope. Values are as they came from the client;
// anyone who shows them makes them safe.

import type { Approval } from "../../../../api/reports.ts";

/** The command, or method and path where the command says no more. */
export function shortName({ command, method, path }: Pick<Approval, "command" | "method" | "path">): string {
  return command === "" || command === method ? `${method} ${path}` : command;
}

/** `host`, or `host:port` where the port is not that of HTTPS. */
export function hostText({ host, port }: { readonly host: string; readonly port: number }): string {
  if (port === 443 || port === 0) return host;
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
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
