// The control protocol as one typed table, shared by both ends: the daemon's handlers and the
// CLI's calls are typed by it. Names on the wire are snake_case JSON. Nothing here may know how a
// method is carried out. A method that is only ever added to, never changed, keeps old CLIs working.

import type { Action } from "../model/action.ts";
import type { ClientDetails, ClientIdentity } from "../model/entry.ts";
import type { Event } from "../model/event.ts";
import type { Mode } from "../model/mode.ts";
import type { Protocol } from "../model/protocol.ts";
import type { TierOrUnknown } from "../model/tier.ts";
import type { UpdateState } from "../model/update-state.ts";
import type {
  ObserveReport,
  PinReport,
  ProbeReport,
  ProbeStart,
  SettingChange,
  SettingsReload,
  SuspectReport,
} from "./daemon-reports.ts";

/** What `iddio status` shows. */
export interface StatusReport {
  readonly daemon: "up";
  readonly pid: number;
  readonly uptime_ms: number;
  readonly build_version: string;
  readonly schema_version: number;
  readonly proxy_mode: Mode;
  /** "loaded", or "loaded (operator policy.yaml failed to reload: …)". */
  readonly policy: string;
  readonly proxy_listen: string;
  readonly socket: string;
  readonly log: string;
  readonly pending_approvals: number;
  /** When the observe session ends; absent when none runs. */
  readonly observe_ends_ms?: number;
  /** Why rows of the audit log cannot be written at present; absent while they can. */
  readonly audit_problem?: string;
}

/** One request that waits for a person. */
export interface Approval {
  /** `appr_` and eight hex digits. */
  readonly id: string;
  readonly created_ms: number;
  readonly expires_ms: number;
  readonly protocol: Protocol;
  readonly tier: TierOrUnknown;
  readonly command: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly host: string;
  readonly port: number;
  readonly method: string;
  /** Path and query as sent; secrets in the query are masked. */
  readonly path: string;
  readonly rule: string;
  readonly reason: string;
  readonly client?: ClientIdentity;
}

/** The answer to allow and deny. */
export interface ApprovalReply {
  readonly id: string;
  readonly outcome: "approved" | "denied";
  /** What will happen now, in one lower-case clause, when it is more than the outcome says. */
  readonly note?: string;
}

/** What a person needs to decide; strings come from the client and must be escaped before they are printed. */
export interface ApprovalDetails extends Approval {
  /** With its program and the processes that started it, while they run. */
  readonly client?: ClientDetails;
  /** Header fields as sent, credentials replaced by `***`. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Decoded body with secrets masked, or a clause in parentheses about one that cannot be shown. */
  readonly body: string;
  /** Whether `approval allow --for` is possible. */
  readonly grantable: boolean;
  /** How it ended undecided; it can still be allowed, for the same request sent again. */
  readonly ended?: "timed_out" | "withdrawn";
}

/** A grant in force. */
export interface GrantReport {
  /** `grant_` and eight hex digits. */
  readonly id: string;
  readonly approval_id: string;
  readonly protocol: Protocol;
  readonly command: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly host: string;
  readonly port: number;
  readonly created_ms: number;
  readonly expires_ms: number;
}

/** The active policy: the text of the file that is enforced, which may be older than the file on disk. */
export interface PolicyReport {
  readonly text: string;
  readonly path: string;
  readonly revision: number;
  readonly reload_problem?: string;
}

/** The answer to `policy reload`. */
export interface PolicyReloadReport {
  readonly revision: number;
  readonly changed: boolean;
  readonly warnings: readonly string[];
}

/** The authority's certificate as `ca info` prints it. */
export interface CaReport {
  readonly path: string;
  readonly bundle: string;
  readonly fingerprint: string;
  /** ISO 8601, UTC. */
  readonly not_before: string;
  readonly not_after: string;
  readonly trust: "trusted" | "untrusted";
}

/** A registered private CA, and the client certificate presented there if there is one. */
export interface UpstreamReport {
  readonly host: string;
  readonly port: number;
  readonly source: string;
  readonly ca_fingerprint?: string;
  readonly certificate_path?: string;
  readonly key_path?: string;
  readonly kubeconfig_user?: string;
  readonly server_name?: string;
}

/** What `upstream add` and `kubeconfig` register. */
export interface UpstreamInput {
  readonly host: string;
  readonly port: number;
  readonly ca_pem: string;
  /** Absolute path of the client certificate, or of the kubeconfig that embeds it for `kubeconfig_user`. */
  readonly certificate_path?: string;
  readonly key_path?: string;
  readonly kubeconfig_user?: string;
  /** Name to send and verify instead of the host. */
  readonly server_name?: string;
  /** Who added it: `manual` or `kubeconfig`. */
  readonly source: string;
  readonly proxy_token?: string;
}

/** The inspect list of one protocol; protocols without entries are left out. */
export interface InspectReport {
  readonly protocol: Protocol;
  readonly entries: readonly string[];
}

/** What classification found, with the datum that decided. */
export interface ClassifyReport {
  readonly protocol: Protocol;
  readonly tier: TierOrUnknown;
  readonly command: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly reason: string;
  /** The inspect entry that chose the protocol; absent when no entry matched and the host name did. */
  readonly entry?: string;
}

/** What the policy would do; `splice` when no inspect entry covers the host, so nothing would be judged. */
export interface DecideReport {
  readonly decision: Action | "splice";
  readonly reason: string;
  readonly classification?: ClassifyReport;
  readonly rule?: string;
  readonly line?: number;
}

/** Where the daemon's update of itself is. */
export interface UpdateReport {
  readonly state: UpdateState["kind"];
  readonly current_version: string;
  /** The later version that the state is about. */
  readonly version?: string;
  readonly received_bytes?: number;
  readonly total_bytes?: number;
  readonly problem?: string;
  readonly feed: string;
  /** ISO 8601, UTC. */
  readonly last_check?: string;
  readonly next_check?: string;
}

/** A row of an event stream: an event, or the count of events that a slow reader lost. */
export type EventRow = Event | { readonly lost: number };

type None = Readonly<Record<string, never>>;
type AtHost = { readonly host: string; readonly port?: number };
type WithReason = { readonly id: string; readonly reason?: string };

/** Input and output of every method; for a stream the output is one row. */
export interface ControlMethods {
  status: { input: None; output: StatusReport };
  policy_show: { input: None; output: PolicyReport };
  policy_reload: { input: None; output: PolicyReloadReport };
  /** Replaces policy.yaml. `base_sha256` is of the file that was edited ("" when there was none): if it is another by now, nothing is written. */
  policy_write: {
    input: { readonly text: string; readonly base_sha256?: string };
    output: PolicyReloadReport;
  };
  mode_get: { input: None; output: { readonly proxy_mode: Mode } };
  mode_set: {
    input: { readonly proxy_mode: Mode };
    output: { readonly proxy_mode: Mode; readonly previous: Mode };
  };
  approvals_list: { input: None; output: { readonly approvals: readonly Approval[] } };
  approvals_show: { input: { readonly id: string }; output: { readonly approval: ApprovalDetails } };
  /** `for_ms` adds a grant for requests like this one; at most a day. */
  approvals_allow: { input: WithReason & { readonly for_ms?: number }; output: ApprovalReply };
  approvals_deny: { input: WithReason; output: ApprovalReply };
  grants_list: { input: None; output: { readonly grants: readonly GrantReport[] } };
  grants_revoke: { input: { readonly id: string }; output: { readonly id: string } };
  events: { input: { readonly follow: boolean }; output: EventRow };
  ca_info: { input: None; output: CaReport };
  upstreams_list: { input: None; output: { readonly upstreams: readonly UpstreamReport[] } };
  upstreams_add: { input: UpstreamInput; output: { readonly upstream: UpstreamReport } };
  upstreams_remove: {
    input: { readonly host: string; readonly port: number };
    output: { readonly removed: boolean };
  };
  inspect_summary: { input: None; output: { readonly protocols: readonly InspectReport[] } };
  inspect_add: {
    input: { readonly protocol: Protocol; readonly entry: string };
    output: { readonly changed: boolean; readonly note?: string };
  };
  inspect_remove: {
    input: { readonly protocol: Protocol; readonly entry: string };
    output: { readonly changed: boolean; readonly note?: string };
  };
  pins_list: { input: None; output: { readonly pins: readonly PinReport[] } };
  pins_add: {
    input: AtHost & { readonly note?: string };
    output: { readonly pin: PinReport; readonly changed: boolean; readonly note?: string };
  };
  pins_remove: { input: AtHost; output: { readonly removed: readonly PinReport[] } };
  detector_list: {
    input: None;
    output: { readonly setting: string; readonly suspects: readonly SuspectReport[] };
  };
  detector_clear: { input: None; output: { readonly cleared: number } };
  detector_promote: { input: AtHost; output: { readonly pins: readonly PinReport[] } };
  observe_status: { input: None; output: ObserveReport };
  observe_start: { input: { readonly duration_ms: number }; output: ObserveReport };
  observe_stop: { input: None; output: ObserveReport };
  observe_clear: { input: None; output: { readonly path: string } };
  settings_get: { input: None; output: { readonly settings: Readonly<Record<string, unknown>> } };
  /** The value as typed. */
  settings_set: { input: { readonly name: string; readonly value: string }; output: SettingChange };
  settings_reload: { input: None; output: SettingsReload };
  /** Opens a name for `doctor --live` to send a client to; its requests are classified as if to `stands_for`. */
  probes_start: {
    input: { readonly protocol: Protocol; readonly stands_for?: string };
    output: ProbeStart;
  };
  probes_end: { input: { readonly id: string }; output: ProbeReport };
  classify: {
    input: {
      readonly method: string;
      readonly url: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body_b64?: string;
    };
    output: ClassifyReport;
  };
  update_status: { input: None; output: UpdateReport };
  /** Without `force` a release that was looked for a moment ago is not looked for again. */
  update_check: { input: { readonly force: boolean }; output: UpdateReport };
  /** Begins, and answers before it is done: the daemon restarts on the way. */
  update_apply: { input: None; output: UpdateReport };
  decide: {
    input: { readonly method: string; readonly host: string; readonly path: string };
    output: DecideReport;
  };
}

/** The name of a method. */
export type ControlMethod = keyof ControlMethods;

/** The methods that answer with a stream of rows instead of one object. */
export type StreamMethod = "events";

/** The methods that answer with one object. */
export type CallMethod = Exclude<ControlMethod, StreamMethod>;

/** What a field of an input must be; with `?` it may be absent. */
export type FieldKind = "string" | "number" | "boolean" | "map" | "string?" | "number?" | "boolean?" | "map?";

/** How a method travels: input as a JSON object in the body (none for GET), output as JSON or NDJSON. */
export interface MethodRoute {
  readonly verb: "GET" | "POST";
  /** Versioned path; an incompatible change gets `/v2/…` beside it. */
  readonly path: string;
  /** Fields of the input; the server refuses any other, so that a flag an older daemon does not know is never ignored. */
  readonly input: Readonly<Record<string, FieldKind>>;
}

const get = (path: string): MethodRoute => ({ verb: "GET", path, input: {} });
const post = (path: string, input: MethodRoute["input"] = {}): MethodRoute => ({ verb: "POST", path, input });

/** Where each method is found and what it takes. */
export const METHODS: Readonly<Record<ControlMethod, MethodRoute>> = {
  status: get("/v1/status"),
  policy_show: get("/v1/policy"),
  policy_reload: post("/v1/policy/reload"),
  policy_write: post("/v1/policy/write", { text: "string", base_sha256: "string?" }),
  mode_get: get("/v1/mode"),
  mode_set: post("/v1/mode", { proxy_mode: "string" }),
  approvals_list: get("/v1/approvals"),
  approvals_show: post("/v1/approvals/show", { id: "string" }),
  approvals_allow: post("/v1/approvals/allow", { id: "string", reason: "string?", for_ms: "number?" }),
  approvals_deny: post("/v1/approvals/deny", { id: "string", reason: "string?" }),
  grants_list: get("/v1/grants"),
  grants_revoke: post("/v1/grants/revoke", { id: "string" }),
  events: post("/v1/events", { follow: "boolean" }),
  ca_info: get("/v1/ca"),
  upstreams_list: get("/v1/upstreams"),
  upstreams_add: post("/v1/upstreams/add", {
    host: "string",
    port: "number",
    ca_pem: "string",
    certificate_path: "string?",
    key_path: "string?",
    kubeconfig_user: "string?",
    server_name: "string?",
    source: "string",
    proxy_token: "string?",
  }),
  upstreams_remove: post("/v1/upstreams/remove", { host: "string", port: "number" }),
  inspect_summary: get("/v1/inspect"),
  inspect_add: post("/v1/inspect/add", { protocol: "string", entry: "string" }),
  inspect_remove: post("/v1/inspect/remove", { protocol: "string", entry: "string" }),
  pins_list: get("/v1/pins"),
  pins_add: post("/v1/pins/add", { host: "string", port: "number?", note: "string?" }),
  pins_remove: post("/v1/pins/remove", { host: "string", port: "number?" }),
  detector_list: get("/v1/detector"),
  detector_clear: post("/v1/detector/clear"),
  detector_promote: post("/v1/detector/promote", { host: "string", port: "number?" }),
  observe_status: get("/v1/observe"),
  observe_start: post("/v1/observe/start", { duration_ms: "number" }),
  observe_stop: post("/v1/observe/stop"),
  observe_clear: post("/v1/observe/clear"),
  settings_get: get("/v1/settings"),
  settings_set: post("/v1/settings/set", { name: "string", value: "string" }),
  settings_reload: post("/v1/settings/reload"),
  probes_start: post("/v1/probes/start", { protocol: "string", stands_for: "string?" }),
  probes_end: post("/v1/probes/end", { id: "string" }),
  classify: post("/v1/classify", { method: "string", url: "string", headers: "map?", body_b64: "string?" }),
  update_status: get("/v1/update"),
  update_check: post("/v1/update/check", { force: "boolean" }),
  update_apply: post("/v1/update/apply"),
  decide: post("/v1/decide", { method: "string", host: "string", path: "string" }),
};

/** The methods that answer with rows. */
export const STREAM_METHODS: readonly StreamMethod[] = ["events"];

/** Who called, as the kernel tells of the other end of the socket; empty where it does not tell. */
export interface Caller {
  readonly uid?: number;
  readonly pid?: number;
}

/** The sending end of a stream. */
export interface RowSink<Row> {
  /** Never blocks; when the reader is slow the oldest unsent rows are dropped and counted. */
  send(row: Row): void;
  /** Aborted when the reader has gone or the server closes. */
  readonly signal: AbortSignal;
}

/** What the daemon implements: one function a method. Throw a UserError to refuse. */
export type ControlHandlers = {
  readonly [M in CallMethod]: (
    input: ControlMethods[M]["input"],
    caller: Caller,
  ) => ControlMethods[M]["output"] | Promise<ControlMethods[M]["output"]>;
} & {
  /** The stream ends when the returned promise resolves. */
  readonly [M in StreamMethod]: (
    input: ControlMethods[M]["input"],
    caller: Caller,
    sink: RowSink<ControlMethods[M]["output"]>,
  ) => void | Promise<void>;
};
