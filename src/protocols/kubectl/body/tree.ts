// What the readers of JSON, YAML, CBOR and protobuf bodies give: one plain tree, so that one judge serves them all.
// A member that stood several times (protobuf repeats whatever it likes) is a list of all its values: the judge
// looks at every one of them.

/** A value as JSON knows it. Objects that a reader makes itself have no prototype. */
export type Tree = null | boolean | number | string | readonly Tree[] | TreeObject;

/** An object; member names as they were written. */
export interface TreeObject {
  readonly [name: string]: Tree;
}

/** What a reader made of a body: its documents, or why they cannot be read for certain. */
export type TreeReading = { readonly trees: readonly Tree[] } | { readonly problem: string };

/** Deeper nesting is refused by every reader. */
export const MAX_DEPTH = 200;

/** Values that one body may amount to; with aliases written out. */
export const MAX_NODES = 50_000;

/** Whether a value has members. */
export function isTreeObject(value: Tree | undefined): value is TreeObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as a list: none for nothing, its items for a list. */
export function listOf(value: Tree | undefined): readonly Tree[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? (value as readonly Tree[]) : [value];
}

/** A value as text; what has members is no text that anybody knows. */
export function textOf(value: Tree): string {
  return typeof value === "object" && value !== null ? "{}" : String(value);
}
