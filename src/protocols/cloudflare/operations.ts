// The published paths of Cloudflare's REST API, from operations.tsv, read at the first look-up.
// Knows no tier. A path that is not in it is an unknown operation, whatever it looks like.

import { Catalogue } from "../catalogue.ts";
import table from "./operations.tsv" with { type: "text" };

/** A found operation. */
export interface CloudflareOperation {
  /** The SDK's name of it, `dns.records.create`; for paths that only wrangler uses, the path's words and a verb. */
  readonly id: string;
  /** The path's fixed words in order, without parameters. */
  readonly words: readonly string[];
  /** The values of the parameters after the words `accounts` and `zones`. */
  readonly account: string | undefined;
  readonly zone: string | undefined;
}

interface Node {
  readonly name: string;
  readonly children: Map<string, Node>;
  /** Ids by HTTP method. */
  readonly operations: Map<string, string>;
}

/** How the table writes a first segment that is `accounts` or `zones`. */
const EITHER = "{accounts|zones}";

/** Every operation with its tier. */
export const cloudflareTable = new Catalogue(table);

let read: Node | undefined;

/** The operation that a method and the segments below `/client/v4` name; undefined for none that is published. */
export function findCloudflareOperation(
  method: string,
  segments: readonly string[],
): CloudflareOperation | undefined {
  const published = method === "HEAD" ? "GET" : method;
  read ??= readTable();
  const trail: Node[] = [];
  if (!descend(read, segments, 0, published, trail)) return undefined;
  return { id: trail.at(-1)?.operations.get(published) ?? "", ...readTrail(segments, trail) };
}

function readTrail(segments: readonly string[], trail: readonly Node[]): Omit<CloudflareOperation, "id"> {
  const words: string[] = [];
  let account: string | undefined;
  let zone: string | undefined;
  for (const [index, node] of trail.entries()) {
    const segment = segments[index] ?? "";
    if (!node.name.startsWith("*")) {
      words.push(segment);
      continue;
    }
    const before = words.at(-1);
    const isAfterWord = trail[index - 1]?.name.startsWith("*") === false;
    if (isAfterWord && before === "accounts") account ??= segment;
    if (isAfterWord && before === "zones") zone ??= segment;
  }
  return { words, account, zone };
}

/** Depth first, a word before a parameter; `trail` gets the node of each segment. */
function descend(
  node: Node,
  segments: readonly string[],
  at: number,
  method: string,
  trail: Node[],
): boolean {
  const segment = segments[at];
  if (segment === undefined) return node.operations.has(method);
  const either = at === 0 && (segment === "accounts" || segment === "zones") ? EITHER : undefined;
  for (const name of [segment, either, "*"]) {
    const next = name === undefined || name === "**" ? undefined : node.children.get(name);
    if (next === undefined) continue;
    trail.push(next);
    if (descend(next, segments, at + 1, method, trail)) return true;
    trail.pop();
  }
  const open = node.children.get("**");
  if (open === undefined || !open.operations.has(method)) return false;
  trail.push(open);
  return true;
}

function readTable(): Node {
  const root = newNode("");
  for (const { operation, routes } of cloudflareTable.rows())
    for (const { method, path } of routes) {
      let node = root;
      for (const name of path.slice(1).split("/")) node = childOf(node, name);
      node.operations.set(method, operation);
    }
  return root;
}

function childOf(node: Node, name: string): Node {
  const known = node.children.get(name);
  if (known !== undefined) return known;
  const child = newNode(name);
  node.children.set(name, child);
  return child;
}

function newNode(name: string): Node {
  return { name, children: new Map(), operations: new Map() };
}
