// Objects as the tables that `kubectl get` asks for (meta.k8s.io/v1 Table).

import { type KubeObject, listAt, textAt, valueAt } from "./kube-object.ts";
import type { Resource } from "./resources.ts";

interface Column {
  readonly name: string;
  readonly cell: (object: KubeObject) => unknown;
  /** 1 for `-o wide` only. */
  readonly priority?: number;
}

const NAME: Column = { name: "Name", cell: (object) => object.metadata.name };
const AGE: Column = { name: "Age", cell: (object) => ageOf(object.metadata.creationTimestamp) };

const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  pods: [
    { name: "Ready", cell: (pod) => `${readyContainers(pod)}/${listAt(pod, "spec.containers").length}` },
    {
      name: "Status",
      cell: (pod) =>
        pod.metadata.deletionTimestamp ? "Terminating" : textAt(pod, "status.phase", "Pending"),
    },
    { name: "Restarts", cell: () => 0 },
    AGE,
    { name: "IP", cell: (pod) => textAt(pod, "status.podIP", "<none>"), priority: 1 },
    { name: "Node", cell: (pod) => textAt(pod, "spec.nodeName", "<none>"), priority: 1 },
  ],
  deployments: [
    {
      name: "Ready",
      cell: (d) => `${textAt(d, "status.readyReplicas", "0")}/${textAt(d, "spec.replicas", "0")}`,
    },
    { name: "Up-to-date", cell: (d) => Number(textAt(d, "status.updatedReplicas", "0")) },
    { name: "Available", cell: (d) => Number(textAt(d, "status.availableReplicas", "0")) },
    AGE,
  ],
  replicasets: [
    { name: "Desired", cell: (set) => Number(textAt(set, "spec.replicas", "0")) },
    { name: "Current", cell: (set) => Number(textAt(set, "status.replicas", "0")) },
    { name: "Ready", cell: (set) => Number(textAt(set, "status.readyReplicas", "0")) },
    AGE,
  ],
  services: [
    { name: "Type", cell: (service) => textAt(service, "spec.type", "ClusterIP") },
    { name: "Cluster-IP", cell: (service) => textAt(service, "spec.clusterIP", "<none>") },
    { name: "External-IP", cell: () => "<none>" },
    {
      name: "Port(s)",
      cell: (service) =>
        listAt(service, "spec.ports")
          .map((port) => `${textAt(port, "port")}/${textAt(port, "protocol", "TCP")}`)
          .join(","),
    },
    AGE,
  ],
  configmaps: [
    { name: "Data", cell: (map) => Object.keys((valueAt(map, "data") as object) ?? {}).length },
    AGE,
  ],
  secrets: [
    { name: "Type", cell: (secret) => textAt(secret, "type", "Opaque") },
    { name: "Data", cell: (secret) => Object.keys((valueAt(secret, "data") as object) ?? {}).length },
    AGE,
  ],
  namespaces: [{ name: "Status", cell: (ns) => textAt(ns, "status.phase", "Active") }, AGE],
  nodes: [
    { name: "Status", cell: () => "Ready" },
    { name: "Roles", cell: () => "control-plane" },
    AGE,
    { name: "Version", cell: () => "v1.32.4" },
  ],
};

const DEFINITIONS: Readonly<Record<string, string>> = { Desired: "integer", Restarts: "string" };

/** A Table of the objects; `include` decides whether rows carry metadata, the whole object or nothing. */
export function tableOf(
  resource: Resource,
  objects: readonly KubeObject[],
  options: { readonly version: string; readonly include: string; readonly withColumns: boolean },
): unknown {
  const columns = [NAME, ...(COLUMNS[resource.plural] ?? [AGE])];
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: { resourceVersion: options.version },
    columnDefinitions: options.withColumns
      ? columns.map(({ name, priority = 0 }) => ({
          name,
          type: DEFINITIONS[name] ?? "string",
          format: name === "Name" ? "name" : "",
          description: name,
          priority,
        }))
      : null,
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object)),
      ...(options.include === "None" ? {} : { object: rowObject(object, options.include) }),
    })),
  };
}

function rowObject(object: KubeObject, include: string): unknown {
  if (include === "Object") return object;
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata };
}

function readyContainers(pod: KubeObject): number {
  return listAt(pod, "status.containerStatuses").filter((status) => status.ready === true).length;
}

function ageOf(created: string | undefined): string {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(created ?? "")) / 1000));
  if (Number.isNaN(seconds)) return "<unknown>";
  return seconds < 120 ? `${seconds}s` : `${Math.floor(seconds / 60)}m`;
}
