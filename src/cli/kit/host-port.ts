// `host[:port]` as typed on the command line, and as shown.

import { UserError } from "../../model/user-error.ts";
import { escapeForTerminal } from "../../text/escape.ts";

/** Host in canonical form and port, 443 unless given. Throws a usage error on anything else. */
export async function parseHostPort(text: string): Promise<{ readonly host: string; readonly port: number }> {
  const { host, port = 443 } = await parseHostMaybePort(text);
  return { host, port };
}

/** The same where a missing port means something of its own. */
export async function parseHostMaybePort(
  text: string,
): Promise<{ readonly host: string; readonly port?: number }> {
  const { parseAuthority } = await import("../../wire/http1/connect-request.ts");
  const exact = parseAuthority(text);
  if (exact !== undefined) return exact;
  // An IPv6 address alone needs no brackets here: there is no port to be told from it.
  const alone =
    parseAuthority(text, 443) ?? (/:.*:/.test(text) ? parseAuthority(`[${text}]`, 443) : undefined);
  if (alone !== undefined) return { host: alone.host };
  throw new UserError(`'${text}' is not a host`, {
    hint: text.includes("*")
      ? "type one exact host, or host:port"
      : "type host or host:port, IPv6 in brackets",
    exitCode: 2,
  });
}

/** `host`, or `host:port` when there is one; escaped. */
export function showHostMaybePort({ host, port }: { readonly host: string; readonly port?: number }): string {
  const shown = host.includes(":") && port !== undefined ? `[${host}]` : host;
  return escapeForTerminal(port === undefined ? shown : `${shown}:${port}`);
}
