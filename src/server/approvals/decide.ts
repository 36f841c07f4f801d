// A decision: who may make it, that it is about the shown ask, that there is only one, and that the
// device can tell that it is ours. Nobody allows an ask of a device that was enrolled for himself,
// administrators included; anybody who may decide may deny.

import { signPayload } from "../../api/fleet/signed.ts";
import type { EndpointCall } from "../api/endpoint.ts";
import { writeAct } from "../audit/acts.ts";
import { numberOf, textOf } from "../database/database.ts";
import { Problem } from "../http/problem.ts";
import { settleNotice } from "../notify/notice-rows.ts";
import { tenantSigningKey } from "../tenants.ts";
import { heldOf } from "./held.ts";

/** A person's decision about a device's approval. */
export interface PersonDecision {
  readonly device: string;
  readonly nonce: string;
  readonly verb: "allow" | "deny";
  readonly digest: string;
  readonly reason?: string;
  /** Where he answered, when not on the page or by the API. */
  readonly via?: "slack" | "webhook";
}

type DecisionCall = Omit<EndpointCall, "principal"> & {
  readonly principal: Pick<EndpointCall["principal"], "id" | "personId" | "name">;
};

const MAX_REASON = 500;

/** Decides, in the transaction of the call. Throws the problem. */
export async function decideApproval(call: DecisionCall, decision: PersonDecision): Promise<void> {
  const { tx, principal, nowMs, parts, tenant } = call;
  if (principal.personId === undefined)
    throw new Problem(403, "needs-person", "a token without a person decides nothing");
  const [device] = await tx.rows("select owner_id, revoked_ms from devices where id = $1 for update", [
    decision.device,
  ]);
  const [row] = await tx.rows(
    "select state, digest, tier, ends_ms, body, approval_id from approvals where device_id = $1 and nonce = $2 for update",
    [decision.device, decision.nonce],
  );
  if (row === undefined || device === undefined) throw new Problem(404, "not-found", "nothing waits so");
  if (textOf(row, "state") !== "waiting" || device.revoked_ms !== null)
    throw new Problem(409, "ended", "it was decided already, or has ended");
  if (textOf(row, "digest") !== decision.digest)
    throw new Problem(409, "not-what-was-shown", "the request has another digest");
  const isAllow = decision.verb === "allow";
  if (isAllow && textOf(device, "owner_id") === principal.personId)
    throw new Problem(403, "own-request", "nobody allows an ask of his own device");
  const [counted] = await tx.rows(
    "update devices set decision_seq = decision_seq + 1 where id = $1 returning decision_seq",
    [decision.device],
  );
  if (counted === undefined) throw new Problem(404, "not-found", "nothing waits so");
  const reason = (decision.reason ?? "").slice(0, MAX_REASON);
  const signed = signPayload(
    "decision",
    {
      tenant: tenant.id,
      device: decision.device,
      approval: textOf(row, "approval_id"),
      digest: decision.digest,
      nonce: decision.nonce,
      verb: decision.verb,
      // From elsewhere one request is let through, never those like it.
      for_ms: 0,
      by: principal.name,
      by_id: principal.personId,
      ...(decision.via === undefined ? {} : { via: decision.via }),
      reason,
      decided_ms: nowMs,
      expires_ms: numberOf(row, "ends_ms"),
    },
    await tenantSigningKey(tx, parts.sealer, tenant.id, nowMs),
  );
  await tx.rows(
    "update approvals set state = 'decided', verb = $3, decided_by = $4, decided_ms = $5, decision = $6, decision_seq = $7 " +
      "where device_id = $1 and nonce = $2",
    [
      decision.device,
      decision.nonce,
      decision.verb,
      principal.name,
      nowMs,
      JSON.stringify(signed),
      numberOf(counted, "decision_seq"),
    ],
  );
  const held = heldOf(row);
  await writeAct(
    tx,
    nowMs,
    principal.id,
    `approval.${decision.verb}`,
    `${decision.device}/${decision.nonce}`,
    {
      digest: decision.digest,
      command: held.command,
      tier: held.tier,
      reason,
      ...(decision.via === undefined ? {} : { via: decision.via }),
    },
  );
  await settleNotice(tx, `${decision.device}/${decision.nonce}`, {
    outcome: isAllow ? "approved" : "denied",
    by: principal.name,
    note: reason,
    nowMs,
  });
  await parts.ticks.announce(call, decision.device);
  parts.counters.add(`iddio_decisions_total{verb="${decision.verb}"}`);
}
