// A row as an event of the Open Cybersecurity Schema Framework, class API Activity (6003). The
// mapping keeps its shape between releases: receivers parse it. Fields without a place in the class
// are under `unmapped`, named as in audit.jsonl.

import type { Entry } from "../../../model/entry.ts";
import { type ForwardedEntry, hostnameOf, type Sender } from "../sink.ts";
import { isRefused, type Severity, severityOf } from "./severity.ts";

/** Version of the schema that events follow. */
export const OCSF_VERSION = "1.5.0";

const CATEGORY = 6;
const CLASS = 6003;
const SEVERITIES: Readonly<Record<Severity, number>> = { info: 1, low: 2, medium: 3, high: 4 };
const SEVERITY_NAMES: Readonly<Record<Severity, string>> = {
  info: "Informational",
  low: "Low",
  medium: "Medium",
  high: "High",
};

/** Activities of the class. */
const ACTIVITIES = { Create: 1, Read: 2, Update: 3, Delete: 4, Other: 99 } as const;

/** The fields of a row that have a place of their own in the event. */
const MAPPED: ReadonlySet<string> = new Set([
  "client",
  "command",
  "duration_ms",
  "host",
  "method",
  "path",
  "port",
  "protocol",
  "reason",
  "request_id",
  "status",
]);

/** The event; every attribute that the class requires is there. */
export function ocsfEvent(entry: ForwardedEntry, sender: Sender): object {
  const { fields, device } = entry;
  const hostname = hostnameOf(entry, sender);
  const activity = activityOf(entry);
  const severity = severityOf(entry);
  const isBlocked = isRefused(entry);
  const isPending = entry.op === "intent";
  const { client } = fields;
  return {
    activity_id: ACTIVITIES[activity],
    activity_name: activity,
    category_uid: CATEGORY,
    category_name: "Application Activity",
    class_uid: CLASS,
    class_name: "API Activity",
    type_uid: CLASS * 100 + ACTIVITIES[activity],
    type_name: `API Activity: ${activity}`,
    severity_id: SEVERITIES[severity],
    severity: SEVERITY_NAMES[severity],
    time: entry.timestamp_ms,
    metadata: {
      version: OCSF_VERSION,
      uid: entry.hash,
      log_name: "audit.jsonl",
      event_code: entry.op,
      product: { name: "iddio", vendor_name: "iddio", version: sender.version },
      profiles: ["security_control", "host"],
    },
    device: { hostname, ...(device === undefined ? {} : { uid: device.id }), type_id: 0, type: "Unknown" },
    actor: {
      user: { name: client?.user ?? "unknown" },
      ...(client?.process === undefined && client?.pid === undefined
        ? {}
        : {
            process: {
              name: client.process ?? "unknown",
              ...(client.pid === undefined ? {} : { pid: client.pid }),
            },
          }),
      ...(client?.run === undefined ? {} : { session: { uid: client.run_id ?? client.run } }),
    },
    api: {
      operation: fields.command || fields.method || entry.op,
      service: { name: fields.protocol ?? "iddio" },
      ...(fields.request_id === undefined ? {} : { request: { uid: fields.request_id } }),
      ...(fields.status === undefined ? {} : { response: { code: fields.status } }),
    },
    src_endpoint: { hostname },
    ...(fields.host === undefined
      ? {}
      : {
          dst_endpoint: {
            hostname: fields.host,
            ...(fields.port === undefined ? {} : { port: fields.port }),
          },
        }),
    ...(fields.method === undefined || fields.path === undefined
      ? {}
      : {
          http_request: {
            http_method: fields.method,
            url: { hostname: fields.host ?? "", port: fields.port ?? 443, path: fields.path },
          },
        }),
    ...(fields.status === undefined ? {} : { http_response: { code: fields.status } }),
    status_id: isPending ? 0 : isBlocked ? 2 : 1,
    status: isPending ? "Unknown" : isBlocked ? "Failure" : "Success",
    action_id: isPending ? 0 : isBlocked ? 2 : 1,
    action: isPending ? "Unknown" : isBlocked ? "Denied" : "Allowed",
    disposition_id: isPending ? 0 : isBlocked ? 2 : 1,
    disposition: isPending ? "Unknown" : isBlocked ? "Blocked" : "Allowed",
    ...(fields.duration_ms === undefined ? {} : { duration: Math.round(fields.duration_ms) }),
    ...(fields.reason === undefined ? {} : { message: fields.reason }),
    unmapped: Object.fromEntries(Object.entries(fields).filter(([name]) => !MAPPED.has(name))),
  };
}

function activityOf({ fields: { tier, method } }: Entry): keyof typeof ACTIVITIES {
  if (tier === "observe") return "Read";
  switch (method) {
    case "GET":
    case "HEAD":
    case "OPTIONS":
      return "Read";
    case "POST":
      return "Create";
    case "PUT":
    case "PATCH":
      return "Update";
    case "DELETE":
      return "Delete";
    default:
      return "Other";
  }
}
