// OpenAPI v3 documents, one a group and version: enough for `kubectl explain`, for kubectl's check
// that the server takes dryRun and fieldValidation, and for its strategic merge. The schemas are a
// compact excerpt; kubectl falls back to its own types for what they leave out. /openapi/v2
// (protobuf only) is not served, as clients tolerate.

import { groupVersionOf, RESOURCES, type Resource } from "./object/resources.ts";

/**
 * Fields of the types, one line each: `name type`. Types: string, integer, boolean, map (of strings), any, a type of
 * this table, `[T]` a list, `[T by key]` a list merged by that key.
 */
const TYPES: Readonly<Record<string, string>> = {
  Pod: "spec PodSpec, status PodStatus",
  PodSpec:
    "containers [Container by name], initContainers [Container by name], volumes [any by name], nodeName string, " +
    "restartPolicy string, serviceAccountName string, nodeSelector map, hostNetwork boolean, " +
    "terminationGracePeriodSeconds integer, dnsPolicy string, schedulerName string, securityContext any",
  Container:
    "name string, image string, imagePullPolicy string, command [string], args [string], workingDir string, " +
    "env [EnvVar by name], ports [ContainerPort by containerPort], resources any, volumeMounts [any by mountPath], " +
    "livenessProbe any, readinessProbe any, securityContext any, stdin boolean, tty boolean, " +
    "terminationMessagePath string, terminationMessagePolicy string",
  EnvVar: "name string, value string, valueFrom any",
  ContainerPort: "name string, containerPort integer, hostPort integer, protocol string",
  PodStatus: "phase string, podIP string, hostIP string, startTime string, conditions [any by type]",
  Deployment: "spec DeploymentSpec, status any",
  DeploymentSpec:
    "replicas integer, selector LabelSelector, template PodTemplateSpec, strategy any, minReadySeconds integer, " +
    "revisionHistoryLimit integer, progressDeadlineSeconds integer, paused boolean",
  ReplicaSet: "spec ReplicaSetSpec, status any",
  ReplicaSetSpec: "replicas integer, selector LabelSelector, template PodTemplateSpec",
  LabelSelector: "matchLabels map, matchExpressions [any]",
  PodTemplateSpec: "metadata ObjectMeta, spec PodSpec",
  ConfigMap: "data map, binaryData map, immutable boolean",
  Secret: "data map, stringData map, type string, immutable boolean",
  Service: "spec ServiceSpec, status any",
  ServiceSpec:
    "ports [ServicePort by port], selector map, clusterIP string, type string, externalName string, " +
    "sessionAffinity string, clusterIPs [string], ipFamilies [string], ipFamilyPolicy string, internalTrafficPolicy string",
  ServicePort:
    "name string, port integer, protocol string, targetPort any, nodePort integer, appProtocol string",
  Namespace: "spec any, status any",
  ServiceAccount: "secrets [any by name], imagePullSecrets [any], automountServiceAccountToken boolean",
  Role: "rules [PolicyRule]",
  ClusterRole: "rules [PolicyRule], aggregationRule any",
  PolicyRule:
    "apiGroups [string], resources [string], verbs [string], resourceNames [string], nonResourceURLs [string]",
  RoleBinding: "roleRef any, subjects [any]",
  ClusterRoleBinding: "roleRef any, subjects [any]",
  ObjectMeta:
    "name string, namespace string, generateName string, labels map, annotations map, uid string, " +
    "resourceVersion string, generation integer, creationTimestamp string, deletionTimestamp string, " +
    "finalizers [string], ownerReferences [any by uid], managedFields [any]",
};

const OTHER_KIND = "spec any, status any, data any, rules any, webhooks any, subsets any, items any";

function schemaName(type: string, resource: Resource): string {
  if (type === "ObjectMeta" || type === "LabelSelector")
    return `io.k8s.apimachinery.pkg.apis.meta.v1.${type}`;
  return `io.k8s.api.${resource.group.split(".")[0] || "core"}.${resource.version}.${type}`;
}

function reference(type: string, resource: Resource): Record<string, unknown> {
  return { $ref: `#/components/schemas/${schemaName(type, resource)}` };
}

function fieldSchema(type: string, resource: Resource): Record<string, unknown> {
  const list = /^\[(\w+)(?: by (\w+))?\]$/.exec(type);
  if (list !== null) {
    const [, item = "any", key] = list;
    const merge = { "x-kubernetes-patch-merge-key": key, "x-kubernetes-patch-strategy": "merge" };
    return {
      type: "array",
      items: fieldSchema(item, resource),
      ...(key === undefined ? {} : { ...merge, "x-kubernetes-list-map-keys": [key] }),
    };
  }
  if (type === "string" || type === "integer" || type === "boolean") return { type };
  if (type === "map") return { type: "object", additionalProperties: { type: "string" } };
  if (type === "any") return { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  return { allOf: [reference(type, resource)], default: {} };
}

function properties(fields: string, resource: Resource): Record<string, unknown> {
  return Object.fromEntries(
    fields.split(", ").map((field) => {
      const space = field.indexOf(" ");
      return [field.slice(0, space), fieldSchema(field.slice(space + 1), resource)];
    }),
  );
}

function kindSchema(resource: Resource): Record<string, unknown> {
  return {
    type: "object",
    description: `${resource.kind} as the stand-in cluster serves it.`,
    properties: {
      apiVersion: { type: "string", description: "The versioned schema of this object." },
      kind: { type: "string", description: "The REST resource that this object represents." },
      metadata: fieldSchema("ObjectMeta", resource),
      ...properties(TYPES[resource.kind] ?? OTHER_KIND, resource),
    },
    "x-kubernetes-group-version-kind": [
      { group: resource.group, kind: resource.kind, version: resource.version },
    ],
  };
}

function operation(resource: Resource, action: string): Record<string, unknown> {
  const content = { schema: reference(resource.kind, resource) };
  const patchTypes = [
    "apply-patch+yaml",
    "json-patch+json",
    "merge-patch+json",
    "strategic-merge-patch+json",
  ];
  return {
    parameters: ["dryRun", "fieldManager", "fieldValidation"].map((name) => ({
      name,
      in: "query",
      schema: { type: "string", uniqueItems: true },
    })),
    ...(action === "patch"
      ? {
          requestBody: {
            content: Object.fromEntries(patchTypes.map((type) => [`application/${type}`, { schema: {} }])),
          },
        }
      : {}),
    responses: { "200": { description: "OK", content: { "application/json": content } } },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": {
      group: resource.group,
      kind: resource.kind,
      version: resource.version,
    },
  };
}

function rootOf(resource: { group: string; version: string }): string {
  return `${resource.group === "" ? "api" : "apis"}/${groupVersionOf(resource)}`;
}

/** The list of documents, `/openapi/v3`. */
export function openApiIndex(): unknown {
  const roots = [...new Set(RESOURCES.map(rootOf))];
  return {
    paths: Object.fromEntries(
      roots.map((root) => [root, { serverRelativeURL: `/openapi/v3/${root}?hash=1` }]),
    ),
  };
}

/** One document, `/openapi/v3/<root>`, or undefined when nothing is served there. */
export function openApiDocument(root: string): unknown {
  const resources = RESOURCES.filter((resource) => rootOf(resource) === root);
  const [first] = resources;
  if (first === undefined) return undefined;
  const schemas: Record<string, unknown> = {};
  for (const [type, fields] of Object.entries(TYPES))
    schemas[schemaName(type, first)] = { type: "object", properties: properties(fields, first) };
  const paths: Record<string, unknown> = {};
  for (const resource of resources) {
    schemas[schemaName(resource.kind, resource)] = kindSchema(resource);
    const base = `/${root}/${resource.namespaced ? "namespaces/{namespace}/" : ""}${resource.plural}`;
    paths[base] = { post: operation(resource, "post"), get: operation(resource, "list") };
    paths[`${base}/{name}`] = {
      get: operation(resource, "get"),
      patch: operation(resource, "patch"),
      put: operation(resource, "put"),
      delete: operation(resource, "delete"),
    };
  }
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "v1.32.4" },
    paths,
    components: { schemas },
  };
}
