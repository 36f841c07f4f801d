// Finds the published operations behind a REST path: segments in, operation ids and labels out. Owns the reading
// of data/github-operations.ts and knows nothing about tiers. A line of it is parsed when the first path that
// begins with its word is asked for; importing this file costs nothing.

import { GITHUB_OPERATIONS } from "./data/operations.ts";

/** HTTP methods as the data spells them. */
export type MethodLetter = "G" | "P" | "U" | "A" | "D";

/** What kind of name a segment is: one of the labels, any other, or any number of segments. */
type Sign = "@" | "$" | "^" | "%" | "*" | "**";

const SIGNS: ReadonlySet<string> = new Set<Sign>(["@", "$", "^", "%", "*", "**"]);

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

/** What is published at a path; several operations only where a branch or file name may hold slashes. */
export interface PathSearch {
  readonly operations: readonly FoundOperation[];
  /** Whether the path exists with another method. */
  readonly isPathKnown: boolean;
}

const NOTHING: PathSearch = { operations: [], isPathKnown: false };

let lines: Map<string, string> | undefined;
const roots = new Map<string, PathNode | undefined>();

/** The operations published for these decoded segments and this method, the likeliest first. */
export function findOperations(segments: readonly string[], letter: MethodLetter): PathSearch {
  const [first] = segments;
  if (first === undefined) return NOTHING;
  const root = rootOf(first);
  if (root === undefined) return NOTHING;
  const search = new Search(segments, letter);
  search.walk(root, 1);
  return search;
}

function rootOf(word: string): PathNode | undefined {
  if (lines === undefined) {
    lines = new Map();
    for (const line of GITHUB_OPERATIONS.split("\n")) {
      const name = /^[^!(]*/.exec(line)?.[0] ?? "";
      if (name !== "") lines.set(name, line);
    }
  }
  if (!roots.has(word)) {
    const line = lines.get(word);
    if (line === undefined) return undefined;
    roots.set(word, new TreeReader(line).read().node);
  }
  return roots.get(word);
}

class Search {
  readonly operations: FoundOperation[] = [];
  isPathKnown = false;
  readonly #segments: readonly string[];
  readonly #letter: MethodLetter;
  readonly #names: (readonly [Sign, string])[] = [];

  constructor(segments: readonly string[], letter: MethodLetter) {
    this.#segments = segments;
    this.#letter = letter;
  }

  /** Fixed words before names, as GitHub's own routes have it; all ways to cut a name that may hold slashes. */
  walk(node: PathNode, at: number): void {
    const segment = this.#segments[at];
    if (segment === undefined) {
      this.isPathKnown ||= node.operations.size > 0;
      const id = node.operations.get(this.#letter);
      if (id !== undefined) this.operations.push(this.#found(id));
      else if (this.#letter === "G") this.#leaveOut(node);
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
      const id = sign === "**" ? child.operations.get(this.#letter) : undefined;
      if (id === undefined || child.literals.size > 0 || child.names.length > 0) continue;
      this.isPathKnown = true;
      this.operations.push(this.#found(id));
    }
  }

  #found(id: string): FoundOperation {
    const nameOf = (wanted: Sign) => this.#names.find(([sign]) => sign === wanted)?.[1];
    return { id, owner: nameOf("@"), repo: nameOf("$"), org: nameOf("^"), enterprise: nameOf("%") };
  }
}

/** Reads `name!Gcategory/id!Did(child,child)`; the grammar is written by packaging/generate/github-operations.ts. */
class TreeReader {
  readonly #text: string;
  #at = 0;
  #category = "";

  constructor(text: string) {
    this.#text = text;
  }

  read(): { readonly name: string; readonly node: PathNode } {
    const name = this.#word();
    const node: PathNode = { literals: new Map(), names: [], operations: new Map() };
    while (this.#text[this.#at] === "!") {
      this.#at += 2;
      const letter = this.#text[this.#at - 1] ?? "";
      const id = this.#word();
      const slash = id.indexOf("/");
      if (slash >= 0) this.#category = id.slice(0, slash);
      node.operations.set(letter, slash >= 0 ? id : `${this.#category}/${id}`);
    }
    if (this.#text[this.#at] === "(") {
      do {
        this.#at++;
        const child = this.read();
        if (SIGNS.has(child.name)) node.names.push([child.name as Sign, child.node]);
        else node.literals.set(child.name, child.node);
      } while (this.#text[this.#at] === ",");
      this.#at++;
    }
    return { name, node };
  }

  #word(): string {
    const from = this.#at;
    while (this.#at < this.#text.length && !"!(),".includes(this.#text[this.#at] ?? "")) this.#at++;
    return this.#text.slice(from, this.#at);
  }
}
