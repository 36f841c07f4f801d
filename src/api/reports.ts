// Replies of the control methods about the daemon, approvals, policy and upstreams. Each report is
// a schema, and its type follows from it. Names on the wire are snake_case JSON. These are a
// contract with older and newer programs: fields are only added, and a new field is optional.

import { ACTIONS } from "../model/action.ts";
import { CARRIERS } from "../model/ask.ts";

import { EVENT_TAGS } from "../model/event.ts";
import { MODES } from "../model/mode.ts";
import { PROTOCOLS } from "../model/protocol.ts";
import { TIERS } from "../model/tier.ts";
import { runLevelReport } from "./daemon-reports.ts";
import {
  either,
  flag,
  list,
  map,
  number,
  object,
  optional,
  pair,
  text,
  type Value,
  words,
} from "./schema.ts";

const protocol = words(PROTOCOLS);
const tier = words([...TIERS, "unknown"]);
const labels = map(text());

const clientFields = {
  user: optional(text()),
  pid: optional(number()),
  process: optional(text()),
  run: optional(text("name of the `iddio run` that it belongs to")),
  run_id: optional(text()),
};

const client = object(clientFields);

const clientDetails = object({
  ...clientFields,
  program: optional(text("file that the process was started from")),
  ancestors: optional(
    list(
      object({ pid: number(), process: text(), user: optional(text()) }),
      "the processes that started it, nearest first",
    ),
  ),
});

/** The daemon's state, as `iddio status` shows it. */
export const statusReport = object({
  daemon: words(["up"]),
  pid: number(),
  uptime_ms: number(),
  build_version: text(),
  schema_version: number(),
  proxy_mode: words(MODES),
  policy: text("'loaded', or 'loaded (operator policy.yaml failed to reload: …)'"),
  policy_looked_ms: optional(number("when policy.yaml was last looked at")),
  policy_no_longer_inspected: optional(
    list(text(), "inspect entries that the last change of the policy took away; absent when there are none"),
  ),
  settings: optional(text("'loaded', or 'loaded (settings.yaml failed to reload: …)'")),
  proxy_listen: text(),
  socket: text(),
  log: text(),
  pending_approvals: number(),
  longest_stall_ms: optional(
    number(
      "longest time, in milliseconds, that one piece of work kept all others waiting in the last minute",
    ),
  ),
  open_sockets: optional(number("sockets of clients and upstreams that are open")),
  disk_problem: optional(
    text("how little of the disk under the state directory is free; absent while a tenth is"),
  ),
  guard: optional(text("what guards approvals: off, session, totp or passkey")),
  guard_level: optional(text("how much an approval is worth against an agent, L0 to L4")),
  guard_raise: optional(text("the command that raises the level")),
  guard_runs: optional(list(runLevelReport, "the agents in `iddio run` and the level of each")),
  guard_problem: optional(text("why decisions are refused; absent while the guard is in order")),
  fleet: optional(text("the control plane that this machine belongs to, and its problem, as a clause")),
  observe_ends_ms: optional(number("when the observe session ends; absent when none runs")),
  certificate_problems: optional(
    list(
      text(),
      "client certificates that could not be used when they were last needed; absent when there are none",
    ),
  ),
  audit_problem: optional(
    text("why rows of the audit log cannot be written at present; absent while they can"),
  ),
});
/** The daemon's state, as `iddio status` shows it. */
export type StatusReport = Value<typeof statusReport>;

const approvalFields = {
  id: text("`appr_` and eight hex digits"),
  created_ms: number(),
  expires_ms: number(),
  protocol,
  tier,
  command: text(),
  labels,
  host: text(),
  port: number(),
  method: text(),
  path: text("path and query as sent; secrets in the query are masked"),
  carrier: optional(words(CARRIERS, "what carried it; absent from older daemons, which know only http")),
  target: optional(
    object({
      name: text("a host, an MCP server, the shell of an agent"),
      port: optional(number("absent where the place has none")),
    }),
  ),
  rule: text(),
  reason: text(),
  digest: optional(text("names exactly this request; older daemons send none")),
  object: optional(text("kind and name of the object that the body would make, where the path does not say")),
  group: optional(text("equal for the requests that one process has sent")),
  next: optional(
    text("the one thing that its command does next, where it tells; all that may go with it as the rest"),
  ),
  restable: optional(flag("whether the rest of its command can be allowed with it")),
};

/** One request that waits for a person. */
export const approval = object({ ...approvalFields, client: optional(client) });
/** One request that waits for a person. */
export type Approval = Value<typeof approval>;

const ended = words(
  ["timed_out", "withdrawn"],
  "how it ended undecided; it can still be allowed, for the same request sent again",
);

/** A request that ended undecided. */
export const endedApproval = object({ ...approvalFields, client: optional(client), ended });

/** The answer to allow and deny. */
export const approvalReply = object({
  id: text(),
  outcome: words(["approved", "denied"]),
  note: optional(text("what will happen now, when it is more than the outcome says")),
});
/** The answer to allow and deny. */
export type ApprovalReply = Value<typeof approvalReply>;

/**
 * An approval with everything a person needs to decide; strings come from the client and must be escaped
 * before they are printed.
 */
export const approvalDetails = object({
  ...approvalFields,
  client: optional(clientDetails),
  headers: list(pair(text(), text()), "header fields as sent, credentials replaced by `***`"),
  body: text("decoded body with secrets masked, or a clause in parentheses about one that cannot be shown"),
  trailers: optional(list(pair(text(), text()), "fields behind the body, masked as headers are")),
  evidence: optional(
    list(
      object({
        label: text("one or two words: `Request`, `Headers`, `Body`, `Command`, `Arguments`"),
        text: text("one line or many; secrets are masked"),
        pairs: optional(
          list(pair(text(), text()), "the same as names and values, where it is a list of them"),
        ),
      }),
      "shown to a person, whatever carried the request; the first is the request itself in one piece",
    ),
  ),
  grantable: flag("whether `approval allow --for` is possible"),
  ended: optional(ended),
});
/** An approval with everything a person needs to decide. */
export type ApprovalDetails = Value<typeof approvalDetails>;

/** A grant in force. */
export const grantReport = object({
  id: text("`grant_` and eight hex digits"),
  approval_id: text(),
  protocol,
  tier: optional({ ...tier, about: "of the approved request; nothing above it is covered" }),
  command: text(),
  labels,
  host: text(),
  port: number(),
  carrier: optional(words(CARRIERS, "what carried the request; a grant covers no other carrier")),
  run: optional(text("name of the run that it is for; absent: for programs outside of every run")),
  created_ms: number(),
  expires_ms: number(),
});
/** A grant in force. */
export type GrantReport = Value<typeof grantReport>;

/** The active policy: the text of the file that is enforced, which may be older than the file on disk. */
export const policyReport = object({
  text: text(),
  path: text(),
  revision: number(),
  reload_problem: optional(text()),
});
/** The active policy: the text of the file that is enforced, which may be older than the file on disk. */
export type PolicyReport = Value<typeof policyReport>;

/** The answer to `policy reload`. */
export const policyReloadReport = object({
  revision: number(),
  changed: flag(),
  warnings: list(text()),
  effect: optional(list(text("after a write: a sentence about decisions that differ, the widest first"))),
});
/** The answer to `policy reload`. */
export type PolicyReloadReport = Value<typeof policyReloadReport>;

/** The authority's certificate as `ca info` prints it. */
export const caReport = object({
  path: text(),
  bundle: text(),
  fingerprint: text(),
  not_before_ms: number(),
  not_after_ms: number(),
  trust: words(["trusted", "untrusted"]),
});
/** The authority's certificate as `ca info` prints it. */
export type CaReport = Value<typeof caReport>;

/** A registered private CA, and the client certificate presented there if there is one. */
export const upstreamReport = object({
  host: text(),
  port: number(),
  source: text(),
  ca_fingerprint: optional(text()),
  certificate_path: optional(text()),
  key_path: optional(text()),
  kubeconfig_user: optional(text()),
  server_name: optional(text()),
  path_prefixes: optional(list(text())),
  proxy: optional(text("without name and password")),
});
/** A registered private CA, and the client certificate presented there if there is one. */
export type UpstreamReport = Value<typeof upstreamReport>;

/** An upstream, as `upstream add` and `kubeconfig` register it. */
export const upstreamInput = object({
  host: text(),
  port: number(),
  ca_pem: text(),
  certificate_path: optional(
    text(
      "absolute path of the client certificate, or of the kubeconfig that embeds it for `kubeconfig_user`",
    ),
  ),
  key_path: optional(text()),
  kubeconfig_user: optional(text()),
  server_name: optional(text("name to send and verify instead of the host")),
  path_prefixes: optional(list(text("what stands before the paths of a cluster there: `/k8s/clusters/c-1`"))),
  proxy_url: optional(text("proxy to reach it through: http, https or socks5")),
  source: text("who added it: `manual` or `kubeconfig`"),
  proxy_token: optional(text()),
});
/** An upstream, as `upstream add` and `kubeconfig` register it. */
export type UpstreamInput = Value<typeof upstreamInput>;

/** The inspect list of one protocol; protocols without entries are left out. */
export const inspectReport = object({ protocol, entries: list(text()) });
/** The inspect list of one protocol; protocols without entries are left out. */
export type InspectReport = Value<typeof inspectReport>;

/** A classification, with the inspect entry that chose the protocol. */
export const classifyReport = object({
  protocol,
  tier,
  command: text(),
  labels,
  reason: text(),
  entry: optional(
    text("the inspect entry that chose the protocol; absent when no entry matched and the host name did"),
  ),
});
/** A classification, with the inspect entry that chose the protocol. */
export type ClassifyReport = Value<typeof classifyReport>;

/**
 * The policy's answer to a made-up request; `splice` when no inspect entry covers the host, so nothing would
 * be judged.
 */
export const decideReport = object({
  decision: words([...ACTIONS, "splice"]),
  reason: text(),
  classification: optional(classifyReport),
  rule: optional(text()),
  line: optional(number()),
});
/** The policy's answer to a made-up request; `splice` when no inspect entry covers the host. */
export type DecideReport = Value<typeof decideReport>;

/** A row of an event stream: an event, or the count of events that a slow reader lost. */
export const eventRow = either(
  object({
    id: optional(text("names it to a reader who wants to go on after it; older daemons send none")),
    timestamp_ms: number(),
    tag: words(EVENT_TAGS),
    fields: map({ shape: { kind: "anything" } }, "depends on the tag; the names are those of the audit log"),
  }),
  object({ lost: number("events that the reader was too slow for") }),
);
/** A row of an event stream: an event, or the count of events that a slow reader lost. */
export type EventRow = Value<typeof eventRow>;
