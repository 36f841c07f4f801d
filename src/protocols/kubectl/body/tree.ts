// The plain tree that the readers of JSON, YAML, CBOR and protobuf bodies give, so that one judge
// serves them all. A member that stood several times (protobuf repeats whatever it likes) is a list
// of all its values: the judge looks at every one of them.

/** A value as JSON knows it. Objects that a reader makes itself have no prototype. */
export type BodyTree = null | boolean | number | string | readonly BodyTree[] | TreeObject;

/** An object; member names as they were written. */
export interface TreeObject {
  readonly [name: string]: BodyTree;
}

/** A body as its reader read it: its documents, or the reason why they cannot be read for certain. */
export type TreeReading = { readonly trees: readonly BodyTree[] } | { readonly problem: string };

/** Deeper nesting is refused by every reader. */
export const MAX_DEPTH = 200;

/** Values that one body may amount to; with aliases written out. */
export const MAX_NODES = 50_000;

/** Whether a value has members. */
export function isTreeObject(value: BodyTree | undefined): value is TreeObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as a list: none for nothing, its items for a list. */
export function listOf(value: BodyTree | undefined): readonly BodyTree[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? (value as readonly BodyTree[]) : [value];
}

/** A value as text; a value with members has no known text. */
export function bodyTextOf(value: BodyTree): string {
  return typeof value === "object" && value !== null ? "{}" : String(value);
}
