// Reads kubectl's resource words: plural, singular and short names, `type.group`,
// `type.version.group`, comma lists and `type/name`. The table holds the resources of Kubernetes
// itself; for custom resources the plural is guessed, which decides no tier.

/** A resource type as RBAC names it. */
export interface ResourceType {
  readonly resource: string;
  readonly group: string;
  /** False for cluster-wide types; types that the table does not hold count as namespaced. */
  readonly isNamespaced: boolean;
}

/** A type with the object that was named, if one was. */
export interface ResourceTarget extends ResourceType {
  readonly name: string | undefined;
}

/** Group, then its types: plural[=short,short], cluster-wide ones with a leading `!`. */
const BUILT_IN: readonly (readonly [group: string, types: string])[] = [
  [
    "",
    "bindings !componentstatuses=cs,componentstatus configmaps=cm endpoints=ep,endpoint events=ev limitranges=limits !namespaces=ns !nodes=no " +
      "persistentvolumeclaims=pvc !persistentvolumes=pv pods=po podtemplates replicationcontrollers=rc resourcequotas=quota secrets serviceaccounts=sa services=svc",
  ],
  [
    "admissionregistration.k8s.io",
    "!mutatingadmissionpolicies !mutatingadmissionpolicybindings !mutatingwebhookconfigurations !validatingadmissionpolicies " +
      "!validatingadmissionpolicybindings !validatingwebhookconfigurations",
  ],
  ["apiextensions.k8s.io", "!customresourcedefinitions=crd,crds"],
  ["apiregistration.k8s.io", "!apiservices"],
  ["apps", "controllerrevisions daemonsets=ds deployments=deploy replicasets=rs statefulsets=sts"],
  ["authentication.k8s.io", "!selfsubjectreviews !tokenreviews"],
  [
    "authorization.k8s.io",
    "localsubjectaccessreviews !selfsubjectaccessreviews !selfsubjectrulesreviews !subjectaccessreviews",
  ],
  ["autoscaling", "horizontalpodautoscalers=hpa"],
  ["batch", "cronjobs=cj jobs"],
  ["certificates.k8s.io", "!certificatesigningrequests=csr !clustertrustbundles podcertificaterequests"],
  ["coordination.k8s.io", "leases leasecandidates"],
  ["discovery.k8s.io", "endpointslices"],
  ["flowcontrol.apiserver.k8s.io", "!flowschemas !prioritylevelconfigurations"],
  ["internal.apiserver.k8s.io", "!storageversions"],
  ["networking.k8s.io", "!ingressclasses ingresses=ing !ipaddresses=ip networkpolicies=netpol !servicecidrs"],
  ["node.k8s.io", "!runtimeclasses"],
  ["policy", "poddisruptionbudgets=pdb !podsecuritypolicies=psp"],
  ["rbac.authorization.k8s.io", "!clusterrolebindings !clusterroles rolebindings roles"],
  [
    "resource.k8s.io",
    "!deviceclasses !devicetaintrules resourceclaims resourceclaimtemplates !resourcepoolstatusrequests !resourceslices",
  ],
  ["scheduling.k8s.io", "!priorityclasses=pc workloads"],
  [
    "storage.k8s.io",
    "!csidrivers !csinodes csistoragecapacities !storageclasses=sc !volumeattachments !volumeattributesclasses=vac",
  ],
  ["storagemigration.k8s.io", "!storageversionmigrations"],
];

/** `all` stands for these; no secrets and no configmaps among them. */
const CATEGORY_ALL = [
  "pods",
  "replicationcontrollers",
  "services",
  "daemonsets",
  "deployments",
  "replicasets",
  "statefulsets",
  "horizontalpodautoscalers",
  "cronjobs",
  "jobs",
];

const TYPES: ReadonlyMap<string, ResourceType> = readTable();

const SCOPES: ReadonlyMap<string, "cluster" | "namespaced"> = new Map([
  ...[...TYPES.values()].map(
    ({ group, resource, isNamespaced }) =>
      [`${group}/${resource}`, isNamespaced ? "namespaced" : "cluster"] as const,
  ),
  // Types that no word names, because another group's has the name.
  ["metrics.k8s.io/nodes", "cluster"],
  ["metrics.k8s.io/pods", "namespaced"],
  ["events.k8s.io/events", "namespaced"],
  ["extensions/daemonsets", "namespaced"],
  ["extensions/deployments", "namespaced"],
  ["extensions/ingresses", "namespaced"],
  ["extensions/networkpolicies", "namespaced"],
  ["extensions/replicasets", "namespaced"],
]);

function readTable(): ReadonlyMap<string, ResourceType> {
  const types = new Map<string, ResourceType>();
  for (const [group, list] of BUILT_IN)
    for (const entry of list.split(" ")) {
      const [written = "", shorts] = entry.split("=");
      const resource = written.replace(/^!/, "");
      const type: ResourceType = { resource, group, isNamespaced: written === resource };
      for (const name of [resource, ...(shorts?.split(",") ?? [])]) types.set(name, type);
    }
  return types;
}

/** Every built-in type, each once. */
export function builtInTypes(): readonly ResourceType[] {
  return [...new Set(TYPES.values())];
}

/** The types that kubectl's word `all` stands for. */
export function categoryAll(): readonly string[] {
  return CATEGORY_ALL;
}

/** Every spelling of a built-in type that kubectl takes: plural, singular and short names. */
export function typeSpellings(): readonly string[] {
  const singular = builtInTypes().map(({ resource }) => singularOf(resource));
  return [...new Set([...TYPES.keys(), ...singular])];
}

/** Whether a bare word names a built-in type. */
export function isBuiltInSpelling(word: string): boolean {
  return TYPES.has(word) || TYPES.has(pluralOf(word));
}

/** Whether a type is in the table, and there as cluster-wide or as namespaced; undefined for all others. */
export function scopeOfType(group: string, resource: string): "cluster" | "namespaced" | undefined {
  return SCOPES.get(`${group}/${resource}`);
}

/** The type that a word names, in any case and number: `Deploy`, `pod`, `roles.rbac.authorization.k8s.io`, `deployments.v1.apps`. */
export function resourceType(word: string): ResourceType {
  const [name = "", ...rest] = word.toLowerCase().split(".");
  if (rest.length > 0 && /^v\d/.test(rest[0] ?? "")) rest.shift();
  const known = TYPES.get(name) ?? TYPES.get(pluralOf(name));
  if (rest.length === 0) return known ?? { resource: pluralOf(name), group: "", isNamespaced: true };
  const group = rest.join(".");
  return known?.group === group
    ? known
    : { resource: known?.resource ?? pluralOf(name), group, isNamespaced: true };
}

/** The targets of `type[,type] [name…]` or `type/name …`; empty when no word names a type. */
export function resourceTargets(words: readonly string[]): readonly ResourceTarget[] {
  if (words.some((word) => word.includes("/")))
    return words.map((word) => {
      const slash = word.indexOf("/");
      return slash === -1
        ? { ...resourceType(word), name: undefined }
        : { ...resourceType(word.slice(0, slash)), name: word.slice(slash + 1) };
    });
  const [types = "", ...names] = words;
  const list = types.split(",").filter((type) => type !== "");
  return list
    .flatMap((type) => (type.toLowerCase() === "all" ? CATEGORY_ALL : [type]))
    .flatMap((type) =>
      (names.length === 0 ? [undefined] : names).map((name) => ({ ...resourceType(type), name })),
    );
}

function singularOf(plural: string): string {
  if (plural.endsWith("ies")) return `${plural.slice(0, -3)}y`;
  return /(?:ss|x|ch|sh)es$/.test(plural) ? plural.slice(0, -2) : plural.replace(/s$/, "");
}

function pluralOf(name: string): string {
  if (/(?:ss|x|ch|sh)$/.test(name)) return `${name}es`;
  if (name.endsWith("s")) return name;
  if (/[^aeiou]y$/.test(name)) return `${name.slice(0, -1)}ies`;
  return `${name}s`;
}
