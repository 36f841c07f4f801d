// Small readers of a tree's shape (a mapping with known keys, a list of texts, one of several
// words) that report what does not fit and carry on. Every parser of a part of the policy is
// written with them.

import { inQuotes } from "../../text/in-quotes.ts";
import { allowedHint } from "../did-you-mean.ts";
import { childPath, type Position, type Problems } from "./problems.ts";
import type { MapTree, TextTree, Tree } from "./yaml-tree.ts";

/** A key with its value, found in a mapping. */
export interface Field {
  readonly keyAt: Position;
  readonly value: Tree;
  readonly path: string;
}

/** The mapping, or undefined after reporting the other kind. */
export function asMap(tree: Tree, path: string, what: string, problems: Problems): MapTree | undefined {
  if (tree.kind === "map") return tree;
  const message =
    tree.kind === "empty" ? `${what} is empty` : `${what} must be a mapping, not ${describeTree(tree)}`;
  problems.error(tree.at, path, message);
  return undefined;
}

/** The fields of a mapping by key; unknown keys are reported, with a hint from `explain` or the nearest allowed one. */
export function readFields(
  map: MapTree,
  path: string,
  allowed: readonly string[],
  problems: Problems,
  explain: (key: string) => string | undefined = () => undefined,
): ReadonlyMap<string, Field> {
  const fields = new Map<string, Field>();
  for (const [key, { keyAt, value }] of map.entries) {
    const below = childPath(path, key);
    if (allowed.includes(key)) fields.set(key, { keyAt, value, path: below });
    else problems.error(keyAt, below, `unknown key ${quote(key)}`, explain(key) ?? allowedHint(key, allowed));
  }
  return fields;
}

/** The texts of a list, skipping (after reporting) everything else. `what` names one item, with its article. */
export function readTexts(
  field: Field,
  what: string,
  problems: Problems,
): readonly { readonly item: TextTree; readonly path: string }[] {
  const { value, path } = field;
  if (value.kind !== "list") {
    const hint = value.kind === "text" ? `write it as a list: [${JSON.stringify(value.text)}]` : undefined;
    problems.error(value.at, path, `this must be a list, not ${describeTree(value)}`, hint);
    return [];
  }
  return value.items.flatMap((item, index) => {
    const below = `${path}[${index}]`;
    if (item.kind === "text") return [{ item, path: below }];
    const hint = item.kind === "list" || item.kind === "map" ? "put the text in quotes" : undefined;
    problems.error(item.at, below, `${what} must be a text, not ${describeTree(item)}`, hint);
    return [];
  });
}

/** One of several words, or undefined after reporting which are allowed. */
export function readWord<T extends string>(
  tree: Tree,
  path: string,
  what: string,
  allowed: readonly T[],
  problems: Problems,
): T | undefined {
  const written = tree.kind === "text" ? tree.text : undefined;
  const word = allowed.find((one) => one === written);
  if (word !== undefined) return word;
  const shown = written === undefined ? describeTree(tree) : quote(written);
  const message = tree.kind === "empty" ? `${what} is missing` : `${shown} is not ${what}`;
  problems.error(tree.at, path, message, allowedHint(written ?? "", allowed));
  return undefined;
}

/** Names the kind of a tree with an article, for messages. */
export function describeTree(tree: Tree): string {
  if (tree.kind === "empty") return "empty";
  if (tree.kind === "map") return "a mapping";
  return tree.kind === "list" ? "a list" : "a text";
}

/** A value in quotes, cut when it is long. */
export function quote(text: string): string {
  return inQuotes(text, 80);
}
