// The few REST operations of GitHub whose body decides: settings, of which some only describe and
// others open a closed repository. Owns which members those are; knows no path. A member may stand
// in the query as well, where a server of the same making may read it.

import type { RequestBody } from "../../model/request.ts";
import { parseStrictJson } from "../../wire/jsonrpc/strict-json.ts";
import { parseQuery } from "../../wire/path.ts";
import type { TierReason } from "./tier.ts";

/** By operation: members (lower case) that change who may see or do something, or what guards it. */
const MEMBERS: ReadonlyMap<string, RegExp> = new Map([
  ["repos/update", /^(?:visibility|private|allow_forking|security_and_analysis)$/],
  [
    "orgs/update",
    /permission|^members_|two_factor|security|scanning|dependabot|dependency|deploy_keys|forking/,
  ],
]);

/** Whether the tier of an operation depends on the body. */
export function dependsOnBody(id: string): boolean {
  return MEMBERS.has(id);
}

/** Settings of a repository that `gh repo edit` sends and that change nothing about who may do what. */
const SETTINGS =
  /^(?:description|homepage|has_(?:issues|projects|wiki|discussions|downloads)|is_template|default_branch|delete_branch_on_merge|allow_(?:auto_merge|merge_commit|rebase_merge|squash_merge|update_branch)|(?:squash_)?merge_commit_(?:title|message)|squash_merge_commit_(?:title|message)|use_squash_pr_title_as_default)$/;

/**
 * The command of gh that sends exactly this body, a further name of the operation: an allow of `gh repo edit` is about
 * it alone. Undefined where the body says more, or something else.
 */
export function ghCommandOfBody(
  id: string,
  { body, query }: { readonly body: RequestBody; readonly query: string | undefined },
): string | undefined {
  if (id !== "repos/update" || body.kind !== "whole" || (query ?? "") !== "") return undefined;
  const names = memberNames(body.bytes) ?? [];
  if (names.length === 0) return undefined;
  if (names.every((name) => SETTINGS.test(name))) return "repo edit";
  if (names.length > 1) return undefined;
  return names[0] === "name" ? "repo rename" : undefined;
}

/** The tier with what body and query say; a problem when one of them cannot be read. */
export function tierWithBody(
  id: string,
  plain: TierReason,
  { body, query }: { readonly body: RequestBody; readonly query: string | undefined },
): TierReason | { readonly problem: string } {
  const guarded = MEMBERS.get(id);
  if (guarded === undefined) return plain;
  if (body.kind === "unread") return { problem: `the body decides, and ${body.why}` };
  const inBody = body.kind === "none" || body.bytes.length === 0 ? [] : memberNames(body.bytes);
  if (inBody === undefined) return { problem: "the body decides, and is not a JSON object" };
  const inQuery = parseQuery(query)?.map(([name]) => name.replace(/\[.*$/s, ""));
  if (inQuery === undefined) return { problem: "the query is malformed" };
  const found = [...inBody, ...inQuery].find((name) => guarded.test(name.toLowerCase()));
  return found === undefined
    ? plain
    : { tier: "sensitive", reason: `${id} with '${found.slice(0, 60)}' changes who may see or do what` };
}

function memberNames(bytes: Uint8Array): readonly string[] | undefined {
  try {
    const json = parseStrictJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (!("value" in json) || typeof json.value !== "object" || json.value === null) return undefined;
    return Array.isArray(json.value) ? undefined : Object.keys(json.value);
  } catch {
    return undefined;
  }
}
