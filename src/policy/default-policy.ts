// The policy.yaml that a new installation starts with, embedded in the binary. The text is the file
// beside this one: edit it there, because a user reads its comments first.

import text from "./default.yaml" with { type: "text" };

// The compiler takes a YAML import for its data; with `type: "text"` it is the text.
/** The seeded policy.yaml, comments and all. Always parses without a warning. */
export const DEFAULT_POLICY: string = text as unknown as string;
