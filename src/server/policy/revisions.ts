// Revisions of a tenant's policy: proposed, published, never changed, never taken back. A widening
// revision is published by somebody other than its author; going back publishes the old text under
// a new number. Numbers are handed out one after another in the transaction that writes them.

import type { BundleKind } from "../../api/fleet/protocol.ts";
import { policyDigest } from "../../api/fleet/signed.ts";
import { knownNames } from "../../policy/compare/catalogue.ts";
import { diffPolicies, isWidening } from "../../policy/compare/diff.ts";
import { diffLines } from "../../policy/compare/diff-lines.ts";
import { isNarrowerPolicy } from "../../policy/compare/narrower.ts";
import { parsePolicy } from "../../policy/parse/parse.ts";
import type { Policy } from "../../policy/policy.ts";
import { maybeText, numberOf, type Row, type Tx, textOf } from "../database/database.ts";
import { Problem } from "../http/problem.ts";
import type { ServerPrincipal } from "../people/principal.ts";

/** A new revision. */
export interface NewRevision {
  readonly kind: BundleKind;
  readonly policy: string;
  readonly note: string;
  /** Undefined for every device. */
  readonly group: string | undefined;
  readonly percent: number;
  readonly centralTiers: readonly string[];
  readonly maxAgeMs: number;
  readonly by: string;
  readonly nowMs: number;
}

/** The result of a proposal. */
export interface Proposed {
  readonly revision: number;
  readonly isWider: boolean;
  /** Clauses that name the newly allowed requests. */
  readonly widening: readonly string[];
}

const MAX_WIDENING = 50;

/** Writes a proposal. Throws the problem when the policy does not load. */
export async function proposeRevision(tx: Tx, wanted: NewRevision): Promise<Proposed> {
  const parsed = parsePolicy(wanted.policy);
  if ("problems" in parsed)
    throw new Problem(400, "bad-policy", "the policy does not load", {
      problems: parsed.problems.map(({ line, message }) => ({ line, message })),
    });
  const widening =
    wanted.kind === "dry" ? [] : wideningOf(await replacedBy(tx, wanted), wanted, parsed.policy);
  const digest = policyDigest(wanted.policy);
  await tx.rows(
    "insert into policies (digest, body, author_id, created_ms) values ($1, $2, $3, $4) on conflict do nothing",
    [digest, wanted.policy, wanted.by, wanted.nowMs],
  );
  const revision = await nextRevision(tx);
  await tx.rows(
    "insert into revisions (revision, kind, digest, note, device_group, percent, central_tiers, max_age_ms, is_wider, widening, " +
      "state, author_id, created_ms) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'proposed', $11, $12)",
    [
      revision,
      wanted.kind,
      digest,
      wanted.note,
      wanted.group ?? null,
      wanted.percent,
      wanted.centralTiers.join(","),
      wanted.maxAgeMs,
      widening.length > 0,
      JSON.stringify(widening),
      wanted.by,
      wanted.nowMs,
    ],
  );
  return { revision, isWider: widening.length > 0, widening };
}

/** Who publishes, and when. */
export interface PublishCall {
  readonly principal: Pick<ServerPrincipal, "id" | "personId">;
  /** Break glass: what widens may be published by its author. */
  readonly mayAlone: boolean;
  readonly nowMs: number;
}

/** Publishes a proposal. */
export async function publishRevision(
  tx: Tx,
  revision: number,
  { principal, mayAlone, nowMs }: PublishCall,
): Promise<void> {
  const by = principal.personId ?? principal.id;
  // Publishing waits for publishing: a proposal must be compared with the revision that it replaces.
  await tx.rows("select tenant_id from tenants for update");
  const [row] = await tx.rows("select * from revisions where revision = $1", [revision]);
  if (row === undefined) throw new Problem(404, "not-found", "there is no such revision");
  if (textOf(row, "state") !== "proposed")
    throw new Problem(409, "ended", `the revision is ${textOf(row, "state")}`);
  // Compared again: the policy in force may have become narrower since it was proposed.
  const widening = await wideningNow(tx, row);
  // A token can make another token, so two tokens without a person are not two people.
  if (widening.length > 0 && principal.personId === undefined)
    throw new Problem(403, "needs-person", "a widening revision is published by a person");
  if (widening.length > 0 && textOf(row, "author_id") === by && !mayAlone)
    throw new Problem(
      403,
      "needs-another",
      "a widening revision is published by somebody other than its author",
    );
  const [later] = await tx.rows(
    "select revision from revisions where kind = $1 and state = 'published' and revision > $2 " +
      "and (device_group is null or $3::text is null or device_group = $3) limit 1",
    [textOf(row, "kind"), revision, maybeText(row, "device_group") ?? null],
  );
  if (later !== undefined)
    throw new Problem(409, "overtaken", "a later revision is published: propose it again");
  await tx.rows(
    "update revisions set state = 'published', approver_id = $2, published_ms = $3, is_wider = $4, widening = $5 where revision = $1",
    [revision, by, nowMs, widening.length > 0, JSON.stringify(widening)],
  );
}

/** The text of a revision again, under a new number, published at once for one group or for whom it was. */
export async function copyRevision(
  tx: Tx,
  revision: number,
  { group, by, nowMs }: { readonly group?: string; readonly by: string; readonly nowMs: number },
): Promise<number> {
  const next = await nextRevision(tx);
  const copied = await tx.rows(
    "insert into revisions (revision, kind, digest, note, device_group, percent, central_tiers, max_age_ms, is_wider, widening, " +
      "state, author_id, approver_id, created_ms, published_ms) select $1, kind, digest, $2, coalesce($3, device_group), percent, " +
      "central_tiers, max_age_ms, is_wider, widening, 'published', author_id, $4, $5, $5 from revisions where revision = $6 returning revision",
    [next, `revision ${revision} again`, group ?? null, by, nowMs, revision],
  );
  if (copied.length === 0) throw new Problem(404, "not-found", "there is no such revision");
  return next;
}

/** A published revision that some device has, and would lose to a new one. */
interface Before {
  readonly text: string;
  readonly centralTiers: readonly string[];
  readonly maxAgeMs: number;
}

/**
 * All that a new revision would replace somewhere: a group or the rings that a partial roll-out left out may still have an
 * older one, and against each of them it must not be wider.
 */
async function replacedBy(
  tx: Tx,
  { kind, group }: Pick<NewRevision, "kind" | "group">,
): Promise<readonly Before[]> {
  const rows = await tx.rows(
    "select p.body, r.central_tiers, r.max_age_ms, r.device_group, r.percent from revisions r join policies p on p.digest = r.digest " +
      "where r.kind = $1 and r.state = 'published' and (r.device_group is null or $2::text is null or r.device_group = $2) " +
      "order by r.revision desc",
    [kind, group ?? null],
  );
  const covers = (row: Row) =>
    numberOf(row, "percent") === 100 && (row.device_group === null || row.device_group === group);
  const last = rows.findIndex(covers);
  return rows.slice(0, last < 0 ? rows.length : last + 1).map((row) => ({
    text: textOf(row, "body"),
    centralTiers: textOf(row, "central_tiers").split(",").filter(Boolean),
    maxAgeMs: numberOf(row, "max_age_ms"),
  }));
}

/** Clauses that name the requests that a proposal lets through and none of the policies that it would replace does. */
async function wideningNow(tx: Tx, row: Row): Promise<readonly string[]> {
  if (textOf(row, "kind") === "dry") return [];
  const [stored] = await tx.rows("select body from policies where digest = $1", [textOf(row, "digest")]);
  const policy = stored === undefined ? "" : textOf(stored, "body");
  const parsed = parsePolicy(policy);
  if ("problems" in parsed) throw new Problem(400, "bad-policy", "the policy does not load any more");
  const replaced = await replacedBy(tx, { kind: "enforced", group: maybeText(row, "device_group") });
  const wanted = {
    policy,
    centralTiers: textOf(row, "central_tiers").split(",").filter(Boolean),
    maxAgeMs: numberOf(row, "max_age_ms"),
  };
  return wideningOf(replaced, wanted, parsed.policy);
}

/**
 * Lists the ways in which a policy is wider. If the two cannot be compared it counts as wider, and so does
 * the first policy.
 */
function wideningOf(
  replaced: readonly Before[],
  wanted: Pick<NewRevision, "policy" | "centralTiers" | "maxAgeMs">,
  policy: Policy,
): readonly string[] {
  if (replaced.length === 0) return ["there is no policy to compare with"];
  const found = new Set<string>();
  for (const before of replaced) {
    const lost = before.centralTiers.filter((tier) => !wanted.centralTiers.includes(tier));
    if (lost.length > 0) found.add(`${lost.join(", ")} may be allowed on the device again`);
    const isLonger = before.maxAgeMs > 0 && (wanted.maxAgeMs === 0 || wanted.maxAgeMs > before.maxAgeMs);
    if (isLonger) found.add("it is good for longer without a sync");
    if (isNarrowerPolicy(before.text, wanted.policy)) continue;
    for (const line of comparedWith(before.text, policy)) found.add(line);
  }
  return [...found].slice(0, MAX_WIDENING);
}

function comparedWith(before: string, after: Policy): readonly string[] {
  const parsed = parsePolicy(before);
  if ("problems" in parsed) return ["the policy before does not load any more"];
  const diff = diffPolicies(parsed.policy, after, knownNames);
  if (!diff.isWider) return [];
  const routes = diff.routes.filter(({ effect }) => effect !== "narrower");
  // Without the last sentence, which says that it is wider.
  return diffLines({ ...diff, changes: diff.changes.filter(isWidening), routes }).slice(0, -1);
}

async function nextRevision(tx: Tx): Promise<number> {
  await tx.rows("select tenant_id from tenants for update");
  const [row] = await tx.rows("select coalesce(max(revision), 0) + 1 as next from revisions");
  if (row === undefined) throw new Error("no number");
  return numberOf(row, "next");
}
