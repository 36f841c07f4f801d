// An API server's work on an object before storing it: names, defaults, the checks that clients
// meet most.

import { ApiError, badRequest, invalid, notFound } from "./api-error.ts";
import { type Fields, isFields, type KubeObject, listAt, textAt, valueAt } from "./object/kube-object.ts";
import { findResource, groupVersionOf, type Resource } from "./object/resources.ts";
import { type ObjectStore, timestamp } from "./object/store.ts";

/** Parsed body as an object of the right type, or a 400. */
export function requireObject(value: unknown, resource: Resource): KubeObject {
  if (!isFields(value)) throw badRequest("the body of the request is not an object");
  const object = { ...value, apiVersion: value.apiVersion ?? groupVersionOf(resource) } as KubeObject;
  object.kind ??= resource.kind;
  if (object.kind !== resource.kind || object.apiVersion !== groupVersionOf(resource))
    throw badRequest(
      `${object.kind} in version "${object.apiVersion}" cannot be handled as a ${resource.kind}: no kind "${object.kind}" is registered`,
    );
  if (!isFields(object.metadata)) object.metadata = { name: "" };
  return object;
}

/** Fills in and checks an object that is about to be created in `namespace`. */
export function admitNew(
  resource: Resource,
  object: KubeObject,
  namespace: string | undefined,
  store: ObjectStore,
): void {
  const { metadata } = object;
  if (!metadata.name && metadata.generateName) metadata.name = metadata.generateName + randomSuffix();
  if (!metadata.name)
    throw invalid(resource, "", "metadata.name", "Required value: name or generateName is required");
  if (!/^[a-z0-9:]([-a-z0-9.:]*[a-z0-9])?$/.test(metadata.name))
    throw invalid(
      resource,
      metadata.name,
      "metadata.name",
      `Invalid value: "${metadata.name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
    );
  if (resource.namespaced) {
    if (metadata.namespace !== undefined && metadata.namespace !== namespace)
      throw badRequest(
        "the namespace of the provided object does not match the namespace sent on the request",
      );
    metadata.namespace = namespace ?? "default";
    const namespaces = findResource("", "v1", "namespaces");
    if (namespaces !== undefined && store.get(namespaces, undefined, metadata.namespace) === undefined)
      throw notFound(namespaces, metadata.namespace);
  } else delete metadata.namespace;
  for (const field of ["resourceVersion", "uid", "deletionTimestamp"]) delete metadata[field];
  if (resource.plural !== "events") delete object.status;
  setDefaults(object);
}

/** Defaults that also hold after an update. */
export function setDefaults(object: KubeObject): void {
  if (object.kind === "Secret") defaultSecret(object);
  if (object.kind === "Pod") defaultPod(object);
  if (object.kind === "Namespace") {
    object.spec ??= { finalizers: ["kubernetes"] };
    object.status ??= { phase: "Active" };
    object.metadata.labels = {
      ...object.metadata.labels,
      "kubernetes.io/metadata.name": object.metadata.name,
    };
  }
  if (object.kind === "Service" && isFields(object.spec)) {
    object.spec.type ??= "ClusterIP";
    object.spec.clusterIP ??= `10.96.0.${1 + Math.floor(Math.random() * 250)}`;
    object.spec.sessionAffinity ??= "None";
    for (const port of listAt(object, "spec.ports")) {
      port.protocol ??= "TCP";
      port.targetPort ??= port.port;
    }
    object.status ??= { loadBalancer: {} };
  }
  if ((object.kind === "Deployment" || object.kind === "ReplicaSet") && isFields(object.spec)) {
    object.spec.replicas ??= 1;
    if (valueAt(object, "spec.template.spec") !== undefined)
      defaultPodSpec(valueAt(object, "spec.template.spec") as Fields);
    object.status ??= {};
  }
}

/** Rules on a whole object, after defaults. */
export function validate(resource: Resource, object: KubeObject): void {
  const { name } = object.metadata;
  if (object.kind === "Pod" && listAt(object, "spec.containers").length === 0)
    throw invalid(resource, name, "spec.containers", "Required value");
  for (const container of listAt(object, "spec.containers"))
    if (!container.image) throw invalid(resource, name, "spec.containers[0].image", "Required value");
  if (object.kind === "Deployment") {
    const wanted = (valueAt(object, "spec.selector.matchLabels") ?? {}) as Fields;
    const labels = (valueAt(object, "spec.template.metadata.labels") ?? {}) as Fields;
    if (!Object.entries(wanted).every(([key, value]) => labels[key] === value))
      throw invalid(
        resource,
        name,
        "spec.template.metadata.labels",
        "Invalid value: `selector` does not match template `labels`",
      );
    if (Number(valueAt(object, "spec.replicas")) < 0)
      throw invalid(resource, name, "spec.replicas", "Invalid value: must be greater than or equal to 0");
  }
}

/** Refuses what a real server refuses with 403: deleting the namespaces that it lives in. */
export function admitDelete(resource: Resource, name: string): void {
  if (resource.plural === "namespaces" && ["default", "kube-system"].includes(name))
    throw new ApiError(
      403,
      "Forbidden",
      `namespaces "${name}" is forbidden: this namespace may not be deleted`,
    );
}

function defaultSecret(secret: KubeObject): void {
  secret.type ??= "Opaque";
  if (!isFields(secret.stringData)) return;
  const encoded = Object.entries(secret.stringData).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString("base64"),
  ]);
  secret.data = { ...(secret.data as Fields), ...Object.fromEntries(encoded) };
  delete secret.stringData;
}

function defaultPodSpec(spec: Fields): void {
  spec.restartPolicy ??= "Always";
  spec.dnsPolicy ??= "ClusterFirst";
  spec.terminationGracePeriodSeconds ??= 30;
  for (const container of listAt(spec, "containers")) {
    container.imagePullPolicy ??= "IfNotPresent";
    container.resources ??= {};
    for (const port of listAt(container, "ports")) port.protocol ??= "TCP";
  }
}

function defaultPod(pod: KubeObject): void {
  if (!isFields(pod.spec)) return;
  defaultPodSpec(pod.spec);
  pod.spec.nodeName ??= "node-1";
  pod.spec.serviceAccountName ??= "default";
  // There is no kubelet: a pod runs as soon as it is stored.
  pod.status ??= {
    phase: "Running",
    hostIP: "127.0.0.1",
    podIP: "10.244.0.5",
    startTime: timestamp(),
    qosClass: "BestEffort",
    conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
      type,
      status: "True",
      lastTransitionTime: timestamp(),
    })),
    containerStatuses: listAt(pod, "spec.containers").map((container) => ({
      name: container.name,
      image: container.image,
      imageID: `sha256:${textAt(container, "image")}`,
      containerID: `containerd://${textAt(container, "name")}`,
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: timestamp() } },
      lastState: {},
    })),
  };
}

/** Five characters as generateName appends them. */
export function randomSuffix(): string {
  const alphabet = "bcdfghjklmnpqrstvwxz2456789";
  return Array.from(
    crypto.getRandomValues(new Uint8Array(5)),
    (byte) => alphabet[byte % alphabet.length],
  ).join("");
}
