// Kubernetes' protobuf, which kubectl and controllers use for its own types. Holds the field
// numbers of the members by which a Pod takes its node, after generated.proto of k8s.io/api (core,
// apps, batch; v1 and the betas agree). Fields without a line here are skipped; custom resources
// have no protobuf.

import {
  type FieldBudget,
  messageInEnvelope,
  type ProtobufField,
  readProtobufFields,
} from "./protobuf-fields.ts";
import { type BodyTree, MAX_DEPTH, MAX_NODES, type TreeReading } from "./tree.ts";

type FieldType = "bool" | "int" | "string" | "entries" | (() => Schema);

/** Field numbers to the member's name and type. A name that is empty: its members belong to the message around it. */
type Schema = ReadonlyMap<number, readonly [name: string, type: FieldType]>;

type Line = readonly [number, string, FieldType];

function schema(...lines: readonly Line[]): Schema {
  return new Map(lines.map(([number, name, type]) => [number, [name, type]]));
}

const META = schema([1, "name", "string"], [3, "namespace", "string"], [12, "annotations", "entries"]);
const PROFILE = schema([1, "type", "string"]);
const SE_LINUX = schema([1, "user", "string"], [2, "role", "string"], [3, "type", "string"]);
const WINDOWS = schema([4, "hostProcess", "bool"]);
const CAPABILITIES = schema([1, "add", "string"]);
const HANDLER = schema(
  [2, "httpGet", () => schema([3, "host", "string"])],
  [3, "tcpSocket", () => schema([2, "host", "string"])],
);
const PROBE = schema([1, "", () => HANDLER]);
const LIFECYCLE = schema([1, "postStart", () => HANDLER], [2, "preStop", () => HANDLER]);
const SECURITY_CONTEXT = schema(
  [1, "capabilities", () => CAPABILITIES],
  [2, "privileged", "bool"],
  [3, "seLinuxOptions", () => SE_LINUX],
  [9, "procMount", "string"],
  [10, "windowsOptions", () => WINDOWS],
  [11, "seccompProfile", () => PROFILE],
  [12, "appArmorProfile", () => PROFILE],
);
const CONTAINER = schema(
  [6, "ports", () => schema([2, "hostPort", "int"])],
  [9, "volumeMounts", () => schema([1, "name", "string"], [2, "readOnly", "bool"])],
  [10, "livenessProbe", () => PROBE],
  [11, "readinessProbe", () => PROBE],
  [12, "lifecycle", () => LIFECYCLE],
  [15, "securityContext", () => SECURITY_CONTEXT],
  [22, "startupProbe", () => PROBE],
);
const HOST_PATH = schema([1, "path", "string"], [2, "type", "string"]);
const VOLUME = schema([1, "name", "string"], [2, "", () => schema([1, "hostPath", () => HOST_PATH])]);
const POD_SECURITY_CONTEXT = schema(
  [1, "seLinuxOptions", () => SE_LINUX],
  [7, "sysctls", () => schema([1, "name", "string"])],
  [8, "windowsOptions", () => WINDOWS],
  [10, "seccompProfile", () => PROFILE],
  [11, "appArmorProfile", () => PROFILE],
);
const POD_SPEC = schema(
  [1, "volumes", () => VOLUME],
  [2, "containers", () => CONTAINER],
  [11, "hostNetwork", "bool"],
  [12, "hostPID", "bool"],
  [13, "hostIPC", "bool"],
  [14, "securityContext", () => POD_SECURITY_CONTEXT],
  [20, "initContainers", () => CONTAINER],
  [34, "ephemeralContainers", () => schema([1, "", () => CONTAINER])],
);
const POD = schema([1, "metadata", () => META], [2, "spec", () => POD_SPEC]);
const JOB_SPEC = schema([6, "template", () => POD]);
const JOB = schema([1, "metadata", () => META], [2, "spec", () => JOB_SPEC]);

/** An object whose specification holds the template in this field. */
function workload(field: number): Schema {
  return schema([1, "metadata", () => META], [2, "spec", () => schema([field, "template", () => POD])]);
}

const RESOURCES: ReadonlyMap<string, Schema> = new Map([
  ["pods", POD],
  ["podtemplates", schema([1, "metadata", () => META], [2, "template", () => POD])],
  ["replicationcontrollers", workload(3)],
  ["deployments", workload(3)],
  ["replicasets", workload(3)],
  ["statefulsets", workload(3)],
  ["daemonsets", workload(2)],
  ["jobs", JOB],
  ["cronjobs", schema([1, "metadata", () => META], [2, "spec", () => schema([5, "jobTemplate", () => JOB])])],
  ["configmaps", schema([1, "metadata", () => META])],
  ["secrets", schema([1, "metadata", () => META], [3, "type", "string"])],
]);

/** Reads the body of a write on a built-in resource, as far as the judge looks at it. */
export function readProtobuf(bytes: Uint8Array, resource: string): TreeReading {
  const known = RESOURCES.get(resource);
  if (known === undefined) return { problem: `protobuf of ${resource} is not read` };
  const message = messageInEnvelope(bytes);
  const tree = message === undefined ? undefined : readMessage(message, known, { left: MAX_NODES, depth: 0 });
  return tree === undefined ? { problem: "the body is not Kubernetes' protobuf" } : { trees: [tree] };
}

/** Kind and name of an object, for people: `ConfigMap limits`. Undefined when the body tells neither for certain. */
export function objectInProtobuf(bytes: Uint8Array): string | undefined {
  const message = messageInEnvelope(bytes);
  const metadata = message === undefined ? undefined : fieldIn(message, 1);
  const type = fieldIn(bytes.subarray(4), 1);
  if (metadata === undefined || type === undefined) return undefined;
  const [kind, name, prefix] = [fieldIn(type, 2), fieldIn(metadata, 1), fieldIn(metadata, 2)].map((field) =>
    field === undefined ? "" : utf8.decode(field),
  );
  if (!/^[A-Za-z]{1,63}$/.test(kind ?? "")) return undefined;
  const called = name !== "" ? name : `${prefix}…`;
  return /^[\w.:-]{1,253}…?$/.test(called ?? "") ? `${kind} ${called}` : undefined;
}

/** The last of a message's fields with this number, which is the one that counts. */
function fieldIn(message: Uint8Array, number: number): Uint8Array | undefined {
  return readProtobufFields(message)?.findLast((field) => field.number === number)?.bytes;
}

const utf8 = new TextDecoder("utf-8");

/** The remaining budget, and the depth of the message. */
interface Reading extends FieldBudget {
  depth: number;
}

type Members = Record<string, BodyTree[]>;

function readMessage(bytes: Uint8Array, known: Schema, reading: Reading): Members | undefined {
  const members: Members = Object.create(null);
  return fillMessage(members, bytes, known, reading) ? members : undefined;
}

/** Adds every value to its member's list; false when the message is malformed. */
function fillMessage(members: Members, bytes: Uint8Array, known: Schema, reading: Reading): boolean {
  const fields = reading.depth > MAX_DEPTH ? undefined : readProtobufFields(bytes, reading);
  if (fields === undefined) return false;
  reading.depth++;
  for (const field of fields) {
    const line = known.get(field.number);
    if (line === undefined) continue;
    const [name, type] = line;
    if (typeof type === "function" && name === "") {
      if (field.bytes === undefined || !fillMessage(members, field.bytes, type(), reading)) return false;
      continue;
    }
    const value = readValue(field, type, reading);
    if (value === undefined) return false;
    const values = members[name];
    if (values === undefined) members[name] = [value];
    else values.push(value);
  }
  reading.depth--;
  return true;
}

function readValue(
  { varint, bytes }: ProtobufField,
  type: FieldType,
  reading: Reading,
): BodyTree | undefined {
  if (type === "bool") return varint === undefined ? undefined : varint !== 0;
  if (type === "int") return varint;
  if (bytes === undefined) return undefined;
  if (type === "string") return utf8.decode(bytes);
  return type === "entries" ? readEntry(bytes, reading) : readMessage(bytes, type(), reading);
}

/** A map is a list of messages, name in field 1 and value in field 2. */
function readEntry(bytes: Uint8Array, reading: Reading): BodyTree | undefined {
  const fields = readProtobufFields(bytes, reading);
  if (fields === undefined) return undefined;
  const textOf = (number: number) =>
    utf8.decode(fields.findLast((field) => field.number === number)?.bytes ?? new Uint8Array());
  const entry: Record<string, BodyTree> = Object.create(null);
  entry[textOf(1)] = textOf(2);
  return entry;
}
