// Approvals as a daemon would report them, for tests of what shows them.

import type { Approval, ApprovalDetails } from "../../src/api/reports.ts";

/** An approval whose id is made of `name`. */
export function approvalOf(name: string, more: Partial<Approval> = {}): Approval {
  return {
    id: `appr_${name.padStart(8, "0")}`,
    created_ms: 0,
    expires_ms: 2_000_000,
    protocol: "kubectl",
    tier: "sensitive",
    command: "pods delete",
    labels: { namespace: "payments" },
    host: "my-cluster.eks.amazonaws.com",
    port: 443,
    method: "DELETE",
    path: `/api/v1/namespaces/payments/pods/${name}`,
    rule: "kubectl.rules.escalate.groups[0]",
    reason: "delete of pods",
    ...more,
  };
}

/** The same with headers and body. */
export function detailsOf(name: string, more: Partial<ApprovalDetails> = {}): ApprovalDetails {
  return {
    ...approvalOf(name),
    headers: [
      ["host", "my-cluster.eks.amazonaws.com"],
      ["authorization", "***"],
    ],
    body: '{\n  "gracePeriodSeconds": 0\n}',
    grantable: true,
    ...more,
  };
}
