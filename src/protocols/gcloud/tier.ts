// From a Google operation to its tier. Owns the rules: the tier of a verb on a resource. Rules name
// resources and verbs, not single methods, so that operations which nobody has listed fall under
// them too; a verb in no list is unknown, never harmless.

import type { TierOrUnknown } from "../../model/tier.ts";
import { answersCredential } from "./credential-answers.ts";
import { type VerbKind, verbKind } from "./verbs.ts";

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

/** Makes a ruled tier. */
export const ruled = (tier: TierOrUnknown, rule: string): RuledTier => ({ tier, rule });

/** The tier of an operation. */
export function googleTier(operation: GoogleOperation): RuledTier {
  const kind = verbKind(operation.verb);
  const isRead = operation.method === "GET" || operation.method === "HEAD" || operation.method === "OPTIONS";
  return (
    apiRule(operation, kind, isRead) ?? (isRead ? readTier(operation, kind) : writeTier(operation, kind))
  );
}

/**
 * The rule for a resource, for a call whose name joins verb and resource (`whole`). Undefined when there is
 * none, and when the split name would do another kind of thing than the whole.
 */
export function tierOfResource(operation: GoogleOperation, whole: string): RuledTier | undefined {
  const kind = verbKind(operation.verb);
  return isReading(kind) === isReading(verbKind(whole)) ? apiRule(operation, kind, false) : undefined;
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
  "accessproposals",
]);

/** Reads whose verb means a change nearly everywhere else. */
const READS_BY_POST: ReadonlySet<string> = new Set([
  "services.resolve",
  "policies.resolve",
  "policies.evaluate",
  "configStoreSettings.resolve",
  "threatListUpdates.fetch",
  "projects.test",
]);

const isReading = (kind: VerbKind): boolean => kind === "read" || kind === "evaluate" || kind === "infer";

/** The rule for one service or resource, before any rule for verbs. */
function apiRule(operation: GoogleOperation, kind: VerbKind, isRead: boolean): RuledTier | undefined {
  const { api, words, verb, method } = operation;
  const resource = words.at(-1) ?? "";
  if ((verb === "testIamPermissions" || verb === "getIamPolicy") && (isRead || method === "POST"))
    return ruled("observe", "reads permissions");
  if ((isRead || isReading(kind)) && answersCredential(operation))
    return ruled("sensitive", "returns a credential");
  if (isRead) return readRule(operation, resource);
  if (kind === "policy") return ruled("break-glass", "changes who has access");
  if (api === "iamcredentials")
    return ruled("break-glass", "issues or signs with a service account's credentials");
  if (api === "agentidentitycredentials") return ruled("break-glass", "issues an agent's credentials");
  if (api === "oslogin") return ruled("break-glass", "changes who may log in to machines");
  if (GRANTS.has(resource) && verb !== "watch" && !isReading(kind))
    return ruled("break-glass", "changes who has access");
  if (method === "POST" && READS_BY_POST.has(`${resource}.${verb}`)) return ruled("observe", "reads by POST");
  if (resource === "jobs" && verb === "query") return ruled("modify", "runs SQL");
  if (/^(?:reasoningEngines|extensions|runtimeRevisions)$/.test(resource) && /query$/i.test(verb))
    return ruled("modify", "runs an agent");
  return isReading(kind) ? undefined : writeRule(api, resource, verb);
}

function readRule({ api, verb, isPublished }: GoogleOperation, resource: string): RuledTier | undefined {
  if (verb === "access" && (api === "secretmanager" || !isPublished))
    return ruled("sensitive", "reads a secret");
  if (api === "parametermanager" && verb === "render")
    return ruled("sensitive", "reads a parameter with its secrets");
  // Secret Manager lists secrets without their content; Kubernetes-like ones and others come with it.
  if (/secrets$/i.test(resource) && api !== "secretmanager") return ruled("sensitive", "reads secrets");
  if (!isPublished && SECRET_THINGS.test(resource)) return ruled("sensitive", "returns a credential");
  return undefined;
}

/** Single things below a resource that are secrets by their name. */
const SECRET_THINGS =
  /^(?:keyString|authString|accessToken|password|privateKey|secretKey|adminCredentials?)$/i;

/** Services of databases, whose users are logins. */
const LOGIN_APIS: ReadonlySet<string> = new Set(["sql", "sqladmin", "alloydb"]);

function writeRule(api: string, resource: string, verb: string): RuledTier | undefined {
  if (api === "iam") return ruled("break-glass", "changes identities or roles");
  if (
    api === "privilegedaccessmanager" &&
    resource !== "operations" &&
    !/^(?:deny|withdraw|revoke)/.test(verb)
  )
    return ruled("break-glass", "asks for, approves or defines privileged access");
  if (api === "secretmanager" && /version/i.test(`${resource} ${verb}`))
    return ruled("sensitive", "changes a secret");
  if (resource === "users" && LOGIN_APIS.has(api) && !/^delete/.test(verb))
    return ruled("break-glass", "changes a login of a database");
  if (/^(?:set)?MasterAuth$/i.test(verb)) return ruled("break-glass", "changes the admin of a cluster");
  if (resource === "hmacKeys" && (verb === "create" || verb === "insert"))
    return ruled("break-glass", "issues an access key");
  if (api === "apikeys" && (verb === "create" || verb === "clone"))
    return ruled("break-glass", "issues an access key");
  if (api === "orgpolicy") return ruled("sensitive", "changes what the organization forbids");
  if (resource === "sslCerts" && verb === "insert") return ruled("sensitive", "issues a client certificate");
  return undefined;
}

const READ_BY_GET =
  /^(?:access|export|download|generate|stream|complete|audit|snippet|csr|card|metadata|render|resolve|diagnose|test|verify|analyze|fetch)/i;

/** GET, HEAD, OPTIONS: reads, but for those that act or hand out secrets. */
function readTier({ api, words, verb, isPublished }: GoogleOperation, kind: VerbKind): RuledTier {
  if (kind === "secret" || kind === "credential") return ruled("sensitive", "returns a credential");
  if (api === "fusiontables" && words.includes("query")) return ruled("modify", "a GET that runs SQL");
  if (isReading(kind) || READ_BY_GET.test(verb)) return ruled("observe", "reads");
  if (api === "health" && verb === "reconcile") return ruled("observe", "reads");
  if (kind === undefined) {
    if (verb.startsWith("bulk-export")) return ruled("modify", "a GET that starts a job");
    return isPublished
      ? ruled("observe", "a published read")
      : ruled("unknown", `unknown operation '${verb}'`);
  }
  if (kind === "delete") return ruled("sensitive", "a GET that deletes");
  return ruled("modify", "a GET that changes something");
}

function writeTier({ verb, method, isPublished }: GoogleOperation, kind: VerbKind): RuledTier {
  if (method === "DELETE") return ruled("sensitive", "deletes");
  if (kind === "delete") return ruled("sensitive", "deletes by another method");
  if (kind === "credential") return ruled("break-glass", "issues a credential");
  if (kind === "secret") return ruled("sensitive", "hands out or makes a secret");
  if (kind === "access") return ruled("sensitive", "changes who may do what");
  if (method === "PUT" || method === "PATCH") return ruled("modify", "changes a resource");
  if (method !== "POST") return ruled("unknown", `unexpected method '${method}'`);
  if (kind === "read") return ruled("observe", "reads by POST");
  if (kind === "evaluate") return ruled("observe", "evaluates, stores nothing");
  if (kind === "infer") return ruled("observe", "model inference");
  if (kind === undefined && !isPublished)
    return ruled("unknown", verb === "post" ? "a POST to a single thing" : `unknown operation '${verb}'`);
  return ruled("modify", "changes something");
}
