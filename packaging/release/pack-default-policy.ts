// The step of the build that reads the default policy, so that a daemon that starts with it need not.

import { DEFAULT_POLICY } from "../../src/policy/default-policy.ts";
import { Problems } from "../../src/policy/parse/problems.ts";
import { readYaml } from "../../src/policy/parse/read-yaml.ts";
import { flatten } from "../../src/policy/parse/yaml-tree.ts";

/** The tree of the default policy in JSON. */
export function packDefaultPolicy(): string {
  const tree = readYaml(DEFAULT_POLICY, new Problems());
  if (tree === undefined) throw new Error("the default policy cannot be read");
  return JSON.stringify(flatten(tree));
}
