// The plain tree that a policy file is read into: maps, lists and texts with their places. All that
// parsers see of YAML, so that none of its oddities reach them.

import type { Position } from "./problems.ts";

/** A mapping; keys in file order. `keyAt` is where the key stands. */
export interface MapTree {
  readonly kind: "map";
  readonly at: Position;
  readonly size: number;
  readonly entries: ReadonlyMap<string, { readonly keyAt: Position; readonly value: Tree }>;
}

/** A sequence. */
export interface ListTree {
  readonly kind: "list";
  readonly at: Position;
  readonly size: number;
  readonly items: readonly Tree[];
}

/** A scalar as written: `1e3` stays "1e3", whatever YAML would make of it. */
export interface TextTree {
  readonly kind: "text";
  readonly at: Position;
  readonly size: number;
  readonly text: string;
}

/** Nothing was written, or `null`, or `~`. */
export interface EmptyTree {
  readonly kind: "empty";
  readonly at: Position;
  readonly size: number;
}

/** A node; `size` counts the nodes below it with aliases written out. */
export type Tree = MapTree | ListTree | TextTree | EmptyTree;

/** A tree as a text that is equal for two trees exactly when they hold the same, wherever it stands. */
export function treeText(tree: Tree): string {
  if (tree.kind === "empty") return "~";
  if (tree.kind === "text") return JSON.stringify(tree.text);
  if (tree.kind === "list") return `[${tree.items.map(treeText).join(",")}]`;
  return `{${[...tree.entries].map(([key, { value }]) => `${JSON.stringify(key)}:${treeText(value)}`).join(",")}}`;
}

/** A tree as plain data, its maps as pairs. */
export type FlatTree =
  | TextTree
  | EmptyTree
  | {
      readonly kind: "list";
      readonly at: Position;
      readonly size: number;
      readonly items: readonly FlatTree[];
    }
  | {
      readonly kind: "map";
      readonly at: Position;
      readonly size: number;
      readonly entries: readonly FlatEntry[];
    };

type FlatEntry = readonly [key: string, keyAt: Position, value: FlatTree];

/** A tree without Maps, for JSON. */
export function flatten(tree: Tree): FlatTree {
  if (tree.kind === "list") return { ...tree, items: tree.items.map(flatten) };
  if (tree.kind !== "map") return tree;
  return {
    ...tree,
    entries: [...tree.entries].map(([key, { keyAt, value }]) => [key, keyAt, flatten(value)]),
  };
}

/** The tree that was flattened. */
export function revive(tree: FlatTree): Tree {
  if (tree.kind === "list") return { ...tree, items: tree.items.map(revive) };
  if (tree.kind !== "map") return tree;
  return {
    ...tree,
    entries: new Map(tree.entries.map(([key, keyAt, value]) => [key, { keyAt, value: revive(value) }])),
  };
}
