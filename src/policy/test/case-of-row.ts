// A row of the audit log as a case for policy.test.yaml. The request is given where its method, host and path say all
// that the row says; else the operation itself, because a row has no body.

import type { Entry } from "../../model/entry.ts";
import { classifierFor } from "../../protocols/registry.ts";

/** The case as YAML, or undefined for a row that is about no judged request. */
export function caseOfRow({ hash, fields }: Entry): string | undefined {
  const { protocol, tier, command = "", labels = {}, decision, host, port = 443, method, path } = fields;
  if (protocol === undefined || tier === undefined || decision === undefined) return undefined;
  // With an approval the decision is a person's; the policy's was to ask.
  const action = fields.approval_id === undefined ? decision : "escalate";
  const request =
    host === undefined || method === undefined || path === undefined
      ? undefined
      : { host, port, method, target: path, headers: [], body: { kind: "none" } as const };
  const fresh = request === undefined ? undefined : classifierFor(protocol).classify(request);
  const isWhole = fresh?.tier === tier && fresh.command === command;
  const name = host?.includes(":") ? `[${host}]` : host;
  const given =
    isWhole && request !== undefined
      ? `{ request: ${quoted(`${method} https://${name}${port === 443 ? "" : `:${port}`}${path}`)} }`
      : `{ ask: ${JSON.stringify({ protocol, tier, command, labels })} }`;
  return [
    `- note: ${quoted(`${command || protocol}, as in row ${hash}`)}`,
    `  given: ${given}`,
    `  want: { action: ${action}, tier: ${tier} }`,
    "",
  ].join("\n");
}

/** JSON's strings are YAML's. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
