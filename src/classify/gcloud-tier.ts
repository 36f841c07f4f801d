// From a Google operation to its tier. Owns the rules: what a verb does to which resource.
// Rules name resources and verbs, not single methods, so that operations which nobody has
// listed fall under them too; a verb in no list is unknown, never harmless.

import type { TierOrUnknown } from "../model/tier.ts";
import { type VerbKind, verbKind } from "./gcloud-verbs.ts";

/** One operation, published or derived from the shape of its path. */
export interface GoogleOperation {
  /** First part of the method id: `iam`, `compute`, `sql`. */
  readonly api: string;
  /** Collection words, outermost first: `projects`, `zones`, `instances`. */
  readonly words: readonly string[];
  /** Last part of the method id: `insert`, `setIamPolicy`. */
  readonly verb: string;
  readonly method: string;
  /** Whether the vendor publishes this operation. */
  readonly isPublished: boolean;
}

/** A tier with the rule that gave it, one lower-case clause. */
export interface RuledTier {
  readonly tier: TierOrUnknown;
  readonly rule: string;
}

const ruled = (tier: TierOrUnknown, rule: string): RuledTier => ({ tier, rule });

/** The tier of an operation. */
export function googleTier(operation: GoogleOperation): RuledTier {
  const kind = verbKind(operation.verb);
  const isRead = operation.method === "GET" || operation.method === "HEAD" || operation.method === "OPTIONS";
  return (
    apiRule(operation, kind, isRead) ?? (isRead ? readTier(operation, kind) : writeTier(operation, kind))
  );
}

/** Collections whose entries say who may do what. */
const GRANTS: ReadonlySet<string> = new Set([
  "acl",
  "defaultObjectAcl",
  "permissions",
  "bucketAccessControls",
  "defaultObjectAccessControls",
  "objectAccessControls",
  "roleAssignments",
  "accessBindings",
  "userRoles",
]);

const isReading = (kind: VerbKind): boolean => kind === "read" || kind === "evaluate" || kind === "infer";

/** What holds for one service or resource only. */
function apiRule(operation: GoogleOperation, kind: VerbKind, isRead: boolean): RuledTier | undefined {
  const { api, words, verb, method } = operation;
  const resource = words.at(-1) ?? "";
  if (/^testIamPermissions$|^getIamPolicy$/.test(verb)) return ruled("observe", "reads permissions");
  if (kind === "policy-write" && !isRead) return ruled("break-glass", "changes who has access");
  if (api === "iamcredentials" && !isRead)
    return ruled("break-glass", "issues or signs with a service account's credentials");
  if (api === "iam" && !isRead && !isReading(kind))
    return ruled("break-glass", "changes identities or roles");
  if (
    api === "privilegedaccessmanager" &&
    !isRead &&
    resource === "grants" &&
    !isReading(kind) &&
    !/^(?:deny|withdraw|revoke)/.test(verb)
  )
    return ruled("break-glass", "asks for or approves privileged access");
  if (api === "oslogin" && !isRead) return ruled("break-glass", "changes who may log in to machines");
  if (api === "storage" && resource === "hmacKeys" && method === "POST")
    return ruled("break-glass", "issues an access key");
  if (GRANTS.has(resource) && !isRead && !isReading(kind))
    return ruled("break-glass", "changes who has access");
  if (api === "secretmanager" && verb === "access") return ruled("sensitive", "reads a secret");
  if (api === "parametermanager" && verb === "render")
    return ruled("sensitive", "reads a parameter with its secrets");
  if (api === "sts" && verb === "token") return ruled("observe", "the login of command line tools");
  return undefined;
}

/** GET, HEAD, OPTIONS: reads, but for those that act or hand out secrets. */
function readTier({ verb, isPublished }: GoogleOperation, kind: VerbKind): RuledTier {
  if (kind === "secret" || kind === "credential") return ruled("sensitive", "returns a credential");
  if (kind === undefined)
    return isPublished
      ? ruled("observe", "a published read")
      : ruled("unknown", `unknown operation "${verb}"`);
  if (
    isReading(kind) ||
    /^(?:access|export|download|generate|stream|complete|audit|snippet|csr|card|metadata|read)/i.test(verb)
  )
    return ruled("observe", "reads");
  if (kind === "delete") return ruled("sensitive", "a GET that deletes");
  return ruled("modify", "a GET that changes something");
}

function writeTier({ verb, method, isPublished }: GoogleOperation, kind: VerbKind): RuledTier {
  if (method === "DELETE") return ruled("sensitive", "deletes");
  if (kind === "delete") return ruled("sensitive", "deletes by another method");
  if (kind === "credential") return ruled("break-glass", "issues a credential");
  if (kind === "secret") return ruled("sensitive", "returns a secret");
  if (method === "PUT" || method === "PATCH") return ruled("modify", "changes a resource");
  if (method !== "POST") return ruled("unknown", `unexpected method "${method}"`);
  if (kind === "read") return ruled("observe", "reads by POST");
  if (kind === "evaluate") return ruled("observe", "evaluates, stores nothing");
  if (kind === "infer") return ruled("observe", "model inference");
  if (kind === undefined && !isPublished) return ruled("unknown", `unknown operation "${verb}"`);
  return ruled("modify", "changes something");
}
