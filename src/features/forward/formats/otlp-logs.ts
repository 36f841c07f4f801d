// Rows as an OTLP/HTTP logs request in its JSON encoding (OpenTelemetry Protocol 1.x): 64-bit
// numbers are strings, names are lowerCamelCase, and the fields of a row become attributes with
// dots.

import type { Entry } from "../../../model/entry.ts";
import { type ForwardedEntry, hostnameOf, type Sender } from "../sink.ts";
import { type Severity, severityOf } from "./severity.ts";

type AnyValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number };

interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

/** Numbers of the log data model. */
const NUMBERS: Readonly<Record<Severity, readonly [number, string]>> = {
  info: [9, "INFO"],
  low: [10, "INFO2"],
  medium: [13, "WARN"],
  high: [17, "ERROR"],
};
const MAX_ATTRIBUTES = 100;
const MAX_DEPTH = 6;

/** The body of a request to `/v1/logs`. `body` gives the text of a record's body. */
export function otlpLogs(
  entries: readonly ForwardedEntry[],
  sender: Sender,
  nowMs: number,
  body: (entry: Entry) => unknown = (entry) => entry,
): object {
  // A resource is a machine; the records of each stay in order.
  const byHost = Map.groupBy(entries, (entry) => hostnameOf(entry, sender));
  return {
    resourceLogs: [...byHost].map(([hostname, own]) => ({
      resource: {
        attributes: [
          attribute("service.name", "iddio"),
          attribute("service.version", sender.version),
          attribute("host.name", hostname),
        ],
      },
      scopeLogs: [
        {
          scope: { name: "iddio.audit", version: sender.version },
          logRecords: own.map((entry) => record(entry, nowMs, JSON.stringify(body(entry)))),
        },
      ],
    })),
  };
}

function record(entry: Entry, nowMs: number, body: string): object {
  const [severityNumber, severityText] = NUMBERS[severityOf(entry)];
  const attributes: KeyValue[] = [attribute("iddio.hash", entry.hash)];
  flatten("iddio", entry.fields, attributes, 0);
  return {
    timeUnixNano: nanoseconds(entry.timestamp_ms),
    observedTimeUnixNano: nanoseconds(nowMs),
    severityNumber,
    severityText,
    eventName: `iddio.${entry.op}`,
    body: { stringValue: body },
    attributes,
  };
}

function flatten(prefix: string, value: object, into: KeyValue[], depth: number): void {
  for (const [name, each] of Object.entries(value)) {
    if (into.length >= MAX_ATTRIBUTES) return;
    const key = `${prefix}.${name}`;
    if (typeof each === "object" && each !== null && !Array.isArray(each) && depth < MAX_DEPTH)
      flatten(key, each, into, depth + 1);
    else if (each !== undefined && each !== null) into.push(attribute(key, each));
  }
}

function attribute(key: string, value: unknown): KeyValue {
  return { key, value: anyValue(value) };
}

function anyValue(value: unknown): AnyValue {
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number" && Number.isSafeInteger(value)) return { intValue: String(value) };
  if (typeof value === "number" && Number.isFinite(value)) return { doubleValue: value };
  return { stringValue: typeof value === "string" ? value : (JSON.stringify(value) ?? "") };
}

function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms)) * 1_000_000n);
}
