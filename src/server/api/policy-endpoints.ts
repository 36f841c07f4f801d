// Endpoints about policies: versions that never change, revisions that say who gets which, and what
// differs. What widens, and who may publish it, is decided in policy/revisions.ts.

import { BUNDLE_KINDS, type BundleKind } from "../../api/fleet/protocol.ts";
import { flag, list, number, object, optional, text, words } from "../../api/schema.ts";
import { TIERS } from "../../model/tier.ts";
import { writeAct } from "../audit/acts.ts";
import { differencesOf } from "../audit/dry-differences.ts";
import { flagOf, maybeNumber, maybeText, numberOf, type Row, textOf } from "../database/database.ts";
import { Problem } from "../http/problem.ts";
import { hasBreakGlass } from "../people/break-glass.ts";
import { proposeRevision, publishRevision } from "../policy/revisions.ts";
import type { EndpointCall } from "./endpoint.ts";
import { type AnyEndpoint, get, limitOf, PAGE_QUERY, page, pageOf, post, readCursor } from "./endpoint.ts";

const revision = object({
  revision: number(),
  kind: words(BUNDLE_KINDS),
  digest: text(),
  note: text(),
  group: optional(text("absent for every device")),
  percent: number("of the devices, by their ring"),
  central_tiers: list(text(), "asks of these tiers may only be allowed here"),
  max_age_ms: number(),
  is_wider: flag("it lets through more than the one before"),
  widening: list(text()),
  state: words(["proposed", "published", "ended", "dropped"]),
  author: text(),
  approver: optional(text()),
  created_ms: number(),
  published_ms: optional(number()),
  devices: number("that have taken it"),
});

const SELECT =
  "select r.*, coalesce(a.name, r.author_id) as author, coalesce(b.name, r.approver_id) as approver, " +
  "(select count(*) from devices d where d.revoked_ms is null and (d.policy::json->>'revision')::bigint = r.revision) as devices " +
  "from revisions r left join people a on a.id = r.author_id left join people b on b.id = r.approver_id";

function revisionJson(row: Row) {
  const group = maybeText(row, "device_group");
  const approver = maybeText(row, "approver");
  const publishedMs = maybeNumber(row, "published_ms");
  return {
    revision: numberOf(row, "revision"),
    kind: textOf(row, "kind") as BundleKind,
    digest: textOf(row, "digest"),
    note: textOf(row, "note"),
    ...(group === undefined ? {} : { group }),
    percent: numberOf(row, "percent"),
    central_tiers: textOf(row, "central_tiers").split(",").filter(Boolean),
    max_age_ms: numberOf(row, "max_age_ms"),
    is_wider: flagOf(row, "is_wider"),
    widening: JSON.parse(textOf(row, "widening")) as readonly string[],
    state: textOf(row, "state") as "proposed" | "published" | "ended" | "dropped",
    author: textOf(row, "author"),
    ...(approver === undefined ? {} : { approver }),
    created_ms: numberOf(row, "created_ms"),
    ...(publishedMs === undefined ? {} : { published_ms: publishedMs }),
    devices: numberOf(row, "devices"),
  };
}

async function revisionRow({ tx }: EndpointCall, id: string): Promise<Row> {
  const [row] = await tx.rows(`${SELECT} where r.revision = $1`, [revisionNumber(id)]);
  if (row === undefined) throw new Problem(404, "not-found", "there is no such revision");
  return row;
}

function revisionNumber(id: string): number {
  if (!/^\d{1,12}$/.test(id)) throw new Problem(404, "not-found", "there is no such revision");
  return Number(id);
}

const difference = object({
  protocol: text(),
  command: text(),
  tier: text(),
  decided: text("by the policy in force"),
  dry: text("by this revision, had it been in force"),
  rule: text("that would have decided"),
  count: number("requests"),
  devices: number(),
  first_ms: number(),
  last_ms: number(),
});

const NO_SUCH = { "not-found": "there is no such revision" };

/** The endpoints about revisions of the policy. */
export const POLICY_ENDPOINTS: readonly AnyEndpoint[] = [
  get("/api/v1/revisions", {
    about: "the revisions, latest first",
    right: "look",
    query: PAGE_QUERY,
    output: pageOf(revision),
    async handle({ tx }, { query }) {
      const limit = limitOf(query);
      const [before] = readCursor(query.cursor, 1) ?? [];
      const rows = await tx.rows(
        `${SELECT} where ($1::bigint is null or r.revision < $1::bigint) order by r.revision desc limit $2`,
        [before === undefined ? null : Number(before), limit + 1],
      );
      return page(rows, limit, revisionJson, (row) => [numberOf(row, "revision")]);
    },
  }),
  get("/api/v1/revisions/{revision}", {
    about: "one revision with its policy",
    right: "look",
    output: object({ revision, policy: text() }),
    errors: NO_SUCH,
    async handle(call, { path }) {
      const row = await revisionRow(call, path.revision);
      const [policy] = await call.tx.rows("select body from policies where digest = $1", [
        textOf(row, "digest"),
      ]);
      return { revision: revisionJson(row), policy: policy === undefined ? "" : textOf(policy, "body") };
    },
  }),
  get("/api/v1/revisions/{revision}/differences", {
    about:
      "the requests that a dry revision would have decided otherwise, as devices report, most frequent first",
    right: "look",
    output: object({ revision, items: list(difference, "at most 500 kinds of requests") }),
    errors: NO_SUCH,
    async handle(call, { path }) {
      const row = await revisionRow(call, path.revision);
      const items = await differencesOf(call.tx, revisionNumber(path.revision), 500);
      return { revision: revisionJson(row), items };
    },
  }),
  post("/api/v1/revisions", {
    about: "proposes a policy; nothing is published by it",
    right: "write-policy",
    inputMaxBytes: 4 * 1024 * 1024,
    input: object({
      policy: text("policy.yaml"),
      note: text(),
      kind: optional(words(BUNDLE_KINDS, "dry is only compared with what decides")),
      group: optional(text("only devices of this group")),
      percent: optional(number("of the devices; 100 unless given")),
      central_tiers: optional(list(text())),
      max_age_ms: optional(number()),
    }),
    output: revision,
    errors: { "bad-policy": "the policy does not load; `problems` says where" },
    async handle(call, { input }) {
      const percent = input.percent ?? 100;
      if (!Number.isInteger(percent) || percent < 1 || percent > 100)
        throw new Problem(400, "bad-input", "'percent' is not between 1 and 100");
      const centralTiers = input.central_tiers ?? [];
      const known: readonly string[] = [...TIERS, "unknown"];
      if (centralTiers.some((tier) => !known.includes(tier)))
        throw new Problem(400, "bad-input", `'central_tiers' are of ${known.join(", ")}`);
      const maxAgeMs = input.max_age_ms ?? 0;
      if (!Number.isSafeInteger(maxAgeMs) || maxAgeMs < 0)
        throw new Problem(400, "bad-input", "'max_age_ms' is no length of time");
      const proposed = await proposeRevision(call.tx, {
        kind: input.kind ?? "enforced",
        policy: input.policy,
        note: input.note.slice(0, 500),
        group: input.group,
        percent,
        centralTiers,
        maxAgeMs,
        by: call.principal.personId ?? call.principal.id,
        nowMs: call.nowMs,
      });
      await writeAct(call.tx, call.nowMs, call.principal.id, "revision.propose", String(proposed.revision), {
        is_wider: proposed.isWider,
      });
      return revisionJson(await revisionRow(call, String(proposed.revision)));
    },
  }),
  post("/api/v1/revisions/{revision}/publish", {
    about: "publishes a proposal: devices that it takes in fetch it at once",
    right: "write-policy",
    input: object({}),
    output: revision,
    errors: {
      ...NO_SUCH,
      ended: "it is published already",
      overtaken: "a later one is published",
      "needs-another": "a widening revision is published by somebody other than its author",
      "needs-person": "a widening revision is published by a person, not by a token without one",
    },
    async handle(call, { path }) {
      const { principal, nowMs, tx } = call;
      const mayAlone = await hasBreakGlass(tx, principal, nowMs);
      await publishRevision(tx, revisionNumber(path.revision), { principal, mayAlone, nowMs });
      await writeAct(tx, nowMs, principal.id, "revision.publish", path.revision, {
        ...(mayAlone ? { break_glass: true } : {}),
      });
      await call.parts.ticks.announce(call);
      return revisionJson(await revisionRow(call, path.revision));
    },
  }),
  post("/api/v1/revisions/{revision}/widen", {
    about: "gives a published revision to more of the devices",
    right: "write-policy",
    input: object({ percent: number() }),
    output: revision,
    errors: NO_SUCH,
    async handle(call, { path, input }) {
      const { tx, nowMs, principal } = call;
      const row = await revisionRow(call, path.revision);
      const isGood =
        Number.isInteger(input.percent) && input.percent <= 100 && input.percent >= numberOf(row, "percent");
      if (!isGood || textOf(row, "state") !== "published")
        throw new Problem(400, "bad-input", "a published revision goes to more devices, never to fewer");
      await tx.rows("update revisions set percent = $2 where revision = $1", [
        numberOf(row, "revision"),
        input.percent,
      ]);
      await writeAct(tx, nowMs, principal.id, "revision.widen", path.revision, { percent: input.percent });
      await call.parts.ticks.announce(call);
      return revisionJson(await revisionRow(call, path.revision));
    },
  }),
  post("/api/v1/revisions/{revision}/restore", {
    about: "proposes the policy of an earlier revision again, under a new number",
    right: "write-policy",
    input: object({}),
    output: revision,
    errors: NO_SUCH,
    async handle(call, { path }) {
      const { tx, principal, nowMs } = call;
      const row = await revisionRow(call, path.revision);
      const [policy] = await tx.rows("select body from policies where digest = $1", [textOf(row, "digest")]);
      const proposed = await proposeRevision(tx, {
        kind: textOf(row, "kind") as BundleKind,
        policy: policy === undefined ? "" : textOf(policy, "body"),
        note: `revision ${path.revision} again`,
        group: maybeText(row, "device_group"),
        percent: 100,
        centralTiers: textOf(row, "central_tiers").split(",").filter(Boolean),
        maxAgeMs: numberOf(row, "max_age_ms"),
        by: principal.personId ?? principal.id,
        nowMs,
      });
      await writeAct(tx, nowMs, principal.id, "revision.restore", path.revision, {
        revision: proposed.revision,
      });
      return revisionJson(await revisionRow(call, String(proposed.revision)));
    },
  }),
  post("/api/v1/revisions/{revision}/end", {
    about: "ends a dry revision, or drops a proposal",
    right: "write-policy",
    input: object({}),
    output: revision,
    errors: { ...NO_SUCH, ended: "it decides: publish another in its place" },
    async handle(call, { path }) {
      const { tx, principal, nowMs } = call;
      const row = await revisionRow(call, path.revision);
      const state = textOf(row, "state");
      const next = state === "proposed" ? "dropped" : textOf(row, "kind") === "dry" ? "ended" : undefined;
      if (next === undefined || state === "dropped")
        throw new Problem(409, "ended", "it decides: publish another in its place");
      await tx.rows("update revisions set state = $2 where revision = $1", [numberOf(row, "revision"), next]);
      await writeAct(tx, nowMs, principal.id, "revision.end", path.revision);
      await call.parts.ticks.announce(call);
      return revisionJson(await revisionRow(call, path.revision));
    },
  }),
];
