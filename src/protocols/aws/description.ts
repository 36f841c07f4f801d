// Describes known operations: tier, command, other spellings, service, reason. Kept for each
// operation, because the same few are asked for all day. When several cannot be told apart, the
// strictest one's description is used.

import { stricterTier, type Tier } from "../../model/tier.ts";
import { type AwsOperation, cliOperationName } from "./catalogue.ts";
import { awsTier } from "./tier.ts";

/** An operation in the words of a classification. */
export interface OperationDescription {
  readonly tier: Tier;
  /** `ec2 terminate-instances`. */
  readonly command: string;
  /** `ec2:TerminateInstances`, and the commands of other operations that it may be. */
  readonly aliases: readonly string[];
  /** The service prefix of IAM and ARNs. */
  readonly service: string;
  readonly reason: string;
}

const DESCRIPTIONS = new WeakMap<AwsOperation, OperationDescription>();

/** Describes operations that a request may equally well mean; at least one. */
export function describeOperations(operations: readonly AwsOperation[]): OperationDescription {
  // At a host that several services share (rds, neptune, docdb) the one that gave it its name speaks for all.
  const owner = operations.find(({ api }) => api.cli === api.iam) ?? operations[0];
  if (owner === undefined) throw new Error("no operation to describe");
  const first = describe(owner);
  if (operations.length === 1) return first;
  const others = operations.filter((one) => one !== owner).map(describe);
  let strictest = first;
  for (const other of others)
    if (other.tier !== strictest.tier && stricterTier(other.tier, strictest.tier) === other.tier)
      strictest = other;
  const spellings = new Set([first, ...others].flatMap((one) => [one.command, ...one.aliases]));
  spellings.delete(strictest.command);
  return { ...strictest, aliases: [...spellings] };
}

function describe(operation: AwsOperation): OperationDescription {
  const known = DESCRIPTIONS.get(operation);
  if (known !== undefined) return known;
  const { api, name } = operation;
  const { tier, reason } = awsTier(operation);
  const aliases = new Set([`${api.iam}:${name}`, `${api.iam}:${operation.action}`, `${api.cli}:${name}`]);
  const description = {
    tier,
    command: `${api.cli} ${cliOperationName(name)}`,
    aliases: [...aliases],
    service: api.iam,
    reason,
  };
  DESCRIPTIONS.set(operation, description);
  return description;
}
