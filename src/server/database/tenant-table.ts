// The one way in which a migration makes a table: whatever it is called, it belongs to tenants, its
// rows are seen by their tenant alone, and the role that answers requests owns nothing of it. Row
// level security is forced, so that the owner is bound as well, and a transaction without a tenant
// sees nothing.

import { APP_ROLE, SCAN_ROLE } from "./database.ts";

/** The definition of a table. */
export interface TenantTable {
  readonly name: string;
  /** Columns beside `tenant_id`, and constraints; every key must begin with `tenant_id`. */
  readonly columns: readonly string[];
  /** The role's rights: rows that are evidence are inserted and never changed. */
  readonly may: "insert" | "change";
  /** Behind the closing bracket: how it is divided. */
  readonly storage?: string;
  /** Columns that may be read of all tenants at once: ids and names, nothing else. */
  readonly scanned?: readonly string[];
}

/** Compared with, never without: an unset tenant is '' or null, and equals nothing. */
const CURRENT_TENANT = "nullif(current_setting('app.tenant', true), '')";

/** The statements that make it. */
export function tenantTable({
  name,
  columns,
  may,
  storage = "",
  scanned = [],
}: TenantTable): readonly string[] {
  return [
    // Nobody writes the tenant: a row belongs to whom the transaction is for.
    `create table ${name} (tenant_id text not null default ${CURRENT_TENANT}, ${columns.join(", ")}) ${storage}`,
    ...guardStatements(name),
    `create policy ${name}_of_tenant on ${name} to ${APP_ROLE} ` +
      `using (tenant_id = ${CURRENT_TENANT}) with check (tenant_id = ${CURRENT_TENANT})`,
    `grant select, insert${may === "change" ? ", update, delete" : ""} on ${name} to ${APP_ROLE}`,
    ...(scanned.length === 0
      ? []
      : [
          `create policy ${name}_scanned on ${name} for select to ${SCAN_ROLE} using (true)`,
          `grant select (${scanned.join(", ")}) on ${name} to ${SCAN_ROLE}`,
        ]),
  ];
}

/** A piece of a divided table: reached through the table only, because a piece does not know the table's policies. */
export function partition(table: string, suffix: string, bounds: string): readonly string[] {
  const name = `${table}_${suffix}`;
  return [`create table if not exists ${name} partition of ${table} ${bounds}`, ...guardStatements(name)];
}

function guardStatements(name: string): readonly string[] {
  return [
    `alter table ${name} enable row level security`,
    `alter table ${name} force row level security`,
    `revoke all on ${name} from public`,
  ];
}
