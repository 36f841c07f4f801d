// Replies of the control methods about agents in `iddio run`. Apart from the other reports: an
// agent waits for its start. A contract with older and newer programs: fields are only added.

import { LEVELS } from "../model/level.ts";
import { flag, list, number, object, optional, text, type Value, words } from "./schema.ts";

/** An agent under `iddio run`. */
export const runReport = object({
  id: text("`run_` and eight hex digits"),
  name: text(),
  profile: text(),
  command: text(),
  started_ms: number(),
  pid: optional(number("process of its bridge; absent until that has registered")),
  local_ports: list(number()),
  level: optional(words(LEVELS, "how far it is kept from deciding for itself")),
  with_presence: optional(
    flag("a person was present at its start, so lists that let more through count for it"),
  ),
});
/** An agent under `iddio run`. */
export type RunReport = Value<typeof runReport>;

/** The reply to a started run: `iddio run` starts its bridge with it. */
export const runStart = object({
  run: runReport,
  socket: text("path of the socket that the bridge hands connections to"),
  token: text("proves that a process is this run's bridge; only ever told to the caller"),
  ports: list(number(), "ports of the policy's inspect entries"),
  proxy_port: number("port by which the proxy is known inside the sandbox"),
});
/** The reply to a started run: `iddio run` starts its bridge with it. */
export type RunStart = Value<typeof runStart>;
