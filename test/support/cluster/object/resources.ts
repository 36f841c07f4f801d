// The resource types that the stand-in cluster serves. Discovery, the store and the tables all read
// this list.

/** One served resource type. */
export interface Resource {
  /** "" for the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural name in URLs. */
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly Subresource[];
  /** Only `create` works: access reviews and the like, which are never stored. */
  readonly isVirtual: boolean;
}

/** A subresource with what discovery says of it. */
export interface Subresource {
  readonly name: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  /** API group and version of its kind where they differ from the parent's. */
  readonly group?: string;
  readonly version?: string;
}

/** Verbs of every stored resource. */
export const STORED_VERBS = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
] as const;

const CONNECT = ["create", "get"];
const SCALE: Subresource = {
  name: "scale",
  kind: "Scale",
  verbs: ["get", "patch", "update"],
  group: "autoscaling",
  version: "v1",
};

function status(kind: string): Subresource {
  return { name: "status", kind, verbs: ["get", "patch", "update"] };
}

interface Options {
  readonly cluster?: boolean;
  readonly short?: readonly string[];
  readonly all?: boolean;
  readonly sub?: readonly Subresource[];
  readonly virtual?: boolean;
}

function resource(groupVersion: string, plural: string, kind: string, options: Options = {}): Resource {
  const [first = "", second] = groupVersion.split("/");
  return {
    group: second === undefined ? "" : first,
    version: second ?? first,
    plural,
    singular: kind.toLowerCase(),
    kind,
    namespaced: options.cluster !== true,
    shortNames: options.short ?? [],
    categories: options.all ? ["all"] : [],
    subresources: options.sub ?? [],
    isVirtual: options.virtual === true,
  };
}

/** Every resource, in the order in which discovery lists them. */
export const RESOURCES: readonly Resource[] = [
  resource("v1", "configmaps", "ConfigMap", { short: ["cm"] }),
  resource("v1", "endpoints", "Endpoints", { short: ["ep"] }),
  resource("v1", "events", "Event", { short: ["ev"] }),
  resource("v1", "limitranges", "LimitRange", { short: ["limits"] }),
  resource("v1", "namespaces", "Namespace", {
    cluster: true,
    short: ["ns"],
    sub: [status("Namespace"), { name: "finalize", kind: "Namespace", verbs: ["update"] }],
  }),
  resource("v1", "nodes", "Node", {
    cluster: true,
    short: ["no"],
    sub: [status("Node"), { name: "proxy", kind: "NodeProxyOptions", verbs: CONNECT }],
  }),
  resource("v1", "persistentvolumeclaims", "PersistentVolumeClaim", { short: ["pvc"] }),
  resource("v1", "persistentvolumes", "PersistentVolume", { cluster: true, short: ["pv"] }),
  resource("v1", "pods", "Pod", {
    short: ["po"],
    all: true,
    sub: [
      { name: "attach", kind: "PodAttachOptions", verbs: CONNECT },
      { name: "binding", kind: "Binding", verbs: ["create"] },
      { name: "ephemeralcontainers", kind: "Pod", verbs: ["get", "patch", "update"] },
      { name: "eviction", kind: "Eviction", verbs: ["create"], group: "policy", version: "v1" },
      { name: "exec", kind: "PodExecOptions", verbs: CONNECT },
      { name: "log", kind: "Pod", verbs: ["get"] },
      { name: "portforward", kind: "PodPortForwardOptions", verbs: CONNECT },
      { name: "proxy", kind: "PodProxyOptions", verbs: CONNECT },
      status("Pod"),
    ],
  }),
  resource("v1", "replicationcontrollers", "ReplicationController", {
    short: ["rc"],
    all: true,
    sub: [SCALE],
  }),
  resource("v1", "resourcequotas", "ResourceQuota", { short: ["quota"] }),
  resource("v1", "secrets", "Secret"),
  resource("v1", "serviceaccounts", "ServiceAccount", {
    short: ["sa"],
    sub: [
      {
        name: "token",
        kind: "TokenRequest",
        verbs: ["create"],
        group: "authentication.k8s.io",
        version: "v1",
      },
    ],
  }),
  resource("v1", "services", "Service", {
    short: ["svc"],
    all: true,
    sub: [{ name: "proxy", kind: "ServiceProxyOptions", verbs: CONNECT }, status("Service")],
  }),
  resource("apps/v1", "daemonsets", "DaemonSet", { short: ["ds"], all: true, sub: [status("DaemonSet")] }),
  resource("apps/v1", "deployments", "Deployment", {
    short: ["deploy"],
    all: true,
    sub: [SCALE, status("Deployment")],
  }),
  resource("apps/v1", "replicasets", "ReplicaSet", {
    short: ["rs"],
    all: true,
    sub: [SCALE, status("ReplicaSet")],
  }),
  resource("apps/v1", "statefulsets", "StatefulSet", {
    short: ["sts"],
    all: true,
    sub: [SCALE, status("StatefulSet")],
  }),
  resource("batch/v1", "cronjobs", "CronJob", { short: ["cj"], all: true, sub: [status("CronJob")] }),
  resource("batch/v1", "jobs", "Job", { all: true, sub: [status("Job")] }),
  resource("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", {
    short: ["hpa"],
    all: true,
  }),
  resource("networking.k8s.io/v1", "ingresses", "Ingress", { short: ["ing"], sub: [status("Ingress")] }),
  resource("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", { short: ["netpol"] }),
  resource("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", { short: ["pdb"] }),
  resource("rbac.authorization.k8s.io/v1", "clusterrolebindings", "ClusterRoleBinding", { cluster: true }),
  resource("rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole", { cluster: true }),
  resource("rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding"),
  resource("rbac.authorization.k8s.io/v1", "roles", "Role"),
  resource("coordination.k8s.io/v1", "leases", "Lease"),
  resource("apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition", {
    cluster: true,
    short: ["crd", "crds"],
  }),
  resource("example.org/v1", "widgets", "Widget"),
  resource(
    "admissionregistration.k8s.io/v1",
    "validatingwebhookconfigurations",
    "ValidatingWebhookConfiguration",
    {
      cluster: true,
    },
  ),
  resource("authentication.k8s.io/v1", "selfsubjectreviews", "SelfSubjectReview", {
    cluster: true,
    virtual: true,
  }),
  resource("authorization.k8s.io/v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", {
    cluster: true,
    virtual: true,
  }),
  resource("authorization.k8s.io/v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", {
    cluster: true,
    virtual: true,
  }),
  resource("authorization.k8s.io/v1", "subjectaccessreviews", "SubjectAccessReview", {
    cluster: true,
    virtual: true,
  }),
];

/** `v1` or `apps/v1`, as in apiVersion fields. */
export function groupVersionOf(resource: { group: string; version: string }): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

/** The resource served at a group, version and plural, if any. */
export function findResource(group: string, version: string, plural: string): Resource | undefined {
  return RESOURCES.find((r) => r.group === group && r.version === version && r.plural === plural);
}
