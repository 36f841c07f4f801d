// The tier of one Kubernetes operation, by verb, group, resource and subresource. The
// same table serves requests and command lines. It is written so that a resource nobody
// listed is still safe: reads are reads, deletions are deletions, and what opens a
// connection into the cluster is known by its subresource, whatever it hangs on.

import type { TierOrUnknown } from "../../model/tier.ts";
import { changesAccess, holdsCredential, isReadable, issuesCredential, opensConnection } from "./access.ts";

/** An operation in RBAC's words. */
export interface KubernetesOperation {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  /** The object's name, where one is told. */
  readonly name?: string | undefined;
}

/** A tier and the rule that gave it. */
export interface KubectlTier {
  readonly tier: TierOrUnknown;
  readonly reason: string;
}

const READ_VERBS: ReadonlySet<string> = new Set(["get", "list", "watch", "options"]);
const WRITE_VERBS: ReadonlySet<string> = new Set(["create", "update", "patch", "delete", "deletecollection"]);

/** Writing one of them is as good as becoming cluster-admin, or takes everything inside along. */
const PRIVILEGED_GROUPS: ReadonlyMap<string, string> = new Map([
  ["rbac.authorization.k8s.io", "who may do what"],
  ["authorization.openshift.io", "who may do what"],
  ["admissionregistration.k8s.io", "what every later write must pass"],
  ["apiextensions.k8s.io", "a resource type with all its objects"],
  ["apiregistration.k8s.io", "which server answers for a whole API group"],
  ["project.openshift.io", "a namespace with all that is in it"],
  ["security.openshift.io", "what pods may do to their node"],
]);
const PRIVILEGED_RESOURCES: ReadonlyMap<string, string> = new Map([
  ["namespaces", "a namespace with all that is in it"],
  ["persistentvolumes", "storage beneath the cluster"],
  ["podsecuritypolicies", "what pods may do to their node"],
]);
const PRIVILEGED_SUBRESOURCES: ReadonlyMap<string, string> = new Map([
  ["ephemeralcontainers", "a container put into a running pod"],
  ["token", "a credential is issued"],
  ["approval", "a client certificate is issued"],
]);

/** Posted to be evaluated and answered; nothing is stored. */
const ACCESS_REVIEWS: ReadonlySet<string> = new Set([
  "selfsubjectaccessreviews",
  "selfsubjectrulesreviews",
  "selfsubjectreviews",
  "subjectaccessreviews",
  "localsubjectaccessreviews",
  "tokenreviews",
  // OpenShift's.
  "subjectrulesreviews",
  "resourceaccessreviews",
  "localresourceaccessreviews",
]);
const REVIEW_GROUPS: ReadonlySet<string> = new Set([
  "authorization.k8s.io",
  "authentication.k8s.io",
  "authorization.openshift.io",
]);

/** Groups whose server is known to honour dryRun; an aggregated server may ignore it. */
const BUILT_IN_GROUPS: ReadonlySet<string> = new Set([
  "",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "apiregistration.k8s.io",
  "apps",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "autoscaling",
  "batch",
  "certificates.k8s.io",
  "coordination.k8s.io",
  "discovery.k8s.io",
  "events.k8s.io",
  "extensions",
  "flowcontrol.apiserver.k8s.io",
  "internal.apiserver.k8s.io",
  "networking.k8s.io",
  "node.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "resource.k8s.io",
  "scheduling.k8s.io",
  "storage.k8s.io",
  "storagemigration.k8s.io",
]);

/** Whether the API server itself serves a group, rather than a custom resource or an aggregated server. */
export function isBuiltInGroup(group: string): boolean {
  return BUILT_IN_GROUPS.has(group);
}

/** Whether an operation changes something, by its verb. */
export function isWriteVerb(verb: string): boolean {
  return WRITE_VERBS.has(verb);
}

/** The tier of an operation that is really carried out. A verb outside RBAC's is unknown. */
export function tierOfOperation(operation: KubernetesOperation): KubectlTier {
  const { verb, subresource } = operation;
  if (verb === "proxy") return { tier: "break-glass", reason: "a connection through the API server" };
  if (opensConnection(subresource))
    return { tier: "break-glass", reason: `${subresource} opens a connection into the cluster` };
  if (READ_VERBS.has(verb)) {
    if (holdsCredential(operation))
      return { tier: "sensitive", reason: `${subresource ?? operation.resource} hold credentials` };
    if (!isReadable(operation))
      return { tier: "unknown", reason: "nothing is known of what this subresource does" };
    return { tier: "observe", reason: `${verb} reads` };
  }
  if (!WRITE_VERBS.has(verb))
    return { tier: "unknown", reason: "the API server has no verb for this method" };
  return tierOfWrite(operation);
}

function tierOfWrite(operation: KubernetesOperation): KubectlTier {
  const { verb, group, resource, subresource } = operation;
  if (
    verb === "create" &&
    subresource === undefined &&
    ACCESS_REVIEWS.has(resource) &&
    REVIEW_GROUPS.has(group)
  )
    return { tier: "observe", reason: "a review is evaluated, nothing is stored" };
  const privilege =
    (subresource === undefined ? undefined : PRIVILEGED_SUBRESOURCES.get(subresource)) ??
    PRIVILEGED_RESOURCES.get(resource) ??
    PRIVILEGED_GROUPS.get(group) ??
    (changesAccess(operation) ? "who may do what" : undefined);
  if (privilege !== undefined)
    return { tier: "break-glass", reason: `${verb} changes ${resource}: ${privilege}` };
  const isRemoval = verb === "delete" || verb === "deletecollection";
  if (!isRemoval && issuesCredential(operation))
    return { tier: "break-glass", reason: `${verb} on ${subresource ?? resource}: a credential is issued` };
  if (holdsCredential(operation))
    return { tier: "sensitive", reason: `${subresource ?? resource} hold credentials` };
  if (verb === "delete" || verb === "deletecollection")
    return { tier: "sensitive", reason: `${verb} removes` };
  if (subresource === "eviction") return { tier: "sensitive", reason: "an eviction deletes the pod" };
  return { tier: "modify", reason: `${verb} writes` };
}

/** The tier of the same operation with `dryRun=All` in force: nothing is stored, but a Secret is still shown in the reply. */
export function tierOfDryRun(operation: KubernetesOperation): KubectlTier {
  const real = tierOfOperation(operation);
  if (real.tier !== "modify" && real.tier !== "sensitive") return real;
  if (holdsCredential(operation) || !isBuiltInGroup(operation.group)) return real;
  return { tier: "observe", reason: "a dry run stores nothing" };
}
