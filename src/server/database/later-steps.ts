// The statements of the steps after the first, in order. The rules for them are in migrations.ts,
// which lists them.

import { tenantTable } from "./tenant-table.ts";

/** Notices, keys and dry policies. */
export const SECOND_STEP: readonly string[] = [
  // Who is told of requests that wait. One server at a time has a target: it holds the lease.
  ...tenantTable({
    name: "notice_targets",
    columns: [
      "name text not null",
      "sealed_config text not null",
      "version bigint not null default 1",
      "added_ms bigint not null",
      "leased_by text",
      "leased_until_ms bigint not null default 0",
      "delivered bigint not null default 0",
      "last_delivered_ms bigint",
      "problem text",
      "failing_since_ms bigint",
      "primary key (tenant_id, name)",
    ],
    may: "change",
    scanned: ["tenant_id", "name", "version", "leased_by", "leased_until_ms"],
  }),
  ...tenantTable({
    name: "notices",
    columns: [
      "target text not null",
      "subject text not null",
      "nonce text not null",
      "wanted text not null",
      "wanted_step integer not null",
      "shown_step integer not null default -1",
      "handle text",
      "claimed boolean not null default false",
      "set_aside text",
      "created_ms bigint not null",
      "changed_ms bigint not null",
      "primary key (tenant_id, target, subject)",
      "unique (tenant_id, nonce)",
    ],
    may: "change",
  }),
  "create index notices_due on notices (tenant_id, target, created_ms) where wanted_step > shown_step and set_aside is null",
  // A key is pinned by devices before it signs; 0 for a tenant's first.
  "alter table tenant_keys add column signs_from_ms bigint not null default 0",
  // Signed requests that were taken, for as long as their time is good.
  ...tenantTable({
    name: "device_nonces",
    columns: [
      "device_id text not null",
      "nonce text not null",
      "ends_ms bigint not null",
      "primary key (tenant_id, device_id, nonce)",
    ],
    may: "change",
  }),
  "create index device_nonces_end on device_nonces (tenant_id, ends_ms)",
  // Where a dry policy would have decided otherwise; counted, since the rows themselves are in audit_rows.
  ...tenantTable({
    name: "dry_differences",
    columns: [
      "revision bigint not null",
      "device_id text not null",
      "protocol text not null",
      "command text not null",
      "tier text not null",
      "decided text not null",
      "dry text not null",
      "dry_rule text not null",
      "count bigint not null",
      "first_ms bigint not null",
      "last_ms bigint not null",
      "primary key (tenant_id, revision, device_id, protocol, command, tier, decided, dry, dry_rule)",
    ],
    may: "change",
  }),
];

/** Answers of webhooks, forwarding. */
export const THIRD_STEP: readonly string[] = [
  // The receiver of a webhook answered: a nonce counts once, whatever its answer came to.
  "alter table notices add column answered_ms bigint",
  // Where audit rows are forwarded to. One server at a time has a receiver: it holds the lease.
  ...tenantTable({
    name: "forward_sinks",
    columns: [
      "name text not null",
      "sealed_config text not null",
      "version bigint not null default 1",
      "added_ms bigint not null",
      "leased_by text",
      "leased_until_ms bigint not null default 0",
      "delivered_rows bigint not null default 0",
      "refused_rows bigint not null default 0",
      "last_delivered_ms bigint",
      "problem text",
      "failing_since_ms bigint",
      "test_wanted boolean not null default false",
      "tested_ms bigint",
      "test_problem text",
      "primary key (tenant_id, name)",
    ],
    may: "change",
    scanned: ["tenant_id", "name", "version", "leased_by", "leased_until_ms"],
  }),
  // How far each chain got at a receiver.
  ...tenantTable({
    name: "forward_places",
    columns: [
      "sink text not null",
      "device_id text not null",
      "chain text not null",
      "seq bigint not null",
      "day date not null",
      "primary key (tenant_id, sink, device_id, chain)",
    ],
    may: "change",
  }),
  // Rows that a receiver will never take; the rows themselves are in audit_rows.
  ...tenantTable({
    name: "forward_refused",
    columns: [
      "sink text not null",
      "device_id text not null",
      "chain text not null",
      "seq bigint not null",
      "day date not null",
      "reason text not null",
      "at_ms bigint not null",
      "primary key (tenant_id, sink, device_id, chain, seq)",
    ],
    may: "change",
  }),
];
