// Endpoints about who is told of requests that wait: Slack, webhooks, PagerDuty, e-mail. Secrets go
// in; none comes out but a webhook's own, once. Only an administrator names a channel and who may
// answer there; a device never does.

import { randomBytes } from "node:crypto";
import { EVIDENCE_SENT } from "../../api/methods/notify.ts";
import { list, map, number, object, optional, text, type Value, words } from "../../api/schema.ts";
import { testNotice } from "../../features/notify/target-config.ts";
import { kindOfTarget } from "../../host/notices/notice-targets.ts";
import { newWebhookSecret } from "../../host/outgoing/standard-webhook.ts";
import { TIERS } from "../../model/tier.ts";
import { writeAct } from "../audit/acts.ts";
import { maybeNumber, maybeText, numberOf, type Row, textOf } from "../database/database.ts";
import { Problem } from "../http/problem.ts";
import { writeNotice } from "../notify/notice-rows.ts";
import { checkedServerTarget, checkReach, sealTarget, targetConfig } from "../notify/server-target.ts";
import {
  type AnyEndpoint,
  type EndpointCall,
  get,
  limitOf,
  PAGE_QUERY,
  page,
  pageOf,
  post,
  readCursor,
} from "./endpoint.ts";

const approver = object({
  slack: text("team and user by their ids: T0123456789/U0123456789"),
  person: text("id of the person who answers; his roles count when he clicks"),
});

const target = object({
  name: text(),
  target: text("its address, without secrets: slack:C0123456789, https://…, pagerduty:, smtps://…"),
  kind: words(["slack", "webhook", "pagerduty", "email"]),
  from_tier: words(TIERS, "requests below it are not told"),
  evidence: words(EVIDENCE_SENT),
  approvers: list(approver),
  replies_as: optional(text("id of the person whose answers the callbacks of a webhook's receiver are")),
  added_ms: number(),
  delivered: number("messages so far"),
  waiting: number("questions that it was not told as far as it should be"),
  set_aside: number("questions that it will not get, because it refused them or their end is unknown"),
  last_delivered_ms: optional(number()),
  problem: optional(text("of the last try or of the link, as a clause; absent when it went well")),
  failing_since_ms: optional(number()),
});

const MAX_TARGETS = 20;
const TEST_MS = 5 * 60_000;
const NO_SUCH = { "not-found": "no target has this name" };

const SELECT =
  "select t.*, (select count(*) from notices n where n.target = t.name and n.wanted_step > n.shown_step and n.set_aside is null) as waiting, " +
  "(select count(*) from notices n where n.target = t.name and n.set_aside is not null) as set_aside from notice_targets t";

function targetJson({ parts, tenant }: EndpointCall, row: Row): Value<typeof target> {
  const config = targetConfig(parts.sealer, tenant.id, row);
  const optionalNumber = (name: string) => {
    const value = maybeNumber(row, name);
    return value === undefined ? {} : { [name]: value };
  };
  const problem = maybeText(row, "problem");
  return {
    name: config.name,
    target: config.target,
    kind: kindOfTarget(config.target) ?? ("webhook" as const),
    from_tier: config.fromTier,
    evidence: config.evidence,
    approvers: Object.entries(config.people).map(([slack, person]) => ({ slack, person })),
    ...(config.repliesAs === undefined ? {} : { replies_as: config.repliesAs }),
    added_ms: numberOf(row, "added_ms"),
    delivered: numberOf(row, "delivered"),
    waiting: numberOf(row, "waiting"),
    set_aside: numberOf(row, "set_aside"),
    ...optionalNumber("last_delivered_ms"),
    ...(problem === undefined ? {} : { problem }),
    ...optionalNumber("failing_since_ms"),
  };
}

async function targetRow({ tx }: EndpointCall, name: string): Promise<Row> {
  const [row] = await tx.rows(`${SELECT} where t.name = $1`, [name]);
  if (row === undefined) throw new Problem(404, "not-found", NO_SUCH["not-found"]);
  return row;
}

/** The endpoints about targets of notices. */
export const NOTIFY_ENDPOINTS: readonly AnyEndpoint[] = [
  get("/api/v1/notify-targets", {
    about: "who is told of requests that wait, and how that goes",
    right: "look",
    query: PAGE_QUERY,
    output: pageOf(target),
    async handle(call, { query }) {
      const limit = limitOf(query);
      const [after] = readCursor(query.cursor, 1) ?? [];
      const rows = await call.tx.rows(`${SELECT} where t.name > $1 order by t.name limit $2`, [
        String(after ?? ""),
        limit + 1,
      ]);
      return page(
        rows,
        limit,
        (row) => targetJson(call, row),
        (row) => [textOf(row, "name")],
      );
    },
  }),
  post("/api/v1/notify-targets", {
    about: "tells one more target of requests that wait",
    right: "administer",
    input: object({
      name: text(),
      target: text("its address; the scheme says the kind"),
      secrets: optional(list(text(), "tokens, the routing key or the password, whatever the kind needs")),
      approvers: optional(list(approver, "who may answer in Slack")),
      replies_as: optional(
        text("takes signed callbacks from the receiver of a webhook, as answers of the person with this id"),
      ),
      from_tier: optional(words(TIERS)),
      evidence: optional(words(EVIDENCE_SENT)),
      headers: optional(map(text())),
      ca_pem: optional(text("trusted instead of the system's roots")),
    }),
    output: object({ target, secret: optional(text("of a webhook; told only now")) }),
    errors: { conflict: "there is a target of this name already" },
    async handle(call, { input }) {
      const { tx, tenant, parts, principal, nowMs, afterwards } = call;
      const config = checkedServerTarget(input);
      checkReach(parts.notifying?.reachPrivate === true, config.target);
      const answering = config.repliesAs === undefined ? [] : [config.repliesAs];
      for (const person of [...Object.values(config.people), ...answering]) {
        const [found] = await tx.rows("select id from people where id = $1", [person]);
        if (found === undefined)
          throw new Problem(400, "bad-input", "an approver is no person of this tenant");
      }
      const [counted] = await tx.rows("select count(*) as targets from notice_targets");
      if (counted !== undefined && numberOf(counted, "targets") >= MAX_TARGETS)
        throw new Problem(409, "too-many", `there are ${MAX_TARGETS} targets already`);
      // Another number than that of a target that was removed under this name.
      await tx.rows(
        "insert into notice_targets (name, sealed_config, version, added_ms) values ($1, $2, $3, $3)",
        [config.name, sealTarget(parts.sealer, tenant.id, config), nowMs],
      );
      await writeAct(tx, nowMs, principal.id, "notify.add", config.name, { target: config.target });
      afterwards(() => parts.notifying?.look());
      const secret = kindOfTarget(config.target) === "webhook" ? config.secrets[0] : undefined;
      return {
        target: targetJson(call, await targetRow(call, config.name)),
        ...(secret === undefined ? {} : { secret }),
      };
    },
  }),
  post("/api/v1/notify-targets/{name}/rotate", {
    about: "gives a webhook a new secret; the one before is valid until the next time",
    right: "administer",
    input: object({}),
    output: object({ target, secret: text() }),
    errors: { ...NO_SUCH, "bad-input": "only webhooks are signed" },
    async handle(call, { path }) {
      const { tx, tenant, parts, principal, nowMs, afterwards } = call;
      const config = targetConfig(parts.sealer, tenant.id, await targetRow(call, path.name));
      if (kindOfTarget(config.target) !== "webhook")
        throw new Problem(400, "bad-input", "only webhooks are signed");
      const secret = newWebhookSecret();
      const secrets = [secret, ...config.secrets].slice(0, 2);
      await tx.rows("update notice_targets set sealed_config = $2, version = version + 1 where name = $1", [
        path.name,
        sealTarget(parts.sealer, tenant.id, { ...config, secrets }),
      ]);
      await writeAct(tx, nowMs, principal.id, "notify.rotate", path.name);
      afterwards(() => parts.notifying?.look());
      return { target: targetJson(call, await targetRow(call, path.name)), secret };
    },
  }),
  post("/api/v1/notify-targets/{name}/test", {
    about: "sends one message that says it is a test; the list says how that went",
    right: "administer",
    input: object({}),
    output: target,
    errors: NO_SUCH,
    async handle(call, { path }) {
      const { tx, tenant, parts, principal, nowMs, afterwards } = call;
      await targetRow(call, path.name);
      const test = testNotice(`the control plane of ${tenant.slug}`);
      const subject = `test/${randomBytes(8).toString("hex")}`;
      await writeNotice(tx, path.name, { ...test, subject, expiresMs: nowMs + TEST_MS }, nowMs);
      await writeAct(tx, nowMs, principal.id, "notify.test", path.name);
      afterwards(() => parts.notifying?.hurry(tenant.id));
      return targetJson(call, await targetRow(call, path.name));
    },
  }),
  post("/api/v1/notify-targets/{name}/remove", {
    about: "tells a target nothing more; nobody can answer there any more",
    right: "administer",
    input: object({}),
    output: target,
    errors: NO_SUCH,
    async handle(call, { path }) {
      const { tx, parts, principal, nowMs, afterwards } = call;
      const json = targetJson(call, await targetRow(call, path.name));
      await tx.rows("delete from notices where target = $1", [path.name]);
      await tx.rows("delete from notice_targets where name = $1", [path.name]);
      await writeAct(tx, nowMs, principal.id, "notify.remove", path.name);
      afterwards(() => parts.notifying?.look());
      return json;
    },
  }),
];
