// A row of the audit log as a case for policy.test.yaml. The request is given where its method,
// host and path say all that the row says; else the operation itself with every fact of the row,
// because a row has no body.

import type { Classification } from "../../model/classification.ts";
import type { Entry } from "../../model/entry.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { bracketed } from "../../text/host-port.ts";
import { recordedRequest, rowFacts } from "../replay/row-facts.ts";

/** The case as YAML, or undefined for a row that is about no judged request, or that keeps too little of it. */
export function caseOfRow({ hash, fields }: Entry): string | undefined {
  const recorded = recordedRequest(fields)?.classification;
  const decision = fields.decision ?? fields.would_be_decision;
  if (recorded === undefined || typeof decision !== "string") return undefined;
  const { protocol, tier, command } = recorded;
  const { host, port = 443, method, path } = fields;
  // With an approval the decision is a person's; the policy's was to ask.
  const action = fields.approval_id === undefined ? decision : "escalate";
  const request =
    host === undefined || method === undefined || path === undefined || port === 0
      ? undefined
      : { host, port, method, target: path, headers: [], body: { kind: "none" } as const };
  const fresh = request === undefined ? undefined : classifierFor(protocol).classify(request);
  const isWhole = fresh !== undefined && askOf(fresh) === askOf(recorded);
  const name = bracketed(host ?? "");
  const given =
    isWhole && request !== undefined
      ? `{ request: ${quoted(`${method} https://${name}${port === 443 ? "" : `:${port}`}${path}`)} }`
      : `{ ask: ${askOf(recorded)} }`;
  return [
    `- note: ${quoted(`${command || protocol}, as in row ${hash}`)}`,
    `  given: ${given}`,
    `  want: { action: ${action}, tier: ${tier} }`,
    "",
  ].join("\n");
}

function askOf(classification: Classification): string {
  const { protocol, tier, command, labels } = classification;
  const { classifier: _, ...facts } = rowFacts(classification, false, "");
  return JSON.stringify({ protocol, tier, command, labels, ...facts });
}

/** JSON's strings are YAML's. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
