// Which namespace a Kubernetes request acts in, and whether it says so: `/api/v1/pods` lists those
// of all namespaces. Goes by the path, as the API server's own authorisation does, not by field
// selectors. Knows no tiers.

import type { Classification } from "../../model/classification.ts";
import type { ResourceRequest } from "./request-info.ts";
import { scopeOfType } from "./resources.ts";
import { isWriteVerb } from "./tier.ts";

/** Verbs that are about all objects which the path covers. */
const OF_COLLECTIONS: ReadonlySet<string> = new Set(["list", "watch", "deletecollection"]);

/** The label of a request's namespace, or the statement that it acts in every one or in some that it does not name. */
export function namespacesOf(
  info: ResourceRequest,
): Pick<Classification, "labels" | "unnamedScopes" | "spannedScopes"> {
  const namespace = info.namespace ?? (isOpenShiftProject(info) ? info.name : undefined);
  if (namespace !== undefined) return { labels: { namespace } };
  switch (reachOf(info)) {
    case "every":
      return { labels: {}, spannedScopes: ["namespace"] };
    case "some":
      return { labels: {}, unnamedScopes: ["namespace"] };
    case "none":
      return { labels: {} };
  }
}

/** OpenShift's other name for a namespace. */
function isOpenShiftProject({ group, resource }: ResourceRequest): boolean {
  return group === "project.openshift.io" && (resource === "projects" || resource === "projectrequests");
}

/** How many namespaces a request without one in its path acts in. */
function reachOf(info: ResourceRequest): "every" | "some" | "none" {
  const { group, resource, subresource, name, verb } = info;
  const isCollection = name === undefined && OF_COLLECTIONS.has(verb);
  if ((group === "" && resource === "namespaces") || isOpenShiftProject(info)) {
    if (!isWriteVerb(verb)) return "none";
    // A new namespace is named in the body.
    return isCollection ? "every" : "some";
  }
  switch (scopeOfType(group, resource)) {
    case "cluster":
      // The kubelet behind it runs pods of every namespace.
      return group === "" && resource === "nodes" && (subresource === "proxy" || verb === "proxy")
        ? "every"
        : "none";
    case "namespaced":
      return isCollection ? "every" : "some";
    case undefined:
      // A custom resource with a name and no namespace is a cluster-wide one; a collection may be either.
      return name === undefined ? "some" : "none";
  }
}
