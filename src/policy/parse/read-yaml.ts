// Turns text into a small tree of maps, lists and texts with positions, and refuses every part of
// YAML that a policy does not need and that could make it mean something else than it shows: tags,
// merge keys, duplicate keys, several documents, bombs, invisible characters. Knows nothing about
// policies.

import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
} from "yaml";
import { readDefaultPolicy } from "../default-policy.ts";
import { checkText } from "../edit/yaml-text.ts";
import { childPath, type Position, type Problems } from "./problems.ts";
import type { MapTree, Tree } from "./yaml-tree.ts";

/** Nodes that a file may amount to with its aliases written out. A file of the largest size without any has fewer. */
export const MAX_TREE_SIZE = 600_000;

const MAX_DEPTH = 32;

/** The options that give the plainest reading: YAML 1.2, no merge keys; duplicate keys are found here, because the library's own search is quadratic. */
export const YAML_OPTIONS = {
  version: "1.2",
  schema: "core",
  merge: false,
  uniqueKeys: false,
  strict: true,
  prettyErrors: false,
  // "silent" would also silence the error about a second document.
  logLevel: "error",
} as const;

/** Reads a file's text. Undefined when nothing sensible can be read; the problems then say why. */
export function readYaml(text: string, problems: Problems): Tree | undefined {
  const body = checkText(text, problems);
  if (body === undefined) return undefined;
  const prepared = readDefaultPolicy(body);
  if (prepared !== undefined) return prepared;
  const lines = new LineCounter();
  let document: Document.Parsed;
  try {
    document = parseDocument(body, { ...YAML_OPTIONS, lineCounter: lines });
  } catch (error) {
    // The library recurses; what overflows it is no policy.
    problems.error(
      START,
      "",
      `cannot be read as YAML (${error instanceof Error ? error.message : "no reason"})`,
    );
    return undefined;
  }
  return readDocument(document, lines, problems);
}

/** The same for a text that the library has read, with YAML_OPTIONS, and whose lines it has counted. */
export function readDocument(
  document: Document.Parsed,
  lines: LineCounter,
  problems: Problems,
): Tree | undefined {
  return new Reader(lines, problems).read(document);
}

const START: Position = { line: 1, column: 1 };

class Reader {
  readonly #lines: LineCounter;
  readonly #problems: Problems;
  readonly #anchors = new Map<string, Tree>();

  constructor(lines: LineCounter, problems: Problems) {
    this.#lines = lines;
    this.#problems = problems;
  }

  read(document: Document.Parsed): Tree | undefined {
    for (const { code, message, pos } of document.errors)
      this.#problems.error(this.#at(pos[0]), "", ...describe(code, message));
    const { directives } = document;
    const hasDirective = directives?.yaml.explicit || Object.keys(directives?.tags ?? {}).length > 1;
    if (hasDirective || document.warnings.some((one) => one.code === "BAD_DIRECTIVE"))
      this.#problems.error(
        START,
        "",
        "YAML directives are not supported",
        "remove the lines that begin with '%'",
      );
    if (document.errors.length > 0) return undefined;
    const tree = this.#convert(document.contents, START, "", 0);
    if (tree.size <= MAX_TREE_SIZE) return tree;
    this.#problems.error(
      START,
      "",
      "the file is too large once its aliases are written out",
      "repeat less by alias",
    );
    return undefined;
  }

  #at(offset: number | undefined): Position {
    if (offset === undefined) return START;
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #convert(node: Node | null, fallback: Position, path: string, depth: number): Tree {
    if (node === null) return { kind: "empty", at: fallback, size: 1 };
    const at = node.range ? this.#at(node.range[0]) : fallback;
    if (isAlias(node)) return this.#resolve(node, at, path);
    if (depth > MAX_DEPTH) {
      this.#problems.error(at, path, "this is nested too deeply");
      return { kind: "empty", at, size: 1 };
    }
    // The classes of maps and lists carry a tag of their own; only an instance's own property was written.
    if (Object.hasOwn(node, "tag") && node.tag !== undefined)
      this.#problems.error(
        at,
        path,
        `the tag '${shown(shortTag(String(node.tag)))}' is not supported`,
        "write the value without a tag",
      );
    const tree = this.#convertPlain(node, at, path, depth);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, tree);
    return tree;
  }

  #convertPlain(node: Node, at: Position, path: string, depth: number): Tree {
    if (isMap(node)) return this.#convertMap(node.items, at, path, depth);
    if (isSeq(node)) {
      const items = node.items.map((item, index) => {
        const below = `${path}[${index}]`;
        if (!isPair(item)) return this.#convert(item as Node | null, at, below, depth + 1);
        // `[a: b]` holds a one-pair mapping.
        return this.#convertMap([item], at, below, depth + 1);
      });
      return { kind: "list", at, size: total(items), items };
    }
    if (!isScalar(node)) return { kind: "empty", at, size: 1 };
    if (node.value === null) return { kind: "empty", at, size: 1 };
    const text = typeof node.value === "string" ? node.value : (node.source ?? String(node.value));
    return { kind: "text", at, size: 1, text };
  }

  #convertMap(pairs: readonly Pair[], at: Position, path: string, depth: number): MapTree {
    const entries = new Map<string, { keyAt: Position; value: Tree }>();
    for (const pair of pairs) {
      const key = pair.key as Node | null;
      const keyAt = key?.range ? this.#at(key.range[0]) : at;
      const keyTree = isAlias(key) ? undefined : this.#convert(key, keyAt, path, depth + 1);
      if (keyTree?.kind !== "text") {
        this.#problems.error(keyAt, path, "a key must be a plain word");
        continue;
      }
      const name = keyTree.text;
      const below = childPath(path, name);
      const value = this.#convert(pair.value as Node | null, keyAt, below, depth + 1);
      const first = entries.get(name);
      if (name === "<<")
        this.#problems.error(
          keyAt,
          below,
          "merge keys are not supported",
          "write the keys out, or use an alias for a whole value",
        );
      else if (first !== undefined)
        this.#problems.error(
          keyAt,
          below,
          `'${shown(name)}' is given twice, first in line ${first.keyAt.line}`,
          "keep one of the two",
        );
      else entries.set(name, { keyAt, value });
    }
    const values = [...entries.values()].map((entry) => entry.value);
    return { kind: "map", at, size: total(values), entries };
  }

  #resolve(alias: Alias, at: Position, path: string): Tree {
    const tree = this.#anchors.get(alias.source);
    if (tree !== undefined) return tree;
    this.#problems.error(at, path, `the alias "*${shown(alias.source)}" has no anchor before it`);
    return { kind: "empty", at, size: 1 };
  }
}

function total(trees: readonly Tree[]): number {
  // Saturates far above the limit: nested aliases multiply beyond the exact numbers.
  return trees.reduce((sum, tree) => Math.min(sum + tree.size, 1e15), 1);
}

function shown(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

function shortTag(tag: string): string {
  return tag.replace(/^tag:yaml\.org,2002:/, "!!");
}

function describe(code: string, message: string): [message: string, hint?: string] {
  if (code === "MULTIPLE_DOCS")
    return ["the file holds several YAML documents", "remove the '---' or '...' between them"];
  if (code === "TAB_AS_INDENT") return ["a tab is used to indent", "indent with spaces"];
  const text = shown(message.split("\n")[0] ?? "");
  return [`not valid YAML: ${text.charAt(0).toLowerCase()}${text.slice(1)}`];
}
