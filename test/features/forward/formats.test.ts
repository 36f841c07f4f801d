// The formats in which audit rows leave the machine, against what their standards say.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ocsfEvent } from "../../../src/features/forward/formats/ocsf-event.ts";
import { otlpLogs } from "../../../src/features/forward/formats/otlp-logs.ts";
import { octetCounted, syslogMessage } from "../../../src/features/forward/formats/syslog-message.ts";
import type { Entry } from "../../../src/model/entry.ts";

const sender = { hostname: "build-7.example.com", version: "v26.1129.0000" };
const blocked: Entry = {
  timestamp_ms: Date.UTC(2026, 10, 29, 6, 7, 8, 9),
  op: "block",
  hash: "0123456789abcdef0123456789abcdef",
  fields: {
    host: "k8s.example.com",
    port: 6443,
    method: "DELETE",
    path: "/api/v1/namespaces/prod",
    protocol: "kubectl",
    tier: "break-glass",
    command: "namespaces delete",
    outcome: "refused",
    decision: "deny",
    client: { user: "ana", pid: 4711, process: "kubectl" },
  },
};

describe("syslog", () => {
  test("a row is one message of RFC 5424 with the row's JSON after a byte order mark", () => {
    const message = syslogMessage(blocked, sender);
    const match = /^<(\d+)>1 (\S+) (\S+) iddio (\S+) (\S+) - \ufeff(.*)$/.exec(message);
    // Facility 13, severity 3: a break-glass request was refused.
    expect(match?.slice(1, 6)).toEqual([
      "107",
      "2026-11-29T06:07:08.009Z",
      "build-7.example.com",
      "4711",
      "block",
    ]);
    expect(JSON.parse(match?.[6] ?? "")).toEqual(blocked);
  });

  test("frames count octets, not letters", () => {
    expect(octetCounted("aé\u{1f511}")).toBe("7 aé\u{1f511}");
  });

  test("whatever a row holds, its message has one line, fits 8 KB and ends on JSON", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.string({ maxLength: 3_000 }), { maxKeys: 30 }),
        fc.string(),
        (fields, host) => {
          const message = syslogMessage({ ...blocked, fields }, { ...sender, hostname: host });
          expect(Buffer.byteLength(message)).toBeLessThanOrEqual(8 * 1024);
          expect(message).not.toContain("\n");
          const mark = message.indexOf("\ufeff");
          expect(message.slice(0, mark)).toMatch(
            /^<\d+>1 [\x21-\x7e]+ [\x21-\x7e]+ iddio [\x21-\x7e]+ block - $/,
          );
          expect(() => JSON.parse(message.slice(mark + 1))).not.toThrow();
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("OTLP", () => {
  test("64-bit numbers are strings, and the fields of a row are attributes", () => {
    const request = otlpLogs([blocked], sender, blocked.timestamp_ms + 5) as {
      resourceLogs: [
        { resource: { attributes: object[] }; scopeLogs: [{ logRecords: Record<string, unknown>[] }] },
      ];
    };
    const record = request.resourceLogs[0].scopeLogs[0].logRecords[0];
    expect(record).toMatchObject({
      timeUnixNano: "1795932428009000000",
      observedTimeUnixNano: "1795932428014000000",
      severityNumber: 17,
      severityText: "ERROR",
      eventName: "iddio.block",
      body: { stringValue: JSON.stringify(blocked) },
    });
    expect(record?.attributes).toContainEqual({ key: "iddio.client.pid", value: { intValue: "4711" } });
    expect(record?.attributes).toContainEqual({ key: "iddio.tier", value: { stringValue: "break-glass" } });
    expect(request.resourceLogs[0].resource.attributes).toContainEqual({
      key: "service.name",
      value: { stringValue: "iddio" },
    });
  });
});

describe("OCSF", () => {
  /** Required attributes of API Activity, class 6003, and of the objects in it. */
  const required = [
    "activity_id",
    "actor",
    "api",
    "category_uid",
    "class_uid",
    "metadata",
    "severity_id",
    "src_endpoint",
    "time",
    "type_uid",
  ];

  test("a refused delete is a denied API activity", () => {
    expect(ocsfEvent(blocked, sender)).toMatchObject({
      class_uid: 6003,
      category_uid: 6,
      activity_id: 4,
      type_uid: 600304,
      severity_id: 4,
      status_id: 2,
      action_id: 2,
      disposition_id: 2,
      metadata: { uid: blocked.hash, product: { name: "iddio" } },
      actor: { user: { name: "ana" }, process: { name: "kubectl", pid: 4711 } },
      api: { operation: "namespaces delete", service: { name: "kubectl" } },
      dst_endpoint: { hostname: "k8s.example.com", port: 6443 },
      unmapped: { tier: "break-glass", outcome: "refused", decision: "deny" },
    });
  });

  test("every kind of row has what the class requires, and its ids agree", () => {
    for (const op of ["mitm", "intent", "block", "passthrough", "pin_splice", "control", "hook"] as const)
      for (const fields of [{}, blocked.fields, { command: "pin", outcome: "allowed" as const }]) {
        const event = ocsfEvent({ ...blocked, op, fields }, sender) as Record<string, number>;
        for (const name of required) expect(event[name]).toBeDefined();
        expect(event.type_uid).toBe((event.class_uid ?? 0) * 100 + (event.activity_id ?? 0));
      }
  });

  test("what was asked for and not answered yet has no result", () => {
    expect(ocsfEvent({ ...blocked, op: "intent", fields: { tier: "modify" } }, sender)).toMatchObject({
      status_id: 0,
      action_id: 0,
    });
  });
});
