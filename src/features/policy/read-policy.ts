// Reads a policy from a file that a person names, for the commands that need no daemon. Bounded,
// regular files only; a file that does not load fails with its first problem and its place.

import type { FlagSpec } from "../../cli/kit/command.ts";
import { UserError } from "../../model/user-error.ts";
import type { NameCatalogue } from "../../policy/compare/catalogue.ts";
import type { Policy } from "../../policy/policy.ts";

/** Which policy a command is about, the same in all of them. */
export const POLICY_FLAG: FlagSpec = {
  name: "policy",
  alias: "path",
  value: "file",
  completes: "file",
  summary: "The policy; policy.yaml unless given",
};

/** The text of a regular file. Throws a UserError that names the file. */
export async function readTextFile(path: string, what: string): Promise<string> {
  const { readNamedFile } = await import("../../state/named-file.ts");
  return (await readNamedFile(path, { what })).toString("utf8");
}

/** The compiled policy in a file. Throws a UserError with the first problem's place. */
export async function readPolicy(path: string): Promise<Policy> {
  const text = await readTextFile(path, "policy");
  const { parsePolicy } = await import("../../policy/parse/parse.ts");
  const parsed = parsePolicy(text);
  if ("policy" in parsed) return parsed.policy;
  const first = parsed.problems.find(({ severity }) => severity === "error");
  throw new UserError(
    `'${path}' is not a valid policy: line ${first?.line ?? 1}: ${first?.message ?? "unreadable"}`,
    {
      hint: `see all problems: iddio policy validate --policy ${path}`,
    },
  );
}

/** The names of the requests of each protocol, for comparisons. */
export async function loadCatalogue(): Promise<NameCatalogue> {
  const { knownNames } = await import("../../policy/compare/catalogue.ts");
  return knownNames;
}
