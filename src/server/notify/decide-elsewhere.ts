// A decision that was given elsewhere than on the page or by the API: in Slack, or by the receiver
// of a webhook. It is a person's, who may decide in the tenant at this moment, and it is worth L1:
// whoever gave it, it lets through nothing above a tier.

import type { Notice } from "../../host/notices/notice.ts";
import { TIERS, type Tier } from "../../model/tier.ts";
import type { EndpointCall } from "../api/endpoint.ts";
import { decideApproval } from "../approvals/decide.ts";
import { maybeNumber, type Tx, textOf } from "../database/database.ts";
import { Problem } from "../http/problem.ts";
import { readRoles, rightsOf } from "../people/roles.ts";

/** The highest tier that an answer from there may let through; the daemon has the same. */
const HIGHEST = { slack: "sensitive", webhook: "modify" } as const satisfies Record<string, Tier>;
const NAMES = { slack: "Slack", webhook: "a webhook" } as const;

/** A decision with its person and its place. */
export interface ElsewhereDecision {
  readonly notice: Notice;
  readonly personId: string;
  readonly verb: "allow" | "deny";
  readonly via: keyof typeof HIGHEST;
  readonly reason?: string;
}

/** Decides, in the transaction of the call. Throws the problem. */
export async function decideElsewhere(
  call: Omit<EndpointCall, "principal">,
  { notice, personId, verb, via, reason }: ElsewhereDecision,
): Promise<void> {
  const person = await approver(call.tx, personId);
  if (person === undefined) throw new Problem(403, "not-permitted", "this person may not decide");
  const { tier } = notice;
  if (verb === "allow" && (tier === "unknown" || TIERS.indexOf(tier) > TIERS.indexOf(HIGHEST[via])))
    throw new Problem(403, "not-permitted", `${NAMES[via]} allows nothing of the tier ${tier}`);
  const [device = "", nonce = ""] = notice.subject.split("/");
  const about = { device, nonce, verb, digest: notice.digest, via };
  await decideApproval(
    { ...call, principal: person },
    { ...about, ...(reason === undefined ? {} : { reason }) },
  );
}

async function approver(tx: Tx, id: string) {
  const [row] = await tx.rows("select name, roles, disabled_ms from people where id = $1", [id]);
  if (row === undefined || maybeNumber(row, "disabled_ms") !== undefined) return undefined;
  if (!rightsOf(readRoles(textOf(row, "roles"))).has("decide")) return undefined;
  return { id, personId: id, name: textOf(row, "name") };
}
