// Writes src/protocols/gcloud/data/methods.ts from Google's discovery documents.
//
//   pip download google-api-python-client --no-deps -d DIR && cd DIR && unzip -q *.whl
//   bun packaging/generate/gcloud-methods.ts DIR/googleapiclient/discovery_cache/documents VERSION
//
// The documents carry what the npm package `googleapis` has lost: `flatPath`, the
// resource names spelled out. Only URLs, HTTP methods and method ids are taken.
// All versions of an API are merged: the version segment of a path is written `V`.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Method {
  readonly id: string;
  readonly httpMethod: string;
  readonly path: string;
  readonly flatPath?: string;
  readonly parameters?: Readonly<Record<string, { readonly location?: string; readonly pattern?: string }>>;
}
interface Resource {
  readonly methods?: Readonly<Record<string, Method>>;
  readonly resources?: Readonly<Record<string, Resource>>;
}
interface Document extends Resource {
  readonly rootUrl: string;
  readonly servicePath: string;
  readonly version: string;
}

/** One place in a service's tree of paths. */
interface Node {
  readonly name: string;
  readonly children: Map<string, Node>;
  /** HTTP method letter to method id. */
  readonly ops: Map<string, string>;
}

const LETTERS: Readonly<Record<string, string>> = { GET: "G", POST: "P", PUT: "U", PATCH: "A", DELETE: "D" };
const VERSION = /^(?:v\d+[a-z0-9]*(?:\.\d+)?|alpha|beta)$/;

const newNode = (name: string): Node => ({ name, children: new Map(), ops: new Map() });

function child(node: Node, name: string): Node {
  let found = node.children.get(name);
  if (found === undefined) node.children.set(name, (found = newNode(name)));
  return found;
}

/** `v1/projects/{p}/topics/{t}:publish` to `V`, `projects`, `*`, `topics`, `*`, `:publish`. */
function segmentsOf(path: string): string[] {
  const names: string[] = [];
  for (const [index, segment] of path.split("/").filter(Boolean).entries()) {
    const colon = segment.indexOf(":");
    const name = colon < 0 ? segment : segment.slice(0, colon);
    if (index < 3 && VERSION.test(name)) names.push("V");
    else names.push(name.startsWith("{") ? "*" : name);
    if (colon >= 0) names.push(segment.slice(colon));
  }
  return names;
}

/** Whether the last variable of the path may hold slashes of its own. */
function endsOpen(method: Method): boolean {
  return Object.values(method.parameters ?? {}).some(
    (parameter) => parameter.location === "path" && /\.\*\$$/.test(parameter.pattern ?? ""),
  );
}

function addMethod(root: Node, servicePath: string, method: Method): void {
  const letter = LETTERS[method.httpMethod];
  if (letter === undefined) return;
  const names = segmentsOf(servicePath + (method.flatPath ?? method.path));
  if (names.at(-1) === "*" && endsOpen(method)) names[names.length - 1] = "**";
  let node = root;
  for (const name of names) node = child(node, name);
  if (!node.ops.has(letter)) node.ops.set(letter, method.id);
}

function addResource(root: Node, servicePath: string, resource: Resource): void {
  for (const method of Object.values(resource.methods ?? {})) addMethod(root, servicePath, method);
  for (const inner of Object.values(resource.resources ?? {})) addResource(root, servicePath, inner);
}

/** Host name without `.googleapis.com`; what lives on www is keyed by the first segment of its path. */
function serviceOf(document: Document, segment: string): string {
  const host = new URL(document.rootUrl).hostname.replace(/\.googleapis\.com$/, "");
  return host === "www" ? segment : host;
}

function readServices(directory: string): Map<string, Node> {
  const services = new Map<string, Node>();
  const files = readdirSync(directory)
    .filter((name) => name.endsWith(".json") && name !== "index.json")
    .sort();
  // Stable versions first, newest first: where two name one path, the first name stays.
  const rank = (version: string) =>
    (/alpha/.test(version) ? 2e3 : /beta/.test(version) ? 1e3 : 0) - Number.parseFloat(version.slice(1) || "0");
  const documents = files
    .map((name) => JSON.parse(readFileSync(join(directory, name), "utf8")) as Document)
    .filter((document) => document.rootUrl.includes("googleapis.com"))
    .sort((a, b) => rank(a.version) - rank(b.version));
  for (const document of documents) {
    const prefix = document.servicePath;
    const own = serviceOf(document, prefix.split("/")[0] || "www");
    if (!services.has(own)) services.set(own, newNode(""));
    addResource(services.get(own) as Node, prefix, document);
  }
  return services;
}

/** How ids of one service derive from paths; each choice is the one that leaves the fewest exceptions. */
interface Style {
  readonly prefix: string;
  readonly isFlat: boolean;
  readonly create: string;
}

/** The id that the reader (src/protocols/gcloud/methods.ts) would derive by itself; the two must agree. */
function derivedId(style: Style, trail: readonly string[], letter: string): string {
  const last = trail.at(-1) ?? "";
  const literals = trail.filter((name) => name !== "*" && name !== "**" && name !== "V" && !name.startsWith(":"));
  const resource = (names: readonly string[]) => (style.isFlat ? (names.at(-1) ?? "") : names.join("."));
  const id = (names: readonly string[], verb: string) =>
    [style.prefix, resource(names), verb].filter(Boolean).join(".");
  if (last.startsWith(":")) return id(literals, last.slice(1));
  if (letter === "X") return id(literals.slice(0, -1), literals.at(-1) ?? "");
  const isItem = last === "*" || last === "**";
  const verbs: Record<string, string> = {
    G: isItem ? "get" : "list",
    P: style.create,
    A: "patch",
    U: "update",
    D: "delete",
  };
  return id(literals, verbs[letter] ?? "");
}

function renderOps(style: Style, trail: readonly string[], node: Node): string {
  let plain = "";
  let named = "";
  for (const [letter, id] of [...node.ops].sort()) {
    if (derivedId(style, trail, letter) === id) plain += letter;
    else if (letter === "P" && derivedId(style, trail, "X") === id) plain += "X";
    else {
      const short = id.startsWith(`${style.prefix}.`) ? id.slice(style.prefix.length + 1) : `/${id}`;
      const base = derivedId(style, trail, letter).split(".").slice(1, -1).join(".");
      const verb = short.startsWith(`${base}.`) ? short.slice(base.length + 1) : "";
      named += `!${letter}=${verb !== "" && !verb.includes(".") ? verb : `.${short}`}`;
    }
  }
  if (node.name.startsWith(":") && plain === "P" && named === "") return "";
  return (plain === "" ? "" : `!${plain}`) + named;
}

function renderNode(style: Style, trail: readonly string[], node: Node): string {
  const here = node.name === "" ? trail : [...trail, node.name];
  const inner = [...node.children.values()].map((next) => renderNode(style, here, next)).sort();
  return node.name + renderOps(style, here, node) + (inner.length === 0 ? "" : `(${inner.join(",")})`);
}

function idsOf(node: Node): string[] {
  return [...node.ops.values(), ...[...node.children.values()].flatMap(idsOf)];
}

function renderService(name: string, root: Node): string {
  const prefixes = new Map<string, number>();
  for (const id of idsOf(root)) {
    const first = id.split(".")[0] ?? "";
    prefixes.set(first, (prefixes.get(first) ?? 0) + 1);
  }
  const prefix = [...prefixes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? name;
  const candidates = [false, true].flatMap((isFlat) =>
    ["create", "insert"].map((create) => {
      const style: Style = { prefix, isFlat, create };
      return `${name} ${prefix} ${isFlat ? "flat" : "nested"} ${create} ${renderNode(style, [], root)}`;
    }),
  );
  return candidates.sort((a, b) => a.length - b.length)[0] ?? "";
}

const [directory, version] = process.argv.slice(2);
if (directory === undefined || version === undefined) throw new Error("usage: gcloud-methods.ts DIRECTORY VERSION");
const services = readServices(directory);
const lines = [...services].map(([name, root]) => renderService(name, root)).sort();
const header = `// Generated by packaging/generate/gcloud-methods.ts; do not edit. ${services.size} services of Google.
// Source: the discovery documents in the Python package google-api-python-client ${version}
// (Apache-2.0). Only URLs, HTTP methods and method ids; read by ../gcloud-methods.ts.

/** One service a line: host, prefix of its method ids, style of the ids, verb of a creating POST, tree of paths. */
`;
const text = `${header}export const GCLOUD_METHODS = String.raw\`\n${lines.join("\n")}\n\`;\n`;
writeFileSync(join(import.meta.dir, "../../src/protocols/gcloud/data/methods.ts"), text);
process.stdout.write(`${services.size} services, ${text.length} bytes\n`);
