// The few Google operations whose effect is written in the body: SQL for BigQuery, access
// lists for buckets and objects, keys and start-up scripts in a machine's metadata. Only
// raises tiers. Words count wherever they stand, in strings and comments too: to read SQL
// exactly would take its parser, and a wrong reading would let a change through.

import type { RequestBody } from "../../model/request.ts";
import type { Tier } from "../../model/tier.ts";
import { parseStrictJson } from "../../wire/jsonrpc/strict-json.ts";
import { judgeSql } from "../sql.ts";

/** A body's addition to the tier of its operation. */
export type GoogleBodyFinding = { readonly tier: Tier; readonly reason: string } | undefined;

/** Reads the body of one kind of operation. */
export type BodyRule = (body: string) => GoogleBodyFinding;

const GRANTS = /\b(?:GRANT|REVOKE|ROW\s+ACCESS\s+POLICY)\b/i;
const DESTROYS = /\b(?:DROP|DELETE|TRUNCATE|EXECUTE\s+IMMEDIATE|CALL)\b/i;
/** JSON may spell any character `\u0044`; text that is escaped like that is not read as words. */
const ESCAPED_ASCII = /\\u00[2-7][0-9a-f]/i;

/** Judges SQL; the body is JSON with SQL in it, or SQL itself. */
export const sqlFinding: BodyRule = (body) => {
  const parsed = parseStrictJson(body);
  // In a body that is no JSON a line break may still be spelled `\n`, right before a word.
  const texts = "problem" in parsed ? [body.replace(/\\[bfnrt]/g, " ")] : stringsIn(parsed.value);
  const found = judgeSql(texts);
  if (found?.tier === "break-glass" || texts.some((text) => GRANTS.test(text)))
    return { tier: "break-glass", reason: "runs SQL that may change who has access" };
  if (found?.tier === "sensitive" || texts.some((text) => DESTROYS.test(text)) || ESCAPED_ASCII.test(body))
    return { tier: "sensitive", reason: "runs SQL that may delete" };
  return undefined;
};

/** Every string in a JSON value; which member holds the SQL differs from API to API. */
function stringsIn(value: unknown): string[] {
  const found: string[] = [];
  const stack = [value];
  while (stack.length > 0) {
    const one = stack.pop();
    if (typeof one === "string") found.push(one);
    else if (typeof one === "object" && one !== null)
      for (const member of Object.values(one)) stack.push(member);
  }
  return found;
}

const access: BodyRule = (body) =>
  /"(?:acl|defaultObjectAcl)"\s*:/.test(body) || ESCAPED_ASCII.test(body)
    ? { tier: "break-glass", reason: "changes who has access" }
    : undefined;

const datasetAccess: BodyRule = (body) =>
  /"access"\s*:/i.test(body) || ESCAPED_ASCII.test(body)
    ? { tier: "break-glass", reason: "changes who has access" }
    : undefined;

/** Names in a machine's metadata that say who may log in to it, or which commands it runs. */
export const TELLING_METADATA =
  /ssh-?keys|windows-keys|startup-script|shutdown-script|enable-oslogin|serial-port-enable|user-data|cloud-init/i;

const metadata: BodyRule = (body) =>
  TELLING_METADATA.test(body) || ESCAPED_ASCII.test(body)
    ? { tier: "break-glass", reason: "changes who may log in to a machine, or what it runs" }
    : undefined;

/** Judges a list of mutations: those of Firestore, Datastore and Spanner, and Bigtable's. */
export const mutations: BodyRule = (body) =>
  /"(?:delete|delete_?[fF]rom_?(?:[rR]ow|[cC]olumn|[fF]amily))"\s*:/.test(body) || ESCAPED_ASCII.test(body)
    ? { tier: "sensitive", reason: "writes that may delete" }
    : undefined;

const SESSIONS = "spanner.projects.instances.databases.sessions";
const DOCUMENTS = "firestore.projects.databases.documents";

/** Method ids to what their bodies can add. */
const RULES: ReadonlyMap<string, BodyRule> = new Map([
  ["bigquery.jobs.insert", sqlFinding],
  ["bigquery.jobs.query", sqlFinding],
  ["bigquery.datasets.insert", datasetAccess],
  ["bigquery.datasets.patch", datasetAccess],
  ["bigquery.datasets.update", datasetAccess],
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
  ...["mutateRow", "mutateRows", "checkAndMutateRow"].map(
    (verb) => [`bigtable.projects.instances.tables.${verb}`, mutations] as const,
  ),
  ["storage.buckets.insert", access],
  ["storage.buckets.patch", access],
  ["storage.buckets.update", access],
  ["storage.objects.patch", access],
  ["storage.objects.update", access],
  ["storage.objects.compose", access],
  ["storage.objects.copy", access],
  ["storage.objects.rewrite", access],
  ["compute.instances.setMetadata", metadata],
  ["compute.instances.update", metadata],
  ["compute.projects.setCommonInstanceMetadata", metadata],
]);

/** Whether the body of this operation decides, and how; undefined for nearly all. */
export function bodyRuleOf(methodId: string): BodyRule | undefined {
  return RULES.get(methodId);
}

/** Services with operations that are judged by their body; `www` and its like may be any of them. */
const SERVICES: ReadonlySet<string> = new Set([
  ...["bigquery", "bigtable", "compute", "datastore", "firestore", "spanner", "sqladmin", "storage"],
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
