// Request bodies in application/vnd.kubernetes.protobuf, which kubectl's typed commands (create,
// auth can-i, drain) send. Read by a table of field numbers from the types' generated.proto; fields
// that it lacks are dropped. Answers are always JSON: clients go by the content type of the
// response.

import type { Fields } from "./object/kube-object.ts";

/**
 * Messages, one field each: `number name type`. Types: string, int, bool, bytes, map, bytesmap, time, intOrString or a
 * message of this table; a trailing `*` marks a repeated field.
 */
const MESSAGES: Readonly<Record<string, string>> = {
  Unknown: "1 typeMeta TypeMeta, 2 raw bytes",
  TypeMeta: "1 apiVersion string, 2 kind string",
  ObjectMeta:
    "1 name string, 2 generateName string, 3 namespace string, 5 uid string, 6 resourceVersion string, " +
    "11 labels map, 12 annotations map, 14 finalizers string*",
  SelfSubjectAccessReview: "1 metadata ObjectMeta, 2 spec AccessReviewSpec",
  AccessReviewSpec: "1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes",
  ResourceAttributes:
    "1 namespace string, 2 verb string, 3 group string, 4 version string, 5 resource string, 6 subresource string, " +
    "7 name string",
  NonResourceAttributes: "1 path string, 2 verb string",
  SelfSubjectRulesReview: "1 metadata ObjectMeta, 2 spec RulesReviewSpec",
  RulesReviewSpec: "1 namespace string",
  SelfSubjectReview: "1 metadata ObjectMeta",
  TokenRequest: "1 metadata ObjectMeta, 2 spec TokenRequestSpec",
  TokenRequestSpec: "1 audiences string*, 4 expirationSeconds int",
  DeleteOptions:
    "1 gracePeriodSeconds int, 2 preconditions Preconditions, 4 propagationPolicy string, 5 dryRun string*",
  Preconditions: "1 uid string, 2 resourceVersion string",
  Eviction: "1 metadata ObjectMeta, 2 deleteOptions DeleteOptions",
  Namespace: "1 metadata ObjectMeta",
  ConfigMap: "1 metadata ObjectMeta, 2 data map, 3 binaryData bytesmap, 4 immutable bool",
  Secret: "1 metadata ObjectMeta, 2 data bytesmap, 3 type string, 4 stringData map, 5 immutable bool",
  ServiceAccount: "1 metadata ObjectMeta",
  Service: "1 metadata ObjectMeta, 2 spec ServiceSpec",
  ServiceSpec:
    "1 ports ServicePort*, 2 selector map, 3 clusterIP string, 4 type string, 10 externalName string",
  ServicePort: "1 name string, 2 protocol string, 3 port int, 4 targetPort intOrString, 5 nodePort int",
  Deployment: "1 metadata ObjectMeta, 2 spec DeploymentSpec",
  DeploymentSpec: "1 replicas int, 2 selector LabelSelector, 3 template PodTemplateSpec",
  LabelSelector: "1 matchLabels map",
  PodTemplateSpec: "1 metadata ObjectMeta, 2 spec PodSpec",
  Pod: "1 metadata ObjectMeta, 2 spec PodSpec",
  PodSpec: "2 containers Container*, 3 restartPolicy string, 8 serviceAccountName string",
  Container:
    "1 name string, 2 image string, 3 command string*, 4 args string*, 5 workingDir string, 6 ports ContainerPort*, " +
    "7 env EnvVar*, 14 imagePullPolicy string",
  ContainerPort: "1 name string, 2 hostPort int, 3 containerPort int, 4 protocol string",
  EnvVar: "1 name string, 2 value string",
  Job: "1 metadata ObjectMeta, 2 spec JobSpec",
  JobSpec: "6 template PodTemplateSpec",
  Role: "1 metadata ObjectMeta, 2 rules PolicyRule*",
  ClusterRole: "1 metadata ObjectMeta, 2 rules PolicyRule*",
  PolicyRule:
    "1 verbs string*, 2 apiGroups string*, 3 resources string*, 4 resourceNames string*, 5 nonResourceURLs string*",
  RoleBinding: "1 metadata ObjectMeta, 2 subjects Subject*, 3 roleRef RoleRef",
  ClusterRoleBinding: "1 metadata ObjectMeta, 2 subjects Subject*, 3 roleRef RoleRef",
  Subject: "1 kind string, 2 apiGroup string, 3 name string, 4 namespace string",
  RoleRef: "1 apiGroup string, 2 kind string, 3 name string",
};

/** The object in a body that starts with `k8s\0`, or undefined when it is no such body or of no known kind. */
export function parseProtobuf(body: Uint8Array): Fields | undefined {
  if (Buffer.from(body.subarray(0, 4)).toString("latin1") !== "k8s\0") return undefined;
  const envelope = readMessage("Unknown", body.subarray(4));
  const { apiVersion, kind } = envelope.typeMeta as Fields;
  if (typeof kind !== "string" || MESSAGES[kind] === undefined) return undefined;
  const raw = Buffer.from(String(envelope.raw ?? ""), "base64");
  return { apiVersion, kind, ...readMessage(kind, raw) };
}

function readMessage(name: string, bytes: Uint8Array): Fields {
  const fields = new Map(
    (MESSAGES[name] ?? "").split(", ").map((field) => [Number(field.split(" ")[0]), field]),
  );
  const message: Fields = {};
  for (const [number, value] of wireFields(bytes)) {
    const [, key = "", type = ""] = (fields.get(number) ?? "").split(" ");
    if (key === "") continue;
    if (type.endsWith("*")) {
      const list = (message[key] ?? []) as unknown[];
      message[key] = [...list, readValue(type.slice(0, -1), value)];
    } else if (type === "map" || type === "bytesmap") {
      const entry = new Map(wireFields(value as Uint8Array));
      const member = readValue(type === "map" ? "string" : "bytes", entry.get(2) ?? new Uint8Array());
      message[key] = {
        ...(message[key] as Fields),
        [String(readValue("string", entry.get(1) ?? new Uint8Array()))]: member,
      };
    } else message[key] = readValue(type, value);
  }
  // Go writes empty strings of non-pointer fields too; JSON leaves them out.
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== ""));
}

function readValue(type: string, value: number | Uint8Array): unknown {
  if (typeof value === "number") return type === "bool" ? value !== 0 : value;
  if (type === "string") return Buffer.from(value).toString("utf8");
  if (type === "bytes") return Buffer.from(value).toString("base64");
  if (type !== "intOrString") return readMessage(type, value);
  const parts = new Map(wireFields(value));
  return parts.get(1) === 1 ? readValue("string", parts.get(3) ?? new Uint8Array()) : (parts.get(2) ?? 0);
}

/** Field numbers with their raw values, in order. */
function wireFields(bytes: Uint8Array): [number, number | Uint8Array][] {
  const fields: [number, number | Uint8Array][] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const wireType = tag & 7;
    if (wireType === 0) fields.push([tag >>> 3, varint()]);
    else if (wireType === 2) {
      const length = varint();
      fields.push([tag >>> 3, bytes.subarray(at, at + length)]);
      at += length;
    } else at += wireType === 1 ? 8 : 4;
  }
  return fields;
}
