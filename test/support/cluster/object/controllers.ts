// The controllers that make workloads look alive: a deployment gets a replica set, a replica set
// its pods, a new namespace its default service account. They run right after the change that they
// react to.

import { admitNew, randomSuffix } from "../admission.ts";
import { copy, type Fields, type KubeObject, valueAt } from "./kube-object.ts";
import { findResource, type Resource } from "./resources.ts";
import type { ObjectStore, StoreEvent } from "./store.ts";

/** Starts reacting to changes of the store. Gives the function that stops it. */
export function runControllers(store: ObjectStore): () => void {
  return store.watch(store.version, (event) => queueMicrotask(() => react(store, event)));
}

function served(group: string, plural: string): Resource {
  const found = findResource(group, "v1", plural);
  if (found === undefined) throw new Error(`the stand-in does not serve ${plural}`);
  return found;
}

const PODS = served("", "pods");
const REPLICA_SETS = served("apps", "replicasets");
const DEPLOYMENTS = served("apps", "deployments");
const SERVICE_ACCOUNTS = served("", "serviceaccounts");

function react(store: ObjectStore, event: StoreEvent): void {
  const { namespace, name } = event.object.metadata;
  if (event.resource.plural === "namespaces" && event.type === "ADDED") addServiceAccount(store, name);
  if (event.resource === DEPLOYMENTS && event.type !== "DELETED") reconcileDeployment(store, namespace, name);
  if (event.resource === REPLICA_SETS && event.type !== "DELETED")
    reconcileReplicaSet(store, namespace, name);
  if (event.resource === PODS && event.type === "MODIFIED") runEphemeral(store, namespace, name);
  if (event.resource === PODS && event.type === "DELETED")
    for (const owner of event.object.metadata.ownerReferences ?? [])
      if (owner.kind === "ReplicaSet") reconcileReplicaSet(store, namespace, owner.name);
}

function addServiceAccount(store: ObjectStore, namespace: string): void {
  if (store.get(SERVICE_ACCOUNTS, namespace, "default") !== undefined) return;
  store.create(SERVICE_ACCOUNTS, {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default", namespace },
  });
}

/** A container that `kubectl debug` adds runs at once, as the kubelet reports it. */
function runEphemeral(store: ObjectStore, namespace: string | undefined, name: string): void {
  const pod = store.get(PODS, namespace, name);
  const wanted = valueAt(pod, "spec.ephemeralContainers") as readonly Fields[] | undefined;
  const known = (valueAt(pod, "status.ephemeralContainerStatuses") ?? []) as readonly Fields[];
  if (pod === undefined || wanted === undefined || wanted.length === known.length) return;
  const ephemeralContainerStatuses = wanted.map((each) => ({
    ...{ name: each.name, image: each.image, imageID: "", ready: false, restartCount: 0 },
    state: { running: { startedAt: new Date().toISOString().replace(/\.\d+/, "") } },
  }));
  store.update(PODS, { ...pod, status: { ...(pod.status as Fields), ephemeralContainerStatuses } });
}

function reconcileDeployment(store: ObjectStore, namespace: string | undefined, name: string): void {
  const deployment = store.get(DEPLOYMENTS, namespace, name);
  const template = valueAt(deployment, "spec.template");
  if (deployment === undefined || template === undefined) return;
  const hash = Bun.hash(JSON.stringify(template)).toString(36).slice(0, 9);
  const current = `${name}-${hash}`;
  const replicas = Number(valueAt(deployment, "spec.replicas") ?? 1);
  const sets = ownedBy(store, REPLICA_SETS, deployment);
  if (!sets.some((set) => set.metadata.name === current))
    store.create(REPLICA_SETS, replicaSetOf(deployment, current, hash, replicas));
  for (const set of sets) {
    const wanted = set.metadata.name === current ? replicas : 0;
    if (valueAt(set, "spec.replicas") !== wanted)
      store.update(REPLICA_SETS, { ...set, spec: { ...(set.spec as Fields), replicas: wanted } });
  }
  const status = {
    observedGeneration: deployment.metadata.generation,
    replicas,
    updatedReplicas: replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
    conditions: [
      {
        type: "Available",
        status: "True",
        reason: "MinimumReplicasAvailable",
        message: "Deployment has minimum availability.",
      },
      {
        type: "Progressing",
        status: "True",
        reason: "NewReplicaSetAvailable",
        message: `ReplicaSet "${current}" has successfully progressed.`,
      },
    ],
  };
  store.update(DEPLOYMENTS, { ...deployment, status });
}

function replicaSetOf(deployment: KubeObject, name: string, hash: string, replicas: number): KubeObject {
  const spec = copy(deployment.spec) as { selector: Fields; template: { metadata: Fields } };
  const labels = {
    ...((valueAt(spec, "template.metadata.labels") ?? {}) as Record<string, string>),
    "pod-template-hash": hash,
  };
  spec.template.metadata = { ...spec.template.metadata, labels };
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name,
      namespace: deployment.metadata.namespace as string,
      labels,
      annotations: { "deployment.kubernetes.io/revision": "1" },
      ownerReferences: [ownerReference(deployment)],
    },
    spec: { replicas, selector: { matchLabels: labels }, template: spec.template },
    status: { replicas, readyReplicas: replicas, availableReplicas: replicas, observedGeneration: 1 },
  };
}

function reconcileReplicaSet(store: ObjectStore, namespace: string | undefined, name: string): void {
  const set = store.get(REPLICA_SETS, namespace, name);
  if (set === undefined) return;
  const replicas = Number(valueAt(set, "spec.replicas") ?? 1);
  const pods = ownedBy(store, PODS, set);
  for (const pod of pods.slice(replicas)) store.delete(PODS, namespace, pod.metadata.name, "Background");
  for (let missing = replicas - pods.length; missing > 0; missing--) {
    const template = copy(valueAt(set, "spec.template")) as { metadata?: Fields; spec: Fields };
    const pod: KubeObject = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        ...template.metadata,
        name: `${name}-${randomSuffix()}`,
        ownerReferences: [ownerReference(set)],
      },
      spec: template.spec,
    };
    admitNew(PODS, pod, namespace, store);
    store.create(PODS, pod);
  }
  const status = { replicas, readyReplicas: replicas, availableReplicas: replicas };
  const latest = store.get(REPLICA_SETS, namespace, name);
  if (latest !== undefined) store.update(REPLICA_SETS, { ...latest, status });
}

function ownedBy(store: ObjectStore, resource: Resource, owner: KubeObject): KubeObject[] {
  return store
    .list(resource, owner.metadata.namespace)
    .filter((object) => object.metadata.ownerReferences?.some((ref) => ref.uid === owner.metadata.uid));
}

function ownerReference(owner: KubeObject): {
  uid: string;
  kind: string;
  name: string;
  [field: string]: unknown;
} {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? "",
    controller: true,
    blockOwnerDeletion: true,
  };
}
