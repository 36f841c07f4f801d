// Writes src/protocols/cloudflare/operations.tsv: every path of Cloudflare's REST API, with the methods that it
// takes and the name of the SDK's method for each. Run it with the directory in which npm has installed the packages;
// all those named cloudflare* and wrangler* there are read, the newest first, so that retired paths stay known:
//
//   npm install --prefix DIR --ignore-scripts cloudflare@7.3.0 cloudflare6@npm:cloudflare@6.5.0 \
//     cloudflare5@npm:cloudflare@5.2.0 cloudflare4@npm:cloudflare@4.2.0 wrangler@4.164.0 wrangler4@npm:wrangler@4.86.0 \
//     wrangler3@npm:wrangler@3.114.0
//   bun packaging/generate/cloudflare-operations.ts DIR/node_modules
//
// Only paths, methods and names are taken: tiers follow from rules, not from this data.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { byOperation, writeTable } from "./write-table.ts";

/** One place in the tree of paths. */
interface Node {
  readonly children: Map<string, Node>;
  /** Ids by method; the method "*" stands for every method, and its id ends in a dot. */
  readonly operations: Map<string, string>;
}

/** The verb of an operation without a known name, by its method. */
const VERBS = { GET: "get", POST: "create", PUT: "update", PATCH: "edit", DELETE: "delete" } as const;

/** Parameters whose values hold slashes as they are sent: model names and object keys. */
const OPEN: readonly RegExp[] = [/^\/accounts\/\*\/ai\/run\/\*$/, /^\/accounts\/\*\/r2\/buckets\/\*\/objects\/\*$/];

/** Paths that wrangler builds from pieces, or serves itself from, which no template in its text shows whole. */
const PIECED: readonly string[] = [
  "/graphql",
  "/accounts/*/workers/assets/upload",
  "/accounts/*/ai/models/search",
  "/accounts/*/ai/v1/chat/completions",
  "/accounts/*/ai/v1/completions",
  "/accounts/*/ai/v1/embeddings",
  "/accounts/*/ai/v1/responses",
  "/accounts/*/storage/kv/namespaces/*/values/*",
  "/accounts/*/storage/kv/namespaces/*/bulk/delete",
  "/accounts/*/queues/*/messages",
  "/accounts/*/containers/**",
  "/accounts/*/cloudchamber/**",
  "/pages/assets/check-missing",
  "/pages/assets/upload",
  "/pages/assets/upsert-hashes",
];

/** How the table writes a first segment that is one of the two. */
const EITHER = "{accounts|zones}";

const newNode = (): Node => ({ children: new Map(), operations: new Map() });
const root = newNode();

function add(path: string, method: string, id: string): void {
  const open = OPEN.some((pattern) => pattern.test(path));
  const segments = (open ? `${path}*` : path).split("/").filter(Boolean);
  // `/{accounts_or_zones}/{id}/…` has no name for either.
  if (segments[0] === "*" && segments[1] === "*") segments[0] = EITHER;
  let node = root;
  for (const segment of segments) {
    let child = node.children.get(segment);
    if (child === undefined) node.children.set(segment, (child = newNode()));
    node = child;
  }
  if (!node.operations.has(method)) node.operations.set(method, id);
}

const snake = (name: string) =>
  name
    .replace(/([a-z\d])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();

/** `/accounts/${account_id}/x?y` to `/accounts/*`…; undefined where a parameter is only part of a segment. */
function templateOf(text: string): string | undefined {
  const path = text.replace(/\$\{[^}]*\}/g, "*").replace(/\?.*$/, "");
  return /^(?:\/(?:\*|[\w.:@-]+))+\/?$/.test(path) ? path.replace(/\/$/, "") : undefined;
}

/** The SDK: one class a file; the class's place is its resource, the method around a call its name. */
function readSdk(folder: string): void {
  const base = join(folder, "src/resources");
  for (const file of readdirSync(base, { recursive: true, encoding: "utf8" }).sort()) {
    if (!file.endsWith(".ts")) continue;
    const places = file.replace(/\.ts$/, "").split("/").map(snake);
    if (places.at(-1) === places.at(-2)) places.pop();
    const text = readFileSync(join(base, file), "utf8");
    const method = /^ {2}(?:async )?(\w+)\(|_client\.(get|post|put|patch|delete|getAPIList)\(\s*(?:[\w.]+,\s*)?(?:path)?[`'](\/[^`']*)[`']/gm;
    let name = "";
    for (let match = method.exec(text); match !== null; match = method.exec(text)) {
      if (match[1] !== undefined) {
        name = snake(match[1]);
        continue;
      }
      // `${event}.${number}` and `${scan}.png` are one segment all the same.
      const path = templateOf((match[3] ?? "").replace(/\$\{\w+\}\.(?:\$\{\w+\}|\w+)/g, "${both}"));
      if (path === undefined) throw new Error(`${file}: ${match[3]}`);
      let verb = match[2] ?? "";
      if (verb === "getAPIList") {
        const end = text.indexOf("\n  }", match.index);
        verb = /method: '(\w+)'/.exec(text.slice(match.index, end))?.[1] ?? "get";
      }
      add(path, verb.toUpperCase(), [...places, name].join("."));
    }
  }
}

/** Whether the path is known already, parameter by parameter. */
function isKnown(path: string): boolean {
  let nodes: Node[] = [root];
  for (const segment of path.split("/").filter(Boolean))
    nodes = nodes.flatMap((node) => {
      const either = segment === "accounts" || segment === "zones" ? node.children.get(EITHER) : undefined;
      const names = segment === "*" ? ["*", "**"] : [segment];
      return [...names.map((name) => node.children.get(name)), either].filter((next) => next !== undefined);
    });
  return nodes.some((node) => node.operations.size > 0);
}

/** wrangler calls by template and leaves the method to its options, so what it knows beyond the SDK takes any. */
function readWrangler(folder: string): void {
  const text = readFileSync(join(folder, "wrangler-dist/cli.js"), "utf8");
  const paths = [...text.matchAll(/[`"'](\/(?:accounts|zones|user|memberships)\/?[^`"'\s\\]*)[`"']/g)].map((match) =>
    templateOf(match[1] ?? ""),
  );
  for (const path of [...new Set(paths)].sort()) if (path !== undefined && !isKnown(path)) addAny(path);
}

function addAny(path: string): void {
  const words = path.split("/").filter((word) => word !== "" && !word.startsWith("*") && !/^v\d+$/.test(word));
  if (words[0] === "accounts" || words[0] === "zones") words.shift();
  add(path, "*", words.length === 0 ? "accounts." : `${words.map(snake).join(".")}.`);
}

/** Every route below a node with the operation that it names. */
function routesBelow(node: Node, path: string): { service: string; operation: string; route: string }[] {
  const any = node.operations.get("*");
  const here = Object.entries(VERBS).flatMap(([method, verb]) => {
    const operation = node.operations.get(method) ?? (any === undefined ? undefined : any + verb);
    return operation === undefined
      ? []
      : [{ service: operation.split(".")[0] ?? "", operation, route: `${method} ${path}` }];
  });
  return [...here, ...[...node.children].flatMap(([name, child]) => routesBelow(child, `${path}/${name}`))];
}

const folder = process.argv[2] ?? "node_modules";
const packages = readdirSync(folder)
  .filter((name) => existsSync(join(folder, name, "package.json")))
  .map((name) => ({
    folder: join(folder, name),
    ...(JSON.parse(readFileSync(join(folder, name, "package.json"), "utf8")) as { name: string; version: string }),
  }))
  .filter(({ name }) => name === "cloudflare" || name === "wrangler")
  .sort((a, b) => a.name.localeCompare(b.name) || b.version.localeCompare(a.version, "en", { numeric: true }));
for (const one of packages) if (one.name === "cloudflare") readSdk(one.folder);
for (const path of PIECED) if (!isKnown(path)) addAny(path);
for (const one of packages) if (one.name === "wrangler") readWrangler(one.folder);

writeTable(
  "cloudflare",
  [
    "Cloudflare's REST operations below /client/v4. Generated by packaging/generate/cloudflare-operations.ts; do not edit.",
    `From npm ${packages.map(({ name, version }) => `${name} ${version}`).join(", ")}.`,
    "In paths * is one segment, ** one or more.",
  ],
  byOperation(routesBelow(root, "")),
);
