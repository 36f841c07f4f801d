// The tree of the default policy that the build puts into the program is the one that the program
// would have read.

import { expect, test } from "bun:test";
import { packDefaultPolicy } from "../../../packaging/release/pack-default-policy.ts";
import { DEFAULT_POLICY, readDefaultPolicy } from "../../../src/policy/default-policy.ts";
import { Problems } from "../../../src/policy/parse/problems.ts";
import { readYaml } from "../../../src/policy/parse/read-yaml.ts";
import { flatten, revive } from "../../../src/policy/parse/yaml-tree.ts";

test("what the build packs comes back as it was read, without a problem", () => {
  const problems = new Problems();
  const tree = readYaml(DEFAULT_POLICY, problems);
  expect(problems.sorted()).toEqual([]);
  if (tree === undefined) throw new Error("unreadable");
  expect(revive(JSON.parse(packDefaultPolicy()))).toEqual(tree);
});

test("every kind of tree comes back", () => {
  const text = "a: [b, {c: ~}]\nd:\n  - e: 'f'\n    g:\n  - []\nh: {}\n";
  const tree = readYaml(text, new Problems());
  if (tree === undefined) throw new Error("unreadable");
  expect(revive(JSON.parse(JSON.stringify(flatten(tree))))).toEqual(tree);
});

test("only the default policy to the letter has a prepared tree, and only in the built program", () => {
  expect(readDefaultPolicy(`${DEFAULT_POLICY} `)).toBeUndefined();
  expect(readDefaultPolicy(DEFAULT_POLICY)).toBeUndefined();
});
