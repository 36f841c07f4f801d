// The operations of Kubernetes' own API, for the policy tools: every built-in type with every verb,
// and the subresources that its API server serves. Custom resources are no part of it: their names
// are the cluster's.

import { isTier } from "../../model/tier.ts";
import type { KnownOperation, ScopeReach } from "../known-operation.ts";
import { commandNames } from "./command.ts";
import { READABLE } from "./endpoints.ts";
import { toldCommands, toldNames } from "./patch-command.ts";
import { builtInTypes, scopeOfType } from "./resources.ts";
import { tierOfOperation } from "./tier.ts";

const VERBS = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/** Subresources by type, each with its verbs. */
const SUBRESOURCES: readonly (readonly [resource: string, subresources: string, verbs: string])[] = [
  ["pods", "log", "get"],
  ["pods", "exec attach portforward", "get create"],
  ["pods services nodes", "proxy", "get create update patch delete"],
  ["pods", "ephemeralcontainers", "get patch update"],
  ["pods", "eviction binding", "create"],
  ["pods", "resize status", "get patch update"],
  ["serviceaccounts", "token", "create"],
  ["namespaces", "finalize", "update"],
  ["certificatesigningrequests", "approval status", "get patch update"],
  ["deployments replicasets statefulsets replicationcontrollers", "scale", "get patch update"],
  [
    "namespaces nodes services deployments replicasets statefulsets daemonsets replicationcontrollers jobs cronjobs persistentvolumes persistentvolumeclaims horizontalpodautoscalers ingresses customresourcedefinitions poddisruptionbudgets resourcequotas",
    "status",
    "get patch update",
  ],
];

/** The subresources that the API server has below a built-in type. */
export function subresourcesOf(resource: string): readonly string[] {
  return [
    ...new Set(
      SUBRESOURCES.flatMap(([types, subresources]) =>
        types.split(" ").includes(resource) ? subresources.split(" ") : [],
      ),
    ),
    "port-forward",
    "log",
    "status",
    "scale",
  ];
}

/**
 * How requests of an operation are in namespaces. An object of a namespaced type is reached by its namespace; a command
 * line that names none means the one of the kubeconfig.
 */
function reachOf(
  verb: string,
  group: string,
  resource: string,
  subresource: string | undefined,
): readonly ScopeReach[] {
  const isOfAll = subresource === undefined && /^(?:list|watch|deletecollection)$/.test(verb);
  if (group === "" && resource === "namespaces")
    return verb === "create"
      ? ["named", "unnamed", "none"]
      : isOfAll
        ? ["none", "spanned"]
        : ["named", "none"];
  if (scopeOfType(group, resource) === "cluster")
    return resource === "nodes" && verb === "proxy" ? ["none", "spanned"] : ["none"];
  return isOfAll ? ["named", "none", "spanned"] : ["named", "none"];
}

/** Names that requests carry beside those of resources: the server's own paths, and `kubectl cp` on the wire. */
export function kubectlOthers(): readonly KnownOperation[] {
  const reads = ["get", "head", "options"];
  const own = ["discovery", ...READABLE, ".well-known", "logs"].flatMap((path) =>
    reads.map((verb) => ({
      command: `${path} ${verb}`,
      aliases: [],
      tier: path === "logs" ? ("sensitive" as const) : ("observe" as const),
      reach: { namespace: ["none" as const] },
    })),
  );
  const { tier } = tierOfOperation({ verb: "create", group: "", resource: "pods", subresource: "exec" });
  const copy = commandNames({ verb: "create", group: "", resource: "pods", subresource: "exec" }, [
    "tar",
    "cf",
    "-",
    "x",
  ]);
  return [...own, { ...copy, tier, reach: { namespace: ["named", "none"] } }, ...patchesByCommand()];
}

/** Patches that are one command of kubectl's and no other. Of these only impersonation makes more. */
function patchesByCommand(): readonly KnownOperation[] {
  return toldCommands().flatMap(({ command, types }) =>
    builtInTypes()
      .filter(({ resource }) => types.includes(resource))
      .flatMap(({ group, resource }) => {
        const patched = { verb: "patch", group, resource, subresource: undefined };
        const names = toldNames(command, patched);
        if (names === undefined) return [];
        const reach = { namespace: reachOf("patch", group, resource, undefined) };
        const { tier } = tierOfOperation(patched);
        return [{ ...names, kindOf: `${resource} patch`, tier, reach, raised: IMPERSONATED }];
      }),
  );
}

const IMPERSONATED = ["break-glass"] as const;

/** Kubernetes' own operations with their commands and tiers. */
export function kubectlOperations(): readonly KnownOperation[] {
  const found: KnownOperation[] = [];
  const add = (verb: string, group: string, resource: string, subresource: string | undefined): void => {
    const { tier } = tierOfOperation({ verb, group, resource, subresource });
    const reach = { namespace: reachOf(verb, group, resource, subresource) };
    // Of what has no manifest only impersonation makes more.
    const raised = /^(?:get|list|watch|delete|deletecollection|proxy)$/.test(verb)
      ? { raised: IMPERSONATED }
      : {};
    if (isTier(tier))
      found.push({ ...commandNames({ verb, group, resource, subresource }), tier, reach, ...raised });
  };
  for (const { group, resource } of builtInTypes()) {
    for (const verb of VERBS) add(verb, group, resource, undefined);
    for (const [resources, subresources, verbs] of SUBRESOURCES)
      if (resources.split(" ").includes(resource))
        for (const subresource of subresources.split(" "))
          for (const verb of verbs.split(" "))
            add(subresource === "proxy" ? "proxy" : verb, group, resource, subresource);
  }
  for (const verb of ["users", "groups", "serviceaccounts"]) add("impersonate", "", verb, undefined);
  return found;
}
