// Replies of the control methods about agents in `iddio run`. Apart from the other reports: an
// agent waits for its start. A contract with older and newer programs: fields are only added.

import { LEVELS } from "../model/level.ts";
import { flag, list, map, number, object, optional, pair, text, type Value, words } from "./schema.ts";

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

/** The place that `iddio run` was typed at, for a daemon that sees the same files. */
export const runPlace = object({
  state: text("the state directory, as the caller names it"),
  config: text("the folder of its policy, likewise"),
  folder: text("the working directory"),
  home: text(),
  path: text("PATH"),
  command: list(text()),
  program: optional(text("iddio's own file, which the sandbox shows")),
  read_only: list(text("from --ro, absolute")),
  writable: list(text("from --rw, absolute")),
  pass: list(text("from --env")),
});
/** The place that `iddio run` was typed at. */
export type RunPlace = Value<typeof runPlace>;

/** A sandbox as it is laid out, for the run's bridge. */
export const runLayout = object({
  args: list(text(), "of bubblewrap"),
  filter: text("of system calls, in base64"),
  wrappers: pair(list(text()), list(text()), "what starts bubblewrap, and the command in it"),
  command: list(text()),
  passes: list(text(), "names of the caller's variables that the agent is given"),
  sets: map(text(), "further variables"),
  bound: list(text(), "places that must be mounted from themselves"),
  mounts: optional(
    list(text(), "what the kernel's list of mounts must say of the folders that the agent is given"),
  ),
  secrets: list(text(), "paths that must not be readable"),
  writable: list(text(), "folders that the agent may write"),
  allowed: list(text(), "control files that it was given by name"),
  read_only: list(text(), "files of repositories that it must not write"),
  control_files: list(
    object({
      path: text(),
      kind: words(["file", "link", "pointer", "repository"]),
      identity: text("with another one it is another file"),
    }),
    "those that are there before it starts",
  ),
  nested_namespaces: flag("programs may make user namespaces"),
});
/** A sandbox as it is laid out. */
export type RunLayout = Value<typeof runLayout>;

/** The reply to a started run: `iddio run` starts its bridge with it. */
export const runStart = object({
  run: runReport,
  socket: text("path of the socket that the bridge hands connections to"),
  token: text("proves that a process is this run's bridge; only ever told to the caller"),
  ports: list(number(), "ports of the policy's inspect entries"),
  proxy_port: number("port by which the proxy is known inside the sandbox"),
  layout: optional(runLayout),
});
/** The reply to a started run: `iddio run` starts its bridge with it. */
export type RunStart = Value<typeof runStart>;
