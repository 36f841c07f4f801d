// How an object is made again that was deleted: without fields that the server sets, without
// addresses and ports that were given out to it, with owners that exist. Also in which order
// several are made. Facts of each kind are here and nowhere else.

import { isFields, normalise, type ObjectFields, textAt, valueAt } from "../effect/normalise.ts";

/** An object to be made, and notes for a person about the difference to the old one. */
export interface Restored {
  readonly object: ObjectFields;
  readonly notes: readonly string[];
}

/** Why an object is not made again; undefined when it is. */
export function whyNotRestored(object: ObjectFields): string | undefined {
  const controller = owners(object).find(({ controller: is }) => is === true);
  if (controller !== undefined)
    return `${textAt(controller, "kind")} '${textAt(controller, "name")}' makes it again`;
  if (object.kind === "Secret" && object.type === "kubernetes.io/service-account-token")
    return "a token of a service account is issued again, not put back";
  if (object.kind === "ConfigMap" && textAt(object, "metadata", "name") === "kube-root-ca.crt")
    return "the cluster makes it again";
  if (object.kind === "ServiceAccount" && textAt(object, "metadata", "name") === "default")
    return "the cluster makes it again";
  return undefined;
}

/** Prepares an object. `uids`: of owners that were made again, from the old uid to the new one. */
export function restored(object: ObjectFields, uids: ReadonlyMap<string, string>): Restored {
  const notes: string[] = [];
  const plain = normalise(object);
  const metadata: Record<string, unknown> = { ...(isFields(plain.metadata) ? plain.metadata : {}) };
  const kept = owners(object).flatMap((owner) => {
    const uid = uids.get(textAt(owner, "uid"));
    return uid === undefined ? [] : [{ ...owner, uid }];
  });
  if (owners(object).length > kept.length) notes.push("it has no owner any more");
  delete metadata.ownerReferences;
  if (kept.length > 0) metadata.ownerReferences = kept;
  const finalizers = valueAt(object, "metadata", "finalizers");
  if (Array.isArray(finalizers) && finalizers.length > 0) notes.push("its finalizers are put back too");
  const made = { ...plain, metadata };
  return { object: repaired(String(object.kind), made, notes), notes };
}

function owners(object: ObjectFields): readonly ObjectFields[] {
  const references = valueAt(object, "metadata", "ownerReferences");
  return Array.isArray(references) ? references.filter(isFields) : [];
}

function repaired(kind: string, object: ObjectFields, notes: string[]): ObjectFields {
  const spec = isFields(object.spec) ? object.spec : undefined;
  if (spec === undefined) {
    if (kind !== "ServiceAccount") return object;
    const { secrets: _, ...rest } = object;
    return rest;
  }
  switch (kind) {
    case "Service":
      return { ...object, spec: withoutAddresses(spec, notes) };
    case "Job":
      return { ...object, spec: withoutJobSelector(spec) };
    case "Pod": {
      notes.push("it is put on a node again, and the data in its containers is lost");
      return { ...object, spec: without(spec, ["nodeName"]) };
    }
    case "PersistentVolume": {
      const claim = isFields(spec.claimRef) ? without(spec.claimRef, ["uid", "resourceVersion"]) : undefined;
      return { ...object, spec: claim === undefined ? spec : { ...spec, claimRef: claim } };
    }
    case "PersistentVolumeClaim":
      notes.push("the data on a deleted volume is lost");
      return { ...object, metadata: withoutBinding(object.metadata) };
    case "Namespace":
      return { ...object, spec: {} };
    default:
      return object;
  }
}

function without(fields: ObjectFields, names: readonly string[]): ObjectFields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

/** Addresses may be another service's by now. A headless one stays headless. */
function withoutAddresses(spec: ObjectFields, notes: string[]): ObjectFields {
  const ports = Array.isArray(spec.ports)
    ? spec.ports.map((port) => (isFields(port) ? without(port, ["nodePort"]) : port))
    : spec.ports;
  if (spec.clusterIP === "None") return { ...without(spec, ["healthCheckNodePort"]), ports };
  notes.push("it gets another address and other node ports");
  return { ...without(spec, ["clusterIP", "clusterIPs", "healthCheckNodePort"]), ports };
}

const JOB_LABELS = [
  "controller-uid",
  "job-name",
  "batch.kubernetes.io/controller-uid",
  "batch.kubernetes.io/job-name",
];

/** The selector names the uid of the Job that was. */
function withoutJobSelector(spec: ObjectFields): ObjectFields {
  if (spec.manualSelector === true) return spec;
  const template = isFields(spec.template) ? spec.template : {};
  const metadata = isFields(template.metadata) ? template.metadata : {};
  const labels = isFields(metadata.labels) ? without(metadata.labels, JOB_LABELS) : {};
  return { ...without(spec, ["selector"]), template: { ...template, metadata: { ...metadata, labels } } };
}

function withoutBinding(metadata: unknown): unknown {
  if (!isFields(metadata) || !isFields(metadata.annotations)) return metadata;
  const annotations = without(metadata.annotations, [
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
  ]);
  return { ...metadata, annotations };
}

/** Kinds in the order of restoring: those that others need come first. */
const ORDER = [
  "CustomResourceDefinition",
  "Namespace",
  "StorageClass",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "ClusterRole",
  "ClusterRoleBinding",
  "Role",
  "RoleBinding",
  "ServiceAccount",
  "Secret",
  "ConfigMap",
  "LimitRange",
  "ResourceQuota",
  "Service",
];

/** Sorts objects so that each comes after those it needs, and after its owners. */
export function inOrder<T extends { readonly object: ObjectFields }>(images: readonly T[]): readonly T[] {
  const place = ({ object }: T) => {
    const at = ORDER.indexOf(String(object.kind));
    return at < 0 ? ORDER.length : at;
  };
  const sorted = [...images].sort((one, other) => place(one) - place(other));
  const placed = new Set<string>();
  const result: T[] = [];
  let left = sorted;
  while (left.length > 0) {
    const uids = new Set(left.map(({ object }) => textAt(object, "metadata", "uid")));
    const ready = left.filter(({ object }) =>
      owners(object).every((owner) => !uids.has(textAt(owner, "uid")) || placed.has(textAt(owner, "uid"))),
    );
    // Owners in a circle: as they come.
    const next = ready.length === 0 ? left : ready;
    for (const each of next) placed.add(textAt(each.object, "metadata", "uid"));
    result.push(...next);
    left = left.filter((each) => !next.includes(each));
  }
  return result;
}
