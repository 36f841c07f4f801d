// JSON patches (RFC 6902) as the values that they write: every added or replaced value at its
// place, so that the judge sees the same as in a merge patch. What copies or moves brings in values
// that the patch does not show: a problem, wherever it could matter.

import { type BodyTree, isTreeObject, MAX_DEPTH, type TreeReading } from "./tree.ts";

const NO_PATCH: TreeReading = { problem: "the body is not a JSON patch" };

/** Reads a parsed JSON patch; one tree an operation. An object is none: the server refuses it, and it is judged as it is. */
export function readJsonPatch(patch: BodyTree): TreeReading {
  if (isTreeObject(patch)) return { trees: [patch] };
  if (!Array.isArray(patch)) return NO_PATCH;
  const trees: BodyTree[] = [];
  for (const operation of patch as readonly BodyTree[]) {
    if (!isTreeObject(operation)) return NO_PATCH;
    const { op, path, value = null } = operation;
    if (typeof op !== "string" || typeof path !== "string") return NO_PATCH;
    if (op === "test") continue;
    const segments = pointerOf(path);
    if (segments === undefined || segments.length > MAX_DEPTH)
      return { problem: "a path in the patch cannot be read" };
    if (op === "add" || op === "replace") trees.push(treeAt(segments, value));
    else if (op === "remove") {
      // A mount without `readOnly` can be written to.
      if (segments.at(-1) === "readOnly") trees.push(treeAt(segments, false));
    } else if (segments[0] !== "metadata" || segments[1] !== "labels")
      return {
        problem: `the patch has an operation '${op.slice(0, 20)}', which does not show what it writes`,
      };
  }
  return { trees };
}

/** The names of a JSON pointer (RFC 6901); undefined when it is none. */
function pointerOf(path: string): readonly string[] | undefined {
  if (path === "") return [];
  if (!path.startsWith("/")) return undefined;
  return path
    .slice(1)
    .split("/")
    .map((name) => name.replace(/~1/g, "/").replace(/~0/g, "~"));
}

function treeAt(segments: readonly string[], value: BodyTree): BodyTree {
  return segments.reduceRight<BodyTree>((inner, name) => {
    // A server takes `-1` and `+0` for places in a list, too.
    if (/^[-+]?\d*$/.test(name) && name !== "") return [inner];
    const around: Record<string, BodyTree> = Object.create(null);
    around[name] = inner;
    return around;
  }, value);
}
