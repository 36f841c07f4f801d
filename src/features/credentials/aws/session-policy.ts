// The session policy of one approved action: a role's keys that are minted for it may do that and
// no more. The service takes the role's own policies and this one together, so it never widens
// anything.

import type { Classification } from "../../../model/classification.ts";

/** Characters of a policy that STS takes. */
const MAX_LENGTH = 2048;

/** The policy for an operation; undefined when no policy that STS accepts can express it. */
export function sessionPolicy(operation: Classification): string | undefined {
  const parts = [operation, ...(operation.parts ?? [])];
  const statements = new Map<string, object>();
  for (const part of parts) {
    const actions = actionsOf(part);
    if (actions.length === 0) return undefined;
    const statement = { Effect: "Allow", Action: actions, Resource: resourcesOf(part), ...conditionOf(part) };
    statements.set(JSON.stringify(statement), statement);
  }
  const text = JSON.stringify({ Version: "2012-10-17", Statement: [...statements.values()] });
  return text.length <= MAX_LENGTH ? text : undefined;
}

/** Names of IAM: those of the service by which the operation is known there. */
function actionsOf({ aliases, labels }: Classification): readonly string[] {
  const { service } = labels;
  const actions = aliases.filter(
    (alias) =>
      service !== undefined && alias.startsWith(`${service}:`) && /^[a-z0-9-]+:[A-Za-z0-9]+$/.test(alias),
  );
  return [...new Set(actions)].sort();
}

function resourcesOf({ labels }: Classification): readonly string[] {
  const { service, bucket, region = "" } = labels;
  if (service !== "s3" || bucket === undefined || !/^[a-z0-9][a-z0-9.-]{1,62}$/.test(bucket)) return ["*"];
  const partition = region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
  return [`arn:${partition}:s3:::${bucket}`, `arn:${partition}:s3:::${bucket}/*`];
}

function conditionOf({ labels }: Classification): object {
  const { region } = labels;
  return region === undefined ? {} : { Condition: { StringEquals: { "aws:RequestedRegion": region } } };
}
