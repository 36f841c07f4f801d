// Which namespace a Kubernetes request acts in, and whether it says so: `/api/v1/pods` lists those of all namespaces.
// Goes by the path, as the API server's own authorisation does, not by field selectors. Knows no tiers.

import type { Classification } from "../model/classification.ts";
import type { ResourceRequest } from "./kubectl-request-info.ts";
import { scopeOfType } from "./kubectl-resources.ts";
import { isWriteVerb } from "./kubectl-tier.ts";

/** The label of a request's namespace, or the statement that it acts in some that it does not name. */
export function namespacesOf(info: ResourceRequest): Pick<Classification, "labels" | "unnamedScopes"> {
  const namespace = info.namespace ?? (isOpenShiftProject(info) ? info.name : undefined);
  if (namespace !== undefined) return { labels: { namespace } };
  return actsInNamespaces(info) ? { labels: {}, unnamedScopes: ["namespace"] } : { labels: {} };
}

/** OpenShift's other name for a namespace. */
function isOpenShiftProject({ group, resource }: ResourceRequest): boolean {
  return group === "project.openshift.io" && (resource === "projects" || resource === "projectrequests");
}

function actsInNamespaces(info: ResourceRequest): boolean {
  const { group, resource, subresource, name, verb } = info;
  // A new namespace is named in the body.
  if ((group === "" && resource === "namespaces") || isOpenShiftProject(info)) return isWriteVerb(verb);
  switch (scopeOfType(group, resource)) {
    case "cluster":
      // The kubelet behind it runs pods of every namespace.
      return group === "" && resource === "nodes" && (subresource === "proxy" || verb === "proxy");
    case "namespaced":
      return true;
    case undefined:
      // A custom resource with a name and no namespace is a cluster-wide one; a collection may be either.
      return name === undefined;
  }
}
