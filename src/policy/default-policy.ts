// The policy.yaml that a new installation starts with, embedded in the binary. The text is the file
// beside this one: edit it there, because a user reads its comments first.

import text from "./default.yaml" with { type: "text" };
import { revive, type Tree } from "./parse/yaml-tree.ts";

/** Put in by the build: the tree of the default policy, as `JSON.stringify` writes what `flatten` gives. */
declare const IDDIO_DEFAULT_POLICY_TREE: string | undefined;

// The compiler takes a YAML import for its data; with `type: "text"` it is the text.
/** The seeded policy.yaml, comments and all. Always parses without a warning. */
export const DEFAULT_POLICY: string = text as unknown as string;

/**
 * The tree of a text that is the default policy to the letter, as the build has read it: most daemons start with it, and
 * to read it as YAML took a fifth of a start. Undefined for any other text, and when run from source.
 */
export function readDefaultPolicy(body: string): Tree | undefined {
  if (typeof IDDIO_DEFAULT_POLICY_TREE !== "string" || body !== DEFAULT_POLICY) return undefined;
  return revive(JSON.parse(IDDIO_DEFAULT_POLICY_TREE));
}
