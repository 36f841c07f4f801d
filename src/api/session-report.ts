// Replies of the methods about recorded sessions. Names and commands come from an agent and must be
// escaped before they are printed.

import { flag, list, map, number, object, optional, text, type Value, words } from "./schema.ts";

/** One recorded session. */
export const sessionReport = object({
  id: text("`sess_` and eight hex digits"),
  request_id: text("of the row in the audit log"),
  approval_id: optional(text()),
  kind: words(["exec", "attach", "port-forward", "proxy", "ssh"]),
  content: words(["full", "metadata"]),
  state: words(["open", "ended", "truncated"], "truncated: the daemon ended before the session did"),
  host: text(),
  namespace: optional(text("of a Pod")),
  pod: optional(text("or the path, of a proxy")),
  remote_user: optional(text("whose session it is on a host of SSH")),
  container: optional(text()),
  argv: list(text(), "the command of an exec"),
  is_tty: flag(),
  user: optional(text()),
  run: optional(text()),
  started_ms: number(),
  bytes: number("size of the recording"),
  seconds: optional(number("how long it lasted")),
  exit_code: optional(number()),
  problem: optional(text("why it is not whole")),
  octets: optional(map(number(), "how much went over each stream")),
  sha256: optional(map(text(), "of what went over each stream, recorded or not")),
});
/** One recorded session. */
export type SessionReport = Value<typeof sessionReport>;

/** Where it was: `namespace/pod`, the path that was reached through the API server, or `user@host`. */
export function placeOfSession({ namespace, pod, remote_user: user, host }: SessionReport): string {
  if (pod === undefined) return `${user ?? ""}@${host}`;
  return namespace === undefined || namespace === "" ? pod : `${namespace}/${pod}`;
}
