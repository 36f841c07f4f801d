// How risky a tool is by what its server says about it and by its name. Annotations may only lower
// the specification's assumption about a tool without any (that it destroys), and never below
// modify unless the policy trusts the server. A name only ever raises: a server that lies does so
// in both.

import { stricterTier, type Tier } from "../../model/tier.ts";
import type { CallFacts } from "./call.ts";

/** A tier and the clause that explains it. */
export interface ToolTier {
  readonly tier: Tier | "unknown";
  readonly reason: string;
}

/** Words of a name: `deleteUserFile`, `delete-user_file` and `delete.user/file` have the same three. */
export function nameWords(name: string): readonly string[] {
  return name
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, "$1 $2")
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\d]+/u)
    .filter((word) => word !== "");
}

const DESTROYS = new Set(
  "delete remove destroy drop purge terminate evict kill wipe erase truncate uninstall revoke reset clear unlink overwrite rollback".split(
    " ",
  ),
);
const SECRETS = new Set(
  "secret secrets password passwords credential credentials token tokens kubeconfig apikey env environ keychain vault".split(
    " ",
  ),
);
const ACCESS = new Set(
  "grant iam permission permissions role roles rolebinding policy policies collaborator collaborators invite impersonate sudo acl member members".split(
    " ",
  ),
);
const CHANGES = new Set(
  "add create set update put grant attach assign invite modify edit change apply bind patch give allow enable remove delete".split(
    " ",
  ),
);
const RUNS = new Set("run exec execute eval evaluate spawn invoke start send interact".split(" "));
const CODE = new Set(
  "command commands cmd shell bash zsh sh powershell terminal process program code script scripts python javascript js node ssh applescript".split(
    " ",
  ),
);

/** Whether a tool runs its arguments: then they decide, not its name. */
export function runsCode(name: string): boolean {
  const words = nameWords(name);
  if (words.length === 1) return RUNS.has(name.toLowerCase()) || CODE.has(name.toLowerCase());
  if (words.some((word) => word === "exec" || word === "eval" || word === "evaluate")) return true;
  return words.some((word) => RUNS.has(word)) && words.some((word) => CODE.has(word));
}

/** The tier of a pinned tool; unknown when it is not pinned. */
export function toolTier(name: string, { tool, isTrusted }: CallFacts): ToolTier {
  if (tool === undefined) return { tier: "unknown", reason: "the tool is not pinned" };
  const said = byAnnotations(tool.annotations ?? {}, isTrusted);
  const raised = byName(name);
  if (raised === undefined || stricterTier(said.tier, raised.tier) === said.tier) return said;
  return raised;
}

function byAnnotations(
  { readOnlyHint, destructiveHint }: NonNullable<NonNullable<CallFacts["tool"]>["annotations"]>,
  isTrusted: boolean,
): ToolTier {
  if (readOnlyHint === true && isTrusted)
    return {
      tier: "observe",
      reason: "its server says that it only reads, and the policy trusts the server",
    };
  if (readOnlyHint === true)
    return {
      tier: "modify",
      reason: "its server says that it only reads, and the policy does not trust the server",
    };
  if (destructiveHint === false)
    return { tier: "modify", reason: "its server says that it destroys nothing" };
  return destructiveHint === true
    ? { tier: "sensitive", reason: "its server says that it may destroy" }
    : { tier: "sensitive", reason: "its server does not say that it destroys nothing" };
}

function byName(name: string): ToolTier | undefined {
  const words = nameWords(name);
  const access = words.find((word) => ACCESS.has(word));
  if (access !== undefined && words.some((word) => CHANGES.has(word)))
    return { tier: "break-glass", reason: `the word '${access}' in its name: it may grant access` };
  const destroys = words.find((word) => DESTROYS.has(word));
  if (destroys !== undefined) return { tier: "sensitive", reason: `the word '${destroys}' in its name` };
  const secret = words.find((word) => SECRETS.has(word));
  if (secret !== undefined) return { tier: "sensitive", reason: `the word '${secret}' in its name` };
  return undefined;
}
