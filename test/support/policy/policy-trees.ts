// Policies from objects, without the way over YAML: reading it is most of what a law over random
// policies costs, and proves nothing about decisions. That a text of the same object is read as
// the same tree is in test/fuzz/policy-parse.test.ts.

import { compilePolicy, type ParsedPolicy } from "../../../src/policy/parse/parse.ts";
import { Problems } from "../../../src/policy/parse/problems.ts";
import type { Tree } from "../../../src/policy/parse/yaml-tree.ts";
import type { Policy } from "../../../src/policy/policy.ts";

const AT = { line: 1, column: 1 };

/** The tree that the object's JSON is read into; all of it stands at the beginning of line 1. */
export function treeOf(value: unknown): Tree {
  if (value === null || value === undefined) return { kind: "empty", at: AT, size: 1 };
  if (typeof value !== "object") return { kind: "text", at: AT, size: 1, text: String(value) };
  if (Array.isArray(value)) {
    const items = value.map(treeOf);
    return { kind: "list", at: AT, size: sizeOf(items), items };
  }
  const entries = new Map(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([key, each]) => [key, { keyAt: AT, value: treeOf(each) }]),
  );
  return { kind: "map", at: AT, size: sizeOf([...entries.values()].map((each) => each.value)), entries };
}

/** The policy of an object, or its problems. */
export function compiledFrom(value: unknown): ParsedPolicy {
  return compilePolicy(treeOf(value), JSON.stringify(value), new Problems());
}

/** The policy of an object that must be one. */
export function policyFrom(value: unknown): Policy {
  const compiled = compiledFrom(value);
  if ("policy" in compiled) return compiled.policy;
  throw new Error(compiled.problems.map(({ path, message }) => `${path} ${message}`).join("\n"));
}

function sizeOf(trees: readonly Tree[]): number {
  return trees.reduce((sum, tree) => sum + tree.size, 1);
}
