// The object that the answer to a change holds: whole where it is JSON, and of protobuf, which
// typed clients ask for (kubectl create does), the metadata by which it is known. Anything else is
// no object. The answer to a scale holds the Scale alone; what it left is the object before it with
// that many replicas.

import { messageInEnvelope, readProtobufFields } from "../body/protobuf-fields.ts";
import { isFields, type ObjectFields, textAt, valueAt } from "../effect/normalise.ts";

/** An object, and whether all of it is there. */
export interface AnsweredObject {
  readonly object: ObjectFields;
  readonly isWhole: boolean;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
/** Entries of a ConfigMap are fields of their own. */
const FIELDS_MAX = 100_000;
/** By their numbers in ObjectMeta. */
const METADATA = new Map([
  [1, "name"],
  [3, "namespace"],
  [5, "uid"],
  [6, "resourceVersion"],
]);

/** Reads a body; undefined when it holds no object with a uid. */
export function answeredObject(body: Uint8Array): AnsweredObject | undefined {
  try {
    const message = messageInEnvelope(body);
    const object = message === undefined ? JSON.parse(utf8.decode(body)) : metadataIn(message);
    const isObject = isFields(object) && object.kind !== "Status" && textAt(object, "metadata", "uid") !== "";
    return isObject ? { object, isWhole: message === undefined } : undefined;
  } catch {
    return undefined;
  }
}

/** Kinds whose `scale` is their `spec.replicas`; of a custom resource its definition says which field it is. */
const SCALED = new Set([
  "apps/deployments",
  "apps/replicasets",
  "apps/statefulsets",
  "/replicationcontrollers",
]);

/** The object that a scale left; undefined where its answer does not tell. */
export function scaledObject(
  found: { readonly info: { readonly group: string; readonly resource: string } } | undefined,
  before: ObjectFields | undefined,
  scale: AnsweredObject | undefined,
): AnsweredObject | undefined {
  const { group, resource } = found?.info ?? { group: "", resource: "" };
  const replicas = valueAt(scale?.object, "spec", "replicas") ?? 0;
  const [metadata, spec] = [before?.metadata, before?.spec];
  if (scale?.isWhole !== true || scale.object.kind !== "Scale" || typeof replicas !== "number")
    return undefined;
  if (!SCALED.has(`${group}/${resource}`) || !isFields(metadata) || !isFields(spec)) return undefined;
  if (textAt(before, "metadata", "uid") !== textAt(scale.object, "metadata", "uid")) return undefined;
  const resourceVersion = textAt(scale.object, "metadata", "resourceVersion");
  const object = { ...before, metadata: { ...metadata, resourceVersion }, spec: { ...spec, replicas } };
  return { object, isWhole: true };
}

/** Metadata is the first field of every kind. */
function metadataIn(message: Uint8Array): ObjectFields {
  const fields = readProtobufFields(message, { left: FIELDS_MAX }) ?? [];
  const bytes = fields.find(({ number }) => number === 1)?.bytes;
  const metadata = (bytes && readProtobufFields(bytes, { left: FIELDS_MAX })) ?? [];
  const named = metadata.flatMap((field) => {
    const name = METADATA.get(field.number);
    return name === undefined || field.bytes === undefined ? [] : [[name, utf8.decode(field.bytes)] as const];
  });
  return { metadata: Object.fromEntries(named) };
}
