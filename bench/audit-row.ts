// One row of an audit log as a day of kubectl writes it, for sections that need many.

import type { Entry } from "../src/model/entry.ts";

/** The row with this number: time, hash and request id are its own, the rest is the same in all. */
export function auditRow(number: number): Entry {
  const digits = number.toString(16);
  return {
    timestamp_ms: 1_736_947_921_003 + number,
    op: "mitm",
    hash: digits.padStart(32, "0"),
    fields: {
      request_id: digits.padStart(16, "0"),
      host: "my-cluster.eks.amazonaws.com",
      port: 443,
      method: "GET",
      path: "/api/v1/namespaces/payments/pods?limit=500",
      protocol: "kubectl",
      tier: "observe",
      command: "pods list",
      labels: { namespace: "payments" },
      decision: "allow",
      rule: "kubectl.rules.allow.groups[0]",
      outcome: "allowed",
      status: 200,
      duration_ms: 12,
    },
  };
}
