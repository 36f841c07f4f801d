// Reads a cluster's resources from its discovery documents: the aggregated form of Kubernetes 1.26
// and later, or one list a group. Pure: the caller fetches them.

import type { ServedType } from "./cluster-path.ts";
import { isFields, textAt, valueAt } from "./normalise.ts";

/** A served kind that the garbage collector sees. */
export interface Kind extends ServedType {
  readonly kind: string;
  readonly isNamespaced: boolean;
}

/** Asks for both forms; an older server gives the plain one. */
export const DISCOVERY_ACCEPT =
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/** The garbage collector knows a kind only if it can list, watch and delete it. */
const COLLECTABLE = ["list", "watch", "delete"];

/** The kinds of an aggregated document, one version of each; undefined when it has another form. */
export function aggregatedKinds(document: unknown): readonly Kind[] | undefined {
  if (textAt(document, "kind") !== "APIGroupDiscoveryList") return undefined;
  return list(valueAt(document, "items")).flatMap((group) => {
    const name = textAt(group, "metadata", "name");
    const seen = new Set<string>();
    return list(valueAt(group, "versions")).flatMap((version) =>
      list(valueAt(version, "resources")).flatMap((each): Kind[] => {
        const resource = textAt(each, "resource");
        if (seen.has(resource) || !isCollectable(valueAt(each, "verbs"))) return [];
        // Versions come in the server's order of preference.
        seen.add(resource);
        return [
          {
            group: name,
            version: textAt(version, "version"),
            resource,
            kind: textAt(each, "responseKind", "kind"),
            isNamespaced: textAt(each, "scope") === "Namespaced",
          },
        ];
      }),
    );
  });
}

/** The preferred `group/version` of each group, from the plain APIGroupList. */
export function preferredVersions(document: unknown): readonly string[] {
  return list(valueAt(document, "groups"))
    .map((group) => textAt(group, "preferredVersion", "groupVersion"))
    .filter((each) => /^[a-z0-9.-]+\/v[a-z0-9]+$/.test(each));
}

/** The kinds of one plain APIResourceList. */
export function listedKinds(document: unknown): readonly Kind[] {
  const [group = "", version] = textAt(document, "groupVersion").split("/");
  const where = version === undefined ? { group: "", version: group } : { group, version };
  return list(valueAt(document, "resources"))
    .filter((each) => !textAt(each, "name").includes("/") && isCollectable(valueAt(each, "verbs")))
    .map((each) => ({
      ...where,
      resource: textAt(each, "name"),
      kind: textAt(each, "kind"),
      isNamespaced: valueAt(each, "namespaced") === true,
    }));
}

/** The same objects are served under two names: one of them is left out. */
export function withoutDoubles(kinds: readonly Kind[]): readonly Kind[] {
  return kinds.filter(({ group, resource }) => !(group === "events.k8s.io" && resource === "events"));
}

function isCollectable(verbs: unknown): boolean {
  return Array.isArray(verbs) && COLLECTABLE.every((verb) => verbs.includes(verb));
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}
