// Matches a path against the REST bindings of a group of APIs. Knows templates and segments, no
// hosts and no tiers. Literal segments win over labels and labels over greedy ones, as in Smithy's
// routing rules; where two operations remain that are equally specific, both are answers and the
// caller takes the stricter.

import type { CatalogueRoute } from "../catalogue.ts";
import type { AwsApi, AwsOperation } from "./catalogue.ts";

/** An operation that a leaf of the tree leads to, and the query that its binding demands. */
interface Leaf {
  readonly operation: AwsOperation;
  /** `["acl", ""]`: the key must be there; with a value, exactly that value. */
  readonly query: readonly (readonly [string, string])[];
  /** The fixed words behind a greedy label: `/portals/{arn+}/userSettings`. */
  readonly tail: readonly string[];
}

interface Node {
  readonly literals: Map<string, Node>;
  label: Node | undefined;
  /** A label that takes this and all that follows. */
  greedy: Leaf[] | undefined;
  leaves: Leaf[] | undefined;
}

/** The operations that a request can mean, all equally likely; "ambiguous" when its query selects several. */
export type TemplateMatch =
  | { readonly kind: "none" }
  | { readonly kind: "ambiguous" }
  | { readonly kind: "found"; readonly operations: readonly AwsOperation[] };

/** The query of a request, as the matcher asks for it: undefined when it cannot be read. */
export type QueryReader = () => readonly (readonly [string, string])[] | undefined;

/** The bindings of several APIs as one tree a method. */
export class TemplateIndex {
  readonly #roots = new Map<string, Node>();

  constructor(apis: readonly AwsApi[]) {
    for (const api of apis)
      if (api.hasRest)
        for (const operation of api.operations().values())
          for (const binding of operation.bindings) this.#insert(operation, binding);
  }

  /** Matches decoded segments. Methods without bindings match nothing. */
  match(method: string, segments: readonly string[], query: QueryReader): TemplateMatch {
    const root = this.#roots.get(method);
    return root === undefined ? NONE : walk(root, segments, 0, query);
  }

  /** Every operation whose binding the request fulfils, for a request whose path or query is in doubt. */
  possible(
    method: string,
    segments: readonly string[],
    query: readonly (readonly [string, string])[],
  ): readonly AwsOperation[] {
    const root = this.#roots.get(method);
    const leaves = root === undefined ? [] : collect(root, segments, 0);
    return leaves
      .filter((leaf) => leaf.query.every((literal) => holds(literal, query)))
      .map((leaf) => leaf.operation);
  }

  #insert(operation: AwsOperation, { method, path: binding }: CatalogueRoute): void {
    const mark = binding.indexOf("?");
    const path = mark < 0 ? binding : binding.slice(0, mark);
    let node = this.#roots.get(method);
    if (node === undefined) {
      node = newNode();
      this.#roots.set(method, node);
    }
    const segments = path.split("/").filter((segment) => segment !== "");
    const greedy = segments.indexOf("{+}");
    const leaf = {
      operation,
      query: mark < 0 ? [] : readLiterals(binding.slice(mark + 1)),
      tail: greedy < 0 ? [] : segments.slice(greedy + 1),
    };
    for (const segment of greedy < 0 ? segments : segments.slice(0, greedy)) node = child(node, segment);
    if (greedy >= 0) {
      node.greedy = [...(node.greedy ?? []), leaf];
      return;
    }
    node.leaves = [...(node.leaves ?? []), leaf];
  }
}

const NONE: TemplateMatch = { kind: "none" };

function newNode(): Node {
  return { literals: new Map(), label: undefined, greedy: undefined, leaves: undefined };
}

function child(node: Node, segment: string): Node {
  if (segment === "{}") {
    node.label ??= newNode();
    return node.label;
  }
  let next = node.literals.get(segment);
  if (next === undefined) {
    next = newNode();
    node.literals.set(segment, next);
  }
  return next;
}

function readLiterals(text: string): (readonly [string, string])[] {
  return text.split("&").map((pair) => {
    const [key = "", value = ""] = pair.split("=");
    return [key, value] as const;
  });
}

function walk(node: Node, segments: readonly string[], at: number, query: QueryReader): TemplateMatch {
  const segment = segments[at];
  if (segment === undefined) return node.leaves === undefined ? NONE : select(node.leaves, query);
  const literal = node.literals.get(segment);
  if (literal !== undefined) {
    const found = walk(literal, segments, at + 1, query);
    if (found.kind !== "none") return found;
  }
  if (node.label !== undefined && segment !== "") {
    const found = walk(node.label, segments, at + 1, query);
    if (found.kind !== "none") return found;
  }
  if (node.greedy === undefined) return NONE;
  const fitting = node.greedy.filter((leaf) => endsWith(segments, at, leaf.tail));
  const longest = Math.max(...fitting.map((leaf) => leaf.tail.length));
  return select(
    fitting.filter((leaf) => leaf.tail.length === longest),
    query,
  );
}

/** Whether a tail fits, with at least one segment left for the greedy label before it. */
function endsWith(segments: readonly string[], at: number, tail: readonly string[]): boolean {
  const start = segments.length - tail.length;
  return start > at && tail.every((part, i) => part === "{}" || segments[start + i] === part);
}

function collect(node: Node, segments: readonly string[], at: number): readonly Leaf[] {
  const segment = segments[at];
  if (segment === undefined) return node.leaves ?? [];
  const literal = node.literals.get(segment);
  return [
    ...(literal === undefined ? [] : collect(literal, segments, at + 1)),
    ...(node.label === undefined ? [] : collect(node.label, segments, at + 1)),
    ...(node.greedy ?? []).filter((leaf) => endsWith(segments, at, leaf.tail)),
  ];
}

/** Of a leaf's operations those whose query literals hold; the one that demands most wins. */
function select(leaves: readonly Leaf[], readQuery: QueryReader): TemplateMatch {
  if (leaves.length === 0) return NONE;
  if (leaves.every((leaf) => leaf.query.length === 0))
    return { kind: "found", operations: leaves.map((leaf) => leaf.operation) };
  const query = readQuery();
  if (query === undefined) return { kind: "ambiguous" };
  const holding = leaves.filter((leaf) => leaf.query.every((literal) => holds(literal, query)));
  if (holding.length === 0) return NONE;
  const most = Math.max(...holding.map((leaf) => leaf.query.length));
  const best = holding.filter((leaf) => leaf.query.length === most);
  const wanted = best[0]?.query ?? [];
  // Two subresources in one request: which of them the server takes is not documented.
  const others = holding.filter((leaf) =>
    leaf.query.some(([key]) => !wanted.some(([known]) => known === key)),
  );
  if (others.length > 0) return { kind: "ambiguous" };
  return { kind: "found", operations: best.map((leaf) => leaf.operation) };
}

function holds(
  [key, value]: readonly [string, string],
  query: readonly (readonly [string, string])[],
): boolean {
  return query.some(([name, given]) => name === key && (value === "" || given === value));
}
