// The control methods about approvals and grants. Whoever answers, the broker decides what
// the answer still means; here it is recorded and, when asked for, made to last.

import { randomBytes } from "node:crypto";
import type { ControlHandlers } from "../../api/handlers.ts";
import type { Principal } from "../../api/principal.ts";
import type { Approval, ApprovalReply, GrantReport } from "../../api/reports.ts";
import { UserError } from "../../model/user-error.ts";
import type { Grant } from "../../state/grants.ts";
import { renderDuration } from "../../text/duration.ts";
import type { Broker, PendingApproval } from "../request/broker.ts";
import { clientDetails } from "../request/client-details.ts";
import type { Gateway } from "../request/context.ts";
import type { Events } from "../request/events.ts";
import { grantLabels } from "../request/grant-subject.ts";

/** Leaves a `control` row that says who did what. */
export type RecordControl = (caller: Principal, command: string, fields?: Record<string, unknown>) => void;

/** Of an answer: which request, why, and the digest of what was shown. */
interface Answer {
  readonly id: string;
  readonly reason?: string;
  readonly digest?: string;
}

type Methods =
  | "approvals_list"
  | "approvals_show"
  | "approvals_allow"
  | "approvals_deny"
  | "grants_list"
  | "grants_revoke";

const DAY_MS = 24 * 60 * 60_000;

/** Handlers of the approval and grant methods. */
export function approvalHandlers(
  gateway: Gateway,
  events: Events,
  record: RecordControl,
): Pick<ControlHandlers, Methods> {
  const { broker, grants } = gateway;

  const reply = (outcome: "approved" | "denied", { id, reason, digest }: Answer, caller: Principal) => {
    const answered = broker.reply(id, outcome, reason, digest);
    record(caller, outcome === "approved" ? "approval allow" : "approval deny", {
      approval_id: answered.approval.id,
      request_id: answered.approval.requestId,
      ...(reason === undefined ? {} : { reason }),
      ...(answered.isLate ? { late: true } : {}),
    });
    return answered;
  };

  const grant = (approval: PendingApproval, forMs: number, caller: Principal): Grant => {
    const createdMs = Date.now();
    const added: Grant = {
      id: `grant_${randomBytes(4).toString("hex")}`,
      protocol: approval.protocol,
      host: approval.host,
      port: approval.port,
      tier: approval.tier,
      command: approval.command,
      labels: grantLabels(approval.labels, approval.client),
      credential: approval.credential,
      approvalId: approval.id,
      ...(approval.client?.run === undefined ? {} : { run: approval.client.run }),
      createdMs,
      expiresMs: createdMs + forMs,
    };
    grants.add(added);
    events.publish("grant_added", { ...grantReport(added) });
    record(caller, "approval allow --for", { approval_id: added.approvalId, grant: grantReport(added) });
    return added;
  };

  return {
    approvals_list: () => ({ approvals: broker.list().map(approvalReport) }),

    approvals_show: async ({ id }) => {
      const { approval, ended } = broker.find(id);
      const { headers, body, trailers } = approval.view;
      const client = await clientDetails(approval.client);
      return {
        approval: {
          ...approvalReport(approval),
          headers,
          body,
          ...(trailers.length === 0 ? {} : { trailers }),
          grantable: approval.onceOnly === undefined && ended === undefined,
          ...(ended === undefined ? {} : { ended }),
          ...(client ? { client } : {}),
        },
      };
    },

    approvals_allow: ({ for_ms, ...answer }, caller): ApprovalReply => {
      if (for_ms !== undefined) checkGrant(broker.find(answer.id, answer.digest), for_ms);
      const { approval, isLate } = reply("approved", answer, caller);
      if (isLate)
        return {
          id: approval.id,
          outcome: "approved",
          note: "it waits no longer; the same request is let through once if it comes again within ten minutes",
        };
      if (for_ms === undefined) return { id: approval.id, outcome: "approved" };
      const added = grant(approval, for_ms, caller);
      return {
        id: approval.id,
        outcome: "approved",
        note: `and more like it for ${renderDuration(for_ms)} (${added.id})`,
      };
    },

    approvals_deny: (answer, caller): ApprovalReply => {
      const { approval } = reply("denied", answer, caller);
      return { id: approval.id, outcome: "denied" };
    },

    grants_list: () => ({ grants: grants.list().map(grantReport) }),

    grants_revoke: ({ id }, caller) => {
      const wanted = id.toLowerCase().replace(/^grant_/, "");
      const found = grants.list().filter((each) => each.id.startsWith(`grant_${wanted}`));
      const [only] = found;
      if (!only || wanted === "")
        throw new UserError(`no grant '${id}'`, { hint: "iddio approval grants list", code: "not-found" });
      if (found.length > 1)
        throw new UserError(`'${id}' matches ${found.length} grants`, {
          hint: "iddio approval grants list",
          code: "ambiguous",
        });
      grants.remove(only.id);
      events.publish("grant_revoked", { ...grantReport(only) });
      record(caller, "approval grants revoke", { grant: grantReport(only) });
      return { id: only.id };
    },
  };
}

function checkGrant({ approval, ended }: ReturnType<Broker["find"]>, forMs: number): void {
  if (!Number.isFinite(forMs) || forMs <= 0 || forMs > DAY_MS)
    throw new UserError("a grant lasts longer than nothing and at most 24h", {
      hint: "iddio approval allow <id> --for 15m",
      exitCode: 2,
    });
  if (ended !== undefined)
    throw new UserError(`'${approval.id}' waits no longer, so it can only be let through once`, {
      code: "not-grantable",
      hint: `iddio approval allow ${approval.id}`,
    });
  if (approval.onceOnly !== undefined)
    throw new UserError(`'${approval.id}' can only be approved once: ${approval.onceOnly}`, {
      code: "not-grantable",
      hint: `iddio approval allow ${approval.id}`,
    });
}

/** An approval as the control protocol shows it. */
function approvalReport(approval: PendingApproval): Approval {
  return {
    id: approval.id,
    created_ms: approval.createdMs,
    expires_ms: approval.expiresMs,
    protocol: approval.protocol,
    tier: approval.tier,
    command: approval.command,
    labels: approval.labels,
    host: approval.host,
    port: approval.port,
    method: approval.method,
    path: approval.path,
    rule: approval.rule,
    reason: approval.reason,
    digest: approval.digest,
    ...(approval.client ? { client: approval.client } : {}),
  };
}

function grantReport(grant: Grant): GrantReport {
  return {
    id: grant.id,
    approval_id: grant.approvalId,
    protocol: grant.protocol,
    tier: grant.tier,
    command: grant.command,
    labels: grant.labels,
    host: grant.host,
    port: grant.port,
    ...(grant.run === undefined ? {} : { run: grant.run }),
    created_ms: grant.createdMs,
    expires_ms: grant.expiresMs,
  };
}
