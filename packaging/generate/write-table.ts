// Writes operations.tsv, for every generator: one operation a line, sorted, with the tier that the rules give it
// today, so that a diff of the table shows what a change of a rule or of a vendor's API means. Run alone it writes the
// tiers of all tables again: bun packaging/generate/write-table.ts

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Catalogue, type CatalogueRow } from "../../src/protocols/catalogue.ts";
import { awsColumns } from "../../src/protocols/aws/known-operations.ts";
import { cloudflareColumns } from "../../src/protocols/cloudflare/known-operations.ts";
import { gcloudColumns } from "../../src/protocols/gcloud/known-operations.ts";
import { githubColumns } from "../../src/protocols/github/known-operations.ts";

/** An operation as a generator finds it. */
export type FoundOperation = Omit<CatalogueRow, "tier" | "scope">;

/** The two columns that follow from the rules, by protocol. */
export const COLUMNS = {
  aws: awsColumns,
  cloudflare: cloudflareColumns,
  gcloud: gcloudColumns,
  github: githubColumns,
} as const;

/** Names of the columns after the common ones. */
const MORE: Readonly<Partial<Record<keyof typeof COLUMNS, string>>> = { aws: "\taccess level\tIAM action" };

const ROOT = join(import.meta.dir, "../..");

/** Where a protocol's table is. */
export function tablePath(protocol: keyof typeof COLUMNS): string {
  return join(ROOT, "src/protocols", protocol, "operations.tsv");
}

/** The text of a table; `about` says what it was made from, a line each. */
export function tableText(
  protocol: keyof typeof COLUMNS,
  about: readonly string[],
  operations: readonly FoundOperation[],
): string {
  const lines = operations.map((one) => {
    const { tier, scope } = COLUMNS[protocol](one);
    const routes = one.routes.map(({ method, path }) => `${method} ${path}`).join(", ");
    return [one.service, one.operation, routes, tier, scope, ...one.more].join("\t");
  });
  const columns = `# service\toperation\troutes\ttier\tscope${MORE[protocol] ?? ""}`;
  return [...about.map((line) => `# ${line}`), columns, ...new Set(lines.sort()), ""].join("\n");
}

/** One operation each of routes that name theirs, `GET /things/*`; the routes are sorted. */
export function byOperation(
  found: readonly { readonly service: string; readonly operation: string; readonly route: string }[],
): readonly FoundOperation[] {
  const routes = new Map<string, string[]>();
  for (const { service, operation, route } of found) {
    const key = `${service}\t${operation}`;
    routes.set(key, [...(routes.get(key) ?? []), route]);
  }
  return [...routes].map(([key, all]) => {
    const [service = "", operation = ""] = key.split("\t");
    const split = [...new Set(all)].sort().map((route) => {
      const space = route.indexOf(" ");
      return { method: route.slice(0, space), path: route.slice(space + 1) };
    });
    return { service, operation, routes: split, more: [] };
  });
}

/** Writes a table. */
export function writeTable(...given: Parameters<typeof tableText>): void {
  writeFileSync(tablePath(given[0]), tableText(...given));
  process.stdout.write(`${tablePath(given[0])}: ${given[2].length} operations\n`);
}

/** A table as it is, with the tiers as the rules are. */
export function refreshedTable(protocol: keyof typeof COLUMNS): string {
  const text = readFileSync(tablePath(protocol), "utf8");
  const comments = text.split("\n").filter((line) => line.startsWith("#"));
  return tableText(protocol, comments.slice(0, -1).map((line) => line.slice(2)), new Catalogue(text).rows());
}

if (import.meta.main)
  for (const protocol of Object.keys(COLUMNS) as (keyof typeof COLUMNS)[])
    writeFileSync(tablePath(protocol), refreshedTable(protocol));
