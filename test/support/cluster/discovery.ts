// The first questions of every client: versions, groups, resources (plain and aggregated) and
// OpenAPI.

import { groupVersionOf, RESOURCES, type Resource, STORED_VERBS } from "./object/resources.ts";
import { openApiDocument, openApiIndex } from "./openapi.ts";

/** The answer to a discovery path with its content type, or undefined when the path is none. */
export function discover(
  path: string,
  accept: string,
): { readonly body: unknown; readonly type: string } | undefined {
  const aggregated = accept.includes("as=APIGroupDiscoveryList");
  if ((path === "/api" || path === "/apis") && aggregated)
    return { body: aggregatedGroups(path === "/api"), type: AGGREGATED_TYPE };
  const body = discoverPlain(path);
  return body === undefined ? undefined : { body, type: "application/json" };
}

const AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

function discoverPlain(path: string): unknown {
  if (path === "/version") return VERSION;
  if (path === "/api") return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
  if (path === "/apis") return { kind: "APIGroupList", apiVersion: "v1", groups: groupNames().map(groupOf) };
  if (path === "/openapi/v3") return openApiIndex();
  const [, root, first, second, ...rest] = path.replace(/\/$/, "").split("/");
  if (root === "openapi" && first === "v3") return openApiDocument([second, ...rest].join("/"));
  if (rest.length > 0) return undefined;
  if (root === "api" && first === "v1" && second === undefined) return resourceList("", "v1");
  if (root !== "apis" || first === undefined) return undefined;
  if (!groupNames().includes(first)) return undefined;
  if (second === undefined) return { kind: "APIGroup", apiVersion: "v1", ...groupOf(first) };
  return resourceList(first, second);
}

const VERSION = {
  major: "1",
  minor: "32",
  gitVersion: "v1.32.4",
  gitCommit: "59526cd4867447956156ae3a602fcbac10a2c335",
  gitTreeState: "clean",
  buildDate: "2025-04-22T15:55:45Z",
  goVersion: "go1.23.6",
  compiler: "gc",
  platform: "linux/amd64",
};

function groupNames(): string[] {
  return [...new Set(RESOURCES.map((resource) => resource.group))].filter((group) => group !== "");
}

function versionsOf(group: string): string[] {
  return [...new Set(RESOURCES.filter((r) => r.group === group).map((r) => r.version))];
}

function groupOf(name: string): Record<string, unknown> {
  const versions = versionsOf(name).map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions, preferredVersion: versions[0] };
}

function resourceList(group: string, version: string): unknown {
  const resources = RESOURCES.filter((r) => r.group === group && r.version === version);
  if (resources.length === 0) return undefined;
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: groupVersionOf({ group, version }),
    resources: resources.flatMap((resource) => [
      {
        name: resource.plural,
        singularName: resource.singular,
        namespaced: resource.namespaced,
        kind: resource.kind,
        verbs: verbsOf(resource),
        ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
        ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
      },
      ...resource.subresources.map((sub) => ({
        name: `${resource.plural}/${sub.name}`,
        singularName: "",
        namespaced: resource.namespaced,
        ...(sub.group === undefined ? {} : { group: sub.group, version: sub.version }),
        kind: sub.kind,
        verbs: sub.verbs,
      })),
    ]),
  };
}

function verbsOf(resource: Resource): readonly string[] {
  return resource.isVirtual ? ["create"] : STORED_VERBS;
}

function aggregatedGroups(core: boolean): unknown {
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: (core ? [""] : groupNames()).map((group) => ({
      metadata: group === "" ? {} : { name: group },
      versions: versionsOf(group).map((version) => ({
        version,
        resources: RESOURCES.filter((r) => r.group === group && r.version === version).map(aggregated),
        freshness: "Current",
      })),
    })),
  };
}

function aggregated(resource: Resource): unknown {
  return {
    resource: resource.plural,
    responseKind: { group: resource.group, version: resource.version, kind: resource.kind },
    scope: resource.namespaced ? "Namespaced" : "Cluster",
    singularResource: resource.singular,
    verbs: verbsOf(resource),
    shortNames: resource.shortNames,
    categories: resource.categories,
    subresources: resource.subresources.map((sub) => ({
      subresource: sub.name,
      responseKind: {
        group: sub.group ?? resource.group,
        version: sub.version ?? resource.version,
        kind: sub.kind,
      },
      verbs: sub.verbs,
    })),
  };
}
