// `host[:port]` as typed on the command line.

import { UserError } from "../model/user-error.ts";

/** Host in canonical form and port, 443 unless given. Throws a usage error on anything else. */
export async function parseHostPort(text: string): Promise<{ readonly host: string; readonly port: number }> {
  const { parseAuthority } = await import("../wire/connect-request.ts");
  const parsed = parseAuthority(text, 443);
  if (parsed !== undefined) return parsed;
  throw new UserError(`'${text}' is not a host`, {
    hint: "type host or host:port, IPv6 in brackets",
    exitCode: 2,
  });
}
