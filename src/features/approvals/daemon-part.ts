// The daemon's part of approvals: the control methods about approvals, grants and events. The
// broker decides what an answer still means, whoever gives it; here the answer is recorded and, if
// wanted, becomes a grant.

import { randomBytes } from "node:crypto";
import type { ControlHandlers } from "../../api/handlers.ts";
import { isRemote, type Principal } from "../../api/principal.ts";
import type { Approval, ApprovalDetails, ApprovalReply, GrantReport } from "../../api/reports.ts";
import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import type { Answer, Broker, PendingApproval } from "../../gateway/request/broker.ts";
import { clientDetails } from "../../gateway/request/client-details.ts";
import { startOfClient } from "../../gateway/request/client-owner.ts";
import type { Gateway } from "../../gateway/request/context.ts";
import { grantSubject } from "../../gateway/request/grant-subject.ts";
import { namedObject } from "../../gateway/request/named-object.ts";
import type { Events } from "../../gateway/request/records/events.ts";
import type { RecordControl } from "../../gateway/request/records/record-control.ts";
import type { Ask } from "../../model/ask.ts";
import { UserError } from "../../model/user-error.ts";
import type { Grant } from "../../state/tables/grants.ts";
import { renderDuration } from "../../text/duration.ts";

type Methods =
  | "approvals_list"
  | "approvals_ended"
  | "approvals_show"
  | "approvals_effect"
  | "approvals_allow"
  | "approvals_deny"
  | "grants_list"
  | "grants_revoke"
  | "events";

const SECOND_MS = 1_000;
const DAY_MS = 24 * 60 * 60_000;

/** Adds the methods by which people see and answer what waits. */
export function startApprovals({ gateway, broker, events, record }: DaemonParts): DaemonPart {
  return { handlers: handlersOf(gateway, broker, events, record) };
}

function handlersOf(
  gateway: () => Gateway,
  broker: Broker,
  events: Events,
  record: RecordControl,
): Pick<ControlHandlers, Methods> {
  const reply = (outcome: "approved" | "denied", { id, ...answer }: Answer, caller: Principal) => {
    const { reason, instead } = answer;
    // An answer from elsewhere is about a waiting approval. Nobody there can see which request a late answer
    // would allow.
    if (isRemote(caller.kind) && broker.find(id, answer.digest).ended !== undefined)
      throw new UserError(`'${id}' no longer waits`, { code: "ended", hint: "let the client send it again" });
    const { approval } = broker.find(id, answer.digest);
    if (outcome === "approved" && approval.isCentral === true && caller.kind !== "control-plane")
      throw new UserError(`'${approval.id}' can only be allowed by the control plane`, {
        code: "not-permitted",
        hint: "see: iddio fleet status; denying it here is always possible",
      });
    const answered = broker.reply(id, outcome, { ...answer, by: caller.name ?? caller.kind });
    record(caller, outcome === "approved" ? "approval allow" : "approval deny", {
      approval_id: answered.approval.id,
      request_id: answered.approval.ask.id,
      ...(reason === undefined ? {} : { reason }),
      ...(instead === undefined ? {} : { instead }),
      ...(answered.isLate ? { late: true } : {}),
    });
    return answered;
  };

  const grant = (approval: PendingApproval, forMs: number, caller: Principal): Grant => {
    const createdMs = Date.now();
    const run = approval.ask.subject.client?.run;
    const added: Grant = {
      id: `grant_${randomBytes(4).toString("hex")}`,
      ...grantSubject(approval.ask),
      approvalId: approval.id,
      ...(run === undefined ? {} : { run }),
      createdMs,
      expiresMs: createdMs + forMs,
    };
    gateway().grants.add(added);
    events.publish("grant_added", { ...grantReport(added) });
    record(caller, "approval allow --for", { approval_id: added.approvalId, grant: grantReport(added) });
    return added;
  };

  /** Why the rest of its command cannot go with an approval, in a clause. */
  const restProblem = ({ approval, ended }: ReturnType<Broker["find"]>): string | undefined => {
    if (ended !== undefined) return "it waits no longer";
    if (approval.isCentral === true) return "only the control plane may allow it";
    return gateway().commandGrants.problemOf(approval.ask);
  };

  const allowRest = (answer: Answer, caller: Principal): ApprovalReply => {
    const found = broker.find(answer.id, answer.digest);
    const problem = restProblem(found);
    if (problem !== undefined)
      throw new UserError(
        `the rest of its command cannot be allowed with '${found.approval.id}': ${problem}`,
        {
          code: "not-grantable",
          hint: `iddio approval allow ${found.approval.id}`,
        },
      );
    const granted = gateway().commandGrants.add(found.approval);
    const { approval } = reply("approved", answer, caller);
    record(caller, "approval allow --rest-of-command", { approval_id: approval.id });
    const { next } = found.approval.ask.operation;
    const others = broker.list().filter((each) => each.isCentral !== true && granted.covers(each.ask));
    for (const each of others) reply("approved", { id: each.id, reason: `with ${approval.id}` }, caller);
    return {
      id: approval.id,
      outcome: "approved",
      note: `${next === undefined ? "and its further requests" : `then it may ${next.about}`} within a minute${others.length === 0 ? "" : `; ${others.length} waited already`}`,
    };
  };

  return {
    approvals_list: () => ({
      approvals: broker.list().map((approval) => ({
        ...approvalReport(approval),
        restable: restProblem({ approval, ended: undefined }) === undefined,
      })),
    }),

    approvals_ended: () => ({
      approvals: broker
        .listEnded()
        .map(({ approval, outcome }) => ({ ...approvalReport(approval), ended: outcome })),
    }),

    approvals_show: async ({ id }) => {
      const found = broker.find(id);
      const { approval, ended } = found;
      const client = await clientDetails(approval.ask.subject.client);
      return {
        approval: {
          ...approvalReport(approval),
          ...httpView(approval.ask),
          evidence: approval.ask.evidence,
          grantable: approval.onceOnly === undefined && ended === undefined,
          restable: restProblem(found) === undefined,
          ...(ended === undefined ? {} : { ended }),
          ...(client ? { client } : {}),
        },
      };
    },

    approvals_effect: async ({ id }) => {
      const { approval, ended } = broker.find(id);
      const { effect, ask } = approval;
      // Only a person gets here, so somebody looks at it.
      if (ended === undefined) events.publish("approval_seen", { id: approval.id });
      if (effect !== undefined) return { effect: await effect.show() };
      const about = `iddio cannot preview requests of ${ask.operation.protocol}`;
      return { effect: { state: "none", about } };
    },

    approvals_allow: ({ for_ms, rest_of_command, ...answer }, caller): ApprovalReply => {
      if (for_ms !== undefined) checkGrant(broker.find(answer.id, answer.digest), for_ms);
      if (rest_of_command === true) return allowRest(answer, caller);
      const { approval, isLate } = reply("approved", answer, caller);
      if (isLate)
        return {
          id: approval.id,
          outcome: "approved",
          note: "it has ended; the same request passes once if it is sent again within ten minutes",
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

    events: (input, _caller, sink) => {
      for (const event of events.recent(input.after)) sink.send(event);
      if (!input.follow) return;
      const stop = events.subscribe((event) => sink.send(event));
      return new Promise((resolve) => {
        sink.signal.addEventListener("abort", () => {
          stop();
          resolve();
        });
      });
    },

    grants_list: () => ({ grants: gateway().grants.list().map(grantReport) }),

    grants_revoke: ({ id }, caller) => {
      const wanted = id.toLowerCase().replace(/^grant_/, "");
      const found = gateway()
        .grants.list()
        .filter((each) => each.id.startsWith(`grant_${wanted}`));
      const [only] = found;
      if (!only || wanted === "")
        throw new UserError(`no grant '${id}'`, { hint: "iddio approval grants list", code: "not-found" });
      if (found.length > 1)
        throw new UserError(`'${id}' matches ${found.length} grants`, {
          hint: "iddio approval grants list",
          code: "ambiguous",
        });
      gateway().grants.remove(only.id);
      events.publish("grant_revoked", { ...grantReport(only) });
      record(caller, "approval grants revoke", { grant: grantReport(only) });
      return { id: only.id };
    },
  };
}

function checkGrant({ approval, ended }: ReturnType<Broker["find"]>, forMs: number): void {
  if (!Number.isFinite(forMs) || forMs < SECOND_MS || forMs > DAY_MS)
    throw new UserError("a grant must last between 1s and 24h", {
      hint: "iddio approval allow <id> --for 15m",
      exitCode: 2,
    });
  if (ended !== undefined)
    throw new UserError(`'${approval.id}' has ended, so it can only be let through once`, {
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
function approvalReport({ id, ask, rule, reason, createdMs, expiresMs }: PendingApproval): Approval {
  const { operation, target, subject, fields, evidence } = ask;
  const object = namedObject(ask);
  const group = groupOf(ask);
  return {
    id,
    created_ms: createdMs,
    expires_ms: expiresMs,
    carrier: ask.carrier,
    protocol: operation.protocol,
    tier: operation.tier,
    command: operation.command,
    labels: operation.labels,
    target: { name: target.name, ...(target.port === 0 ? {} : { port: target.port }) },
    host: target.name,
    port: target.port,
    // Programs from before other carriers show these two of every approval.
    method: fields.method ?? ask.carrier.toUpperCase(),
    path: fields.path ?? evidence[0]?.text ?? "",
    rule,
    reason,
    digest: ask.digest,
    ...(object === undefined ? {} : { object }),
    ...(operation.next === undefined ? {} : { next: operation.next.about }),
    ...(group === undefined ? {} : { group }),
    ...(subject.client ? { client: subject.client } : {}),
  };
}

/** Requests of one process are one command's; a later one with its number is another. */
function groupOf({ carrier, subject: { client } }: Ask): string | undefined {
  if (carrier !== "http" || client?.pid === undefined) return undefined;
  return `${client.process ?? ""}:${client.pid}:${startOfClient(client) ?? ""}`;
}

/** The evidence in the fields that approvals of HTTP have; what another carrier shows has its place in them too. */
function httpView({ carrier, evidence }: Ask): Pick<ApprovalDetails, "headers" | "body" | "trailers"> {
  const pairsOf = (label: string) => evidence.find((each) => each.label === label)?.pairs ?? [];
  if (carrier !== "http") {
    const [first, ...others] = evidence;
    return {
      headers: others.map(({ label, text }) => [label.toLowerCase(), text] as const),
      body: first?.text ?? "",
    };
  }
  const trailers = pairsOf("Trailers");
  return {
    headers: pairsOf("Headers"),
    body: evidence.find(({ label }) => label === "Body")?.text ?? "",
    ...(trailers.length === 0 ? {} : { trailers }),
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
    carrier: grant.carrier,
    ...(grant.run === undefined ? {} : { run: grant.run }),
    created_ms: grant.createdMs,
    expires_ms: grant.expiresMs,
  };
}
