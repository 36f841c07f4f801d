// The few Google operations whose effect is written in the body: SQL for BigQuery, access
// lists for buckets and objects, keys and start-up scripts in a machine's metadata. Only
// raises tiers. Words count wherever they stand, in strings and comments too: to read SQL
// exactly would take its parser, and a wrong reading would let a change through.

import type { RequestBody } from "../../model/request.ts";
import type { Tier } from "../../model/tier.ts";

/** What a body adds to an operation. */
export type BodyFinding = { readonly tier: Tier; readonly reason: string } | undefined;

/** Reads the body of one kind of operation. */
export type BodyRule = (body: string) => BodyFinding;

const GRANTS = /\b(?:GRANT|REVOKE|ROW\s+ACCESS\s+POLICY)\b/i;
const DESTROYS = /\b(?:DROP|DELETE|TRUNCATE|EXECUTE\s+IMMEDIATE|CALL)\b/i;
/** JSON may spell any character `\u0044`; what is escaped like that is not read as words. */
const ESCAPED_ASCII = /\\u00[2-7][0-9a-f]/i;

/** What SQL adds to the tier of running it. */
export const sqlFinding: BodyRule = (body) => {
  if (GRANTS.test(body)) return { tier: "break-glass", reason: "runs SQL that may change who has access" };
  if (DESTROYS.test(body) || ESCAPED_ASCII.test(body))
    return { tier: "sensitive", reason: "runs SQL that may delete" };
  return undefined;
};

const access: BodyRule = (body) =>
  /"(?:acl|defaultObjectAcl)"\s*:/.test(body) || ESCAPED_ASCII.test(body)
    ? { tier: "break-glass", reason: "changes who has access" }
    : undefined;

const metadata: BodyRule = (body) =>
  /ssh-?keys|windows-keys|startup-script|shutdown-script|enable-oslogin|serial-port-enable|user-data|cloud-init/i.test(
    body,
  ) || ESCAPED_ASCII.test(body)
    ? { tier: "break-glass", reason: "changes who may log in to a machine, or what it runs" }
    : undefined;

const mutations: BodyRule = (body) =>
  /"delete"\s*:/.test(body) || ESCAPED_ASCII.test(body)
    ? { tier: "sensitive", reason: "writes that may delete" }
    : undefined;

const SESSIONS = "spanner.projects.instances.databases.sessions";
const DOCUMENTS = "firestore.projects.databases.documents";

/** Method ids to what their bodies can add. */
const RULES: ReadonlyMap<string, BodyRule> = new Map([
  ["bigquery.jobs.insert", sqlFinding],
  ["bigquery.jobs.query", sqlFinding],
  ["sql.instances.executeSql", sqlFinding],
  ["spanner.projects.instances.databases.updateDdl", sqlFinding],
  [`${SESSIONS}.executeSql`, sqlFinding],
  [`${SESSIONS}.executeStreamingSql`, sqlFinding],
  [`${SESSIONS}.executeBatchDml`, sqlFinding],
  [`${SESSIONS}.commit`, mutations],
  [`${SESSIONS}.batchWrite`, mutations],
  ["datastore.projects.commit", mutations],
  [`${DOCUMENTS}.commit`, mutations],
  [`${DOCUMENTS}.batchWrite`, mutations],
  ["storage.buckets.insert", access],
  ["storage.buckets.patch", access],
  ["storage.buckets.update", access],
  ["storage.objects.patch", access],
  ["storage.objects.update", access],
  ["storage.objects.compose", access],
  ["storage.objects.copy", access],
  ["storage.objects.rewrite", access],
  ["compute.instances.setMetadata", metadata],
  ["compute.projects.setCommonInstanceMetadata", metadata],
]);

/** Whether the body of this operation decides, and how; undefined for nearly all. */
export function bodyRuleOf(methodId: string): BodyRule | undefined {
  return RULES.get(methodId);
}

/** Services with operations that are judged by their body; `www` and its like may be any of them. */
const SERVICES: ReadonlySet<string> = new Set([
  ...["bigquery", "compute", "datastore", "firestore", "spanner", "sqladmin", "storage"],
  ...["www", "content", "clients", "private", "restricted"],
]);

/** Whether any operation of the service is judged by its body; spares the others the look-up. */
export function hasBodyRules(service: string): boolean {
  return SERVICES.has(service);
}

/** The text of a body; undefined when there is one that could not be read. */
export function bodyText(body: RequestBody): string | undefined {
  if (body.kind === "none") return "";
  return body.kind === "whole" ? new TextDecoder().decode(body.bytes) : undefined;
}
