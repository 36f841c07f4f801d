// Every migration, in order. One that has been released is never edited: a later one expands the
// table, and one that ships after all older servers are gone drops the columns that nothing reads.
// Each runs in a transaction of its own. Times are Unix milliseconds. Every key begins with the
// tenant, so that a clash tells nothing about another's rows.

import { APP_ROLE, SCAN_ROLE } from "./database.ts";
import { SECOND_STEP, THIRD_STEP } from "./later-steps.ts";
import { partition, tenantTable } from "./tenant-table.ts";

/** One step of the schema. */
export interface Migration {
  /** From 1, without holes. */
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
}

// Roles belong to all databases of a server: another one may make them at this moment.
const role = (name: string): string =>
  `do $$ begin create role ${name} nologin; exception when duplicate_object or unique_violation then null; end $$`;

const FIRST: readonly string[] = [
  role(APP_ROLE),
  role(SCAN_ROLE),
  // Whoever connects may become one of the two, and no more than that.
  `do $$ begin execute format('grant ${APP_ROLE}, ${SCAN_ROLE} to %I', current_user); end $$`,
  `grant usage on schema public to ${APP_ROLE}, ${SCAN_ROLE}`,
  ...tenantTable({
    name: "tenants",
    columns: [
      "slug text not null unique",
      "name text not null",
      "epoch bigint not null default 1",
      "tick bigint not null default 0",
      "settings text not null default '{}'",
      "created_ms bigint not null",
      "primary key (tenant_id)",
    ],
    may: "change",
    scanned: ["tenant_id", "slug", "tick"],
  }),
  ...tenantTable({
    name: "tenant_keys",
    columns: [
      "id text not null",
      "public_key text not null",
      "sealed_key text not null",
      "created_ms bigint not null",
      "retired_ms bigint",
      "primary key (tenant_id, id)",
    ],
    may: "change",
  }),
  ...tenantTable({
    name: "people",
    columns: [
      "id text not null",
      "issuer text not null",
      "subject text not null",
      "name text not null",
      "email text",
      "roles text not null",
      "created_ms bigint not null",
      "seen_ms bigint",
      "disabled_ms bigint",
      "primary key (tenant_id, id)",
      "unique (tenant_id, issuer, subject)",
    ],
    may: "change",
  }),
  ...tenantTable({
    name: "sessions",
    columns: [
      "hash text not null",
      "person_id text not null",
      "sid text",
      "created_ms bigint not null",
      "ends_ms bigint not null",
      "primary key (tenant_id, hash)",
    ],
    may: "change",
  }),
  ...tenantTable({
    name: "logins",
    columns: [
      "hash text not null",
      "nonce text not null",
      "verifier text not null",
      "return_to text not null",
      "ends_ms bigint not null",
      "primary key (tenant_id, hash)",
    ],
    may: "change",
  }),
  ...tenantTable({
    name: "api_tokens",
    columns: [
      "id text not null",
      "hash text not null",
      "name text not null",
      "person_id text",
      "roles text not null",
      "created_ms bigint not null",
      "ends_ms bigint not null",
      "used_ms bigint",
      "revoked_ms bigint",
      "primary key (tenant_id, id)",
      "unique (tenant_id, hash)",
    ],
    may: "change",
  }),
  ...tenantTable({
    name: "enroll_tokens",
    columns: [
      "id text not null",
      "hash text not null",
      "owner_id text not null",
      "device_group text not null",
      "created_ms bigint not null",
      "ends_ms bigint not null",
      "used_ms bigint",
      "device_id text",
      "primary key (tenant_id, id)",
      "unique (tenant_id, hash)",
    ],
    may: "change",
  }),
  ...tenantTable({
    name: "devices",
    columns: [
      "id text not null",
      "public_key text not null",
      "name text not null",
      "platform text not null",
      "version text not null",
      "mode text not null default ''",
      "owner_id text not null",
      "device_group text not null",
      "ring integer not null",
      "created_ms bigint not null",
      "seen_ms bigint not null",
      "revoked_ms bigint",
      "policy text",
      "dry_policy text",
      "local_digest text",
      "refused text",
      "held integer not null default 0",
      "decision_seq bigint not null default 0",
      "primary key (tenant_id, id)",
    ],
    may: "change",
  }),
  ...tenantTable({
    name: "device_chains",
    columns: [
      "device_id text not null",
      "chain text not null",
      "acked_seq bigint not null",
      "head text not null",
      "started_ms bigint not null",
      "alert text",
      "primary key (tenant_id, device_id, chain)",
    ],
    may: "change",
  }),
  ...tenantTable({
    name: "policies",
    columns: [
      "digest text not null",
      "body text not null",
      "author_id text not null",
      "created_ms bigint not null",
      "primary key (tenant_id, digest)",
    ],
    may: "insert",
  }),
  ...tenantTable({
    name: "revisions",
    columns: [
      "revision bigint not null",
      "kind text not null",
      "digest text not null",
      "note text not null",
      "device_group text",
      "percent integer not null",
      "central_tiers text not null",
      "max_age_ms bigint not null",
      "is_wider boolean not null",
      "widening text not null",
      "state text not null",
      "author_id text not null",
      "approver_id text",
      "created_ms bigint not null",
      "published_ms bigint",
      "primary key (tenant_id, revision)",
    ],
    may: "change",
  }),
  ...tenantTable({
    name: "approvals",
    columns: [
      "device_id text not null",
      "nonce text not null",
      "approval_id text not null",
      "digest text not null",
      "tier text not null",
      "body text not null",
      "state text not null",
      "held_ms bigint not null",
      "ends_ms bigint not null",
      "verb text",
      "decided_by text",
      "decided_ms bigint",
      "decision text",
      "decision_seq bigint",
      "outcome text",
      "ended_ms bigint",
      "primary key (tenant_id, device_id, nonce)",
    ],
    may: "change",
  }),
  "create index approvals_waiting on approvals (tenant_id, held_ms) where state = 'waiting'",
  "create index approvals_decisions on approvals (tenant_id, device_id, decision_seq) where decision_seq is not null",
  ...tenantTable({
    name: "audit_rows",
    columns: [
      "device_id text not null",
      "chain text not null",
      "seq bigint not null",
      "at_ms bigint not null",
      "received_day date not null",
      "op text not null",
      "outcome text",
      "tier text",
      "protocol text",
      "command text",
      "host text",
      "line text not null",
      "primary key (tenant_id, received_day, device_id, chain, seq)",
    ],
    may: "insert",
    storage: "partition by range (received_day)",
  }),
  "create index audit_rows_at on audit_rows (tenant_id, at_ms)",
  ...partition("audit_rows", "rest", "default"),
  ...tenantTable({
    name: "acts",
    columns: [
      "id text not null",
      "at_ms bigint not null",
      "who text not null",
      "act text not null",
      "about text not null",
      "details text not null",
      "primary key (tenant_id, id)",
    ],
    may: "insert",
  }),
  "create index acts_at on acts (tenant_id, at_ms)",
  ...tenantTable({
    name: "replies",
    columns: [
      "key text not null",
      "request text not null",
      "status integer not null",
      "body text not null",
      "created_ms bigint not null",
      "primary key (tenant_id, key)",
    ],
    may: "change",
  }),
];

/** The steps that bring a database to the program's version, in order. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: "first", statements: FIRST },
  { version: 2, name: "notices, keys and dry policies", statements: SECOND_STEP },
  { version: 3, name: "answers of webhooks, forwarding", statements: THIRD_STEP },
];
