// YAML as the API server reads it: version 1.1, where `yes` and `on` are true and `<<` merges.
// Larger bodies than any person writes, tags of one's own, repeated names and aliases that multiply
// are problems. Clients send JSON where YAML is asked for, so this reader is rarely used. Where a
// merge and a member have one name, libraries differ in which of them counts: both do.

import { isAlias, isMap, isPair, isScalar, isSeq, type Node, parseAllDocuments } from "yaml";
import { type BodyTree, listOf, MAX_DEPTH, type TreeReading } from "./tree.ts";

/** The library reads about 1 MB a second; the whole answer is due in 50 ms. */
const MAX_LENGTH = 24 * 1024;
const MAX_NODES = 20_000;
const MAX_OPEN = 400;

const OPTIONS = {
  version: "1.1",
  merge: true,
  // The library's own search is quadratic; the reader below finds them.
  uniqueKeys: false,
  strict: true,
  prettyErrors: false,
  logLevel: "silent",
} as const;

/** Reads every document of a stream. */
export function readYamlBody(text: string): TreeReading {
  if (text.length > MAX_LENGTH) return { problem: `YAML of more than ${MAX_LENGTH} characters is not read` };
  if (opensTooMuch(text)) return { problem: "YAML nested too deeply" };
  try {
    const documents = parseAllDocuments(text, OPTIONS);
    if (!Array.isArray(documents)) return { trees: [] };
    const trees: BodyTree[] = [];
    for (const document of documents) {
      // A document that says 1.2 would be read by other rules than the server's.
      if (document.directives.yaml.version !== "1.1") return NOT_YAML;
      if (document.errors.length > 0 || document.warnings.length > 0) return NOT_YAML;
      if (document.contents !== null) trees.push(new Reader().read(document.contents, 0));
    }
    return { trees };
  } catch (error) {
    return error instanceof Unreadable ? { problem: error.message } : NOT_YAML;
  }
}

const NOT_YAML: TreeReading = { problem: "the body is not YAML that has one reading" };

/** The library recurses and slows down with every open bracket. */
function opensTooMuch(text: string): boolean {
  if (/(?:[-?:]\s){40}/.test(text)) return true;
  let brackets = 0;
  for (const char of text) if (char === "[" || char === "{") brackets++;
  return brackets > MAX_OPEN;
}

class Unreadable extends Error {}

class Reader {
  #nodes = 0;
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  /** How many aliases are being written out; their content was named where it first stood. */
  #aliases = 0;

  read(node: Node, depth: number): BodyTree {
    if (depth > MAX_DEPTH || ++this.#nodes > MAX_NODES) throw new Unreadable("YAML that amounts to too much");
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined || this.#open.has(target))
        throw new Unreadable("an alias of nothing, or of itself");
      this.#aliases++;
      const tree = this.read(target, depth + 1);
      this.#aliases--;
      return tree;
    }
    if (this.#aliases === 0 && "anchor" in node && typeof node.anchor === "string")
      this.#anchors.set(node.anchor, node);
    this.#open.add(node);
    const tree = this.#content(node, depth);
    this.#open.delete(node);
    return tree;
  }

  #content(node: Node, depth: number): BodyTree {
    if (isScalar(node)) return scalarOf(node.value, node.source);
    if (isSeq(node)) return node.items.map((item) => this.read(nodeOf(item), depth + 1));
    if (!isMap(node)) throw new Unreadable("a kind of YAML that no manifest has");
    const members: Record<string, BodyTree> = Object.create(null);
    const merged: BodyTree[] = [];
    for (const { key, value } of node.items) {
      const name = this.read(nodeOf(key), depth + 1);
      const tree = value === null ? null : this.read(nodeOf(value), depth + 1);
      if (name === "<<") merged.push(tree);
      else if (typeof name === "object") throw new Unreadable("a name that is not text");
      else if (String(name) in members) throw new Unreadable(`'${String(name).slice(0, 40)}' comes twice`);
      else members[String(name)] = tree;
    }
    for (const part of merged.flat())
      if (typeof part === "object" && part !== null)
        for (const [name, tree] of Object.entries(part)) members[name] = joined(members[name], tree);
    return members;
  }
}

/** All values that a member may have, as one list. */
function joined(there: BodyTree | undefined, more: BodyTree): BodyTree {
  return there === undefined ? more : [...listOf(there), ...listOf(more)];
}

function nodeOf(item: unknown): Node {
  if (isScalar(item) || isMap(item) || isSeq(item) || isAlias(item)) return item;
  if (isPair(item)) throw new Unreadable("a pair in a list");
  throw new Unreadable("a kind of YAML that no manifest has");
}

function scalarOf(value: unknown, source: string | undefined): BodyTree {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Date) return source ?? "";
  if (typeof value === "symbol") return "<<";
  throw new Unreadable("a tag that no manifest has");
}
