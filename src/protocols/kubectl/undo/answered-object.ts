// The object that the answer to a change holds: whole where it is JSON, and of protobuf, which
// typed clients ask for (kubectl create does), the metadata by which it is known. Anything else is
// no object.

import { messageInEnvelope, readProtobufFields } from "../body/protobuf-fields.ts";
import { isFields, type ObjectFields, textAt } from "../effect/normalise.ts";

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
