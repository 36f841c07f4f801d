// Finds the published operations behind a REST path: segments in, operation ids and labels out.
// Owns the reading of operations.tsv and knows nothing about tiers. The rows of a path's first word
// are read when the first path that begins with it is asked for; importing this file costs nothing.

import { Catalogue } from "../catalogue.ts";
import table from "./operations.tsv" with { type: "text" };

/** HTTP methods as the data spells them. */
export type PublishedVerb = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** The kind of a segment: one of the labels, any other name, or any number of segments. */
type Sign = "{owner}" | "{repo}" | "{org}" | "{enterprise}" | "*" | "**";

/** In the order in which they are tried. */
const SIGNS: readonly Sign[] = ["{repo}", "{enterprise}", "*", "**", "{owner}", "{org}"];

/** One place in the tree of paths. */
interface PathNode {
  readonly literals: Map<string, PathNode>;
  /** Children that stand for one name, or with `**` for several. */
  readonly names: (readonly [sign: Sign, node: PathNode])[];
  readonly operations: Map<string, string>;
}

/** A published operation at a path, with the names that the path gives. */
export interface FoundOperation {
  /** `repos/get-content`. */
  readonly id: string;
  readonly owner: string | undefined;
  readonly repo: string | undefined;
  readonly org: string | undefined;
  readonly enterprise: string | undefined;
}

/** The published operations of a path; several only where a branch or file name may hold slashes. */
export interface PathSearch {
  readonly operations: readonly FoundOperation[];
  /** Whether the path exists with another method. */
  readonly isPathKnown: boolean;
}

const NOTHING: PathSearch = { operations: [], isPathKnown: false };

/** Every operation with its tier; the rows of `graphql` are mutations. */
export const githubTable = new Catalogue(table);

const roots = new Map<string, PathNode | undefined>();

/** The operations published for these decoded segments and this method, the likeliest first. */
export function findOperations(segments: readonly string[], method: PublishedVerb): PathSearch {
  const [first] = segments;
  if (first === undefined) return NOTHING;
  const root = rootOf(first);
  if (root === undefined) return NOTHING;
  const search = new Search(segments, method);
  search.walk(root, 1);
  return search;
}

function rootOf(word: string): PathNode | undefined {
  const known = roots.get(word);
  if (known !== undefined || word === GRAPHQL) return known;
  const rows = githubTable.rowsOf(word);
  if (rows.length === 0) return undefined;
  const root = newNode();
  for (const { operation, routes } of rows)
    for (const { method, path } of routes) {
      let node = root;
      for (const segment of path.split("/").slice(2)) node = childOf(node, segment);
      node.operations.set(method, operation);
    }
  roots.set(word, root);
  return root;
}

function newNode(): PathNode {
  return { literals: new Map(), names: [], operations: new Map() };
}

function childOf(node: PathNode, segment: string): PathNode {
  const order = SIGNS.indexOf(segment as Sign);
  const known = order < 0 ? node.literals.get(segment) : node.names.find(([sign]) => sign === segment)?.[1];
  if (known !== undefined) return known;
  const child = newNode();
  if (order < 0) node.literals.set(segment, child);
  else {
    node.names.push([segment as Sign, child]);
    node.names.sort(([a], [b]) => SIGNS.indexOf(a) - SIGNS.indexOf(b));
  }
  return child;
}

/** The service whose rows are no paths. */
const GRAPHQL = "graphql";

let mutations: ReadonlySet<string> | undefined;

/** Whether GitHub publishes a mutation of this name. */
export function isPublishedMutation(name: string): boolean {
  mutations ??= new Set(githubTable.rowsOf(GRAPHQL).map(({ operation }) => operation));
  return mutations.has(`mutation ${name}`);
}

class Search {
  readonly operations: FoundOperation[] = [];
  isPathKnown = false;
  readonly #segments: readonly string[];
  readonly #method: PublishedVerb;
  readonly #names: (readonly [Sign, string])[] = [];

  constructor(segments: readonly string[], method: PublishedVerb) {
    this.#segments = segments;
    this.#method = method;
  }

  /** Fixed words before names, as GitHub's own routes have it; all ways to cut a name that may hold slashes. */
  walk(node: PathNode, at: number): void {
    const segment = this.#segments[at];
    if (segment === undefined) {
      this.isPathKnown ||= node.operations.size > 0;
      const id = node.operations.get(this.#method);
      if (id !== undefined) this.operations.push(this.#found(id));
      else if (this.#method === "GET") this.#leaveOut(node);
      return;
    }
    const literal = node.literals.get(segment);
    if (literal !== undefined) this.walk(literal, at + 1);
    for (const [sign, child] of node.names) {
      if (sign === "**") for (let end = at + 1; end <= this.#segments.length; end++) this.walk(child, end);
      else if (this.operations.length === 0) {
        this.#names.push([sign, segment]);
        this.walk(child, at + 1);
        this.#names.pop();
      }
    }
  }

  /** Reads take a file's or a branch's name left out for the root and the default branch: `contents`, `tarball`. */
  #leaveOut(node: PathNode): void {
    for (const [sign, child] of node.names) {
      const id = sign === "**" ? child.operations.get(this.#method) : undefined;
      if (id === undefined || child.literals.size > 0 || child.names.length > 0) continue;
      this.isPathKnown = true;
      this.operations.push(this.#found(id));
    }
  }

  #found(id: string): FoundOperation {
    const nameOf = (wanted: Sign) => this.#names.find(([sign]) => sign === wanted)?.[1];
    return {
      id,
      owner: nameOf("{owner}"),
      repo: nameOf("{repo}"),
      org: nameOf("{org}"),
      enterprise: nameOf("{enterprise}"),
    };
  }
}
