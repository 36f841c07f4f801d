// An object without what differs from one answer of the API server to the next though nothing was
// changed: versions, stamps, field managers, status, allocated addresses, random suffixes. Two
// objects that are equal after this mean the same to anyone who wrote them.

/** A JSON object. */
export type ObjectFields = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object. */
export function isFields(value: unknown): value is ObjectFields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path of member names; undefined where the path ends early. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const name of path) {
    if (!isFields(at) || !Object.hasOwn(at, name)) return undefined;
    at = at[name];
  }
  return at;
}

/** The text at a path; "" where there is none. */
export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = valueAt(value, ...path);
  return typeof found === "string" ? found : "";
}

/** Metadata that the server sets by itself. */
const SERVER_SET: ReadonlySet<string> = new Set([
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "selfLink",
  "uid",
]);

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Facts about the request that change a comparison. */
export interface NormaliseOptions {
  /** The request writes the status, so the status counts. */
  readonly keepsStatus?: boolean;
  /** The object does not exist yet: its name and addresses may be other ones when it is really made. */
  readonly isNew?: boolean;
}

/** The object without the server's own noise. */
export function normalise(
  object: unknown,
  { keepsStatus = false, isNew = false }: NormaliseOptions = {},
): ObjectFields {
  if (!isFields(object)) return {};
  const { status, metadata, spec, ...rest } = object;
  const normal: Record<string, unknown> = { ...rest };
  if (isFields(metadata)) normal.metadata = normalMetadata(metadata, isNew);
  if (spec !== undefined) normal.spec = isFields(spec) ? normalSpec(spec, isNew) : spec;
  if (keepsStatus && status !== undefined) normal.status = status;
  return normal;
}

function normalMetadata(metadata: ObjectFields, isNew: boolean): ObjectFields {
  const kept = Object.entries(metadata).filter(([name]) => !SERVER_SET.has(name));
  const normal: Record<string, unknown> = Object.fromEntries(kept);
  if (isNew && typeof normal.generateName === "string") delete normal.name;
  if (!isFields(normal.annotations)) return normal;
  const annotations = Object.entries(normal.annotations).filter(([name]) => name !== LAST_APPLIED);
  if (annotations.length === 0) delete normal.annotations;
  else normal.annotations = Object.fromEntries(annotations);
  return normal;
}

/** Given out at creation: a dry run may be given others than the real one. */
const ALLOCATED: ReadonlySet<string> = new Set(["clusterIP", "clusterIPs", "healthCheckNodePort"]);

function normalSpec(spec: ObjectFields, isNew: boolean): ObjectFields {
  const pods = withoutRandomVolumes(spec);
  if (!isNew) return pods;
  const kept = Object.entries(pods).filter(([name]) => !ALLOCATED.has(name));
  return Object.fromEntries(
    kept.map(([name, value]) => [
      name,
      name === "ports" && Array.isArray(value) ? value.map(withoutNodePort) : value,
    ]),
  );
}

function withoutNodePort(port: unknown): unknown {
  if (!isFields(port)) return port;
  const { nodePort: _, ...rest } = port;
  return rest;
}

/** The admission of service accounts gives each Pod a volume with a random name. */
const TOKEN_VOLUME = /^kube-api-access-[a-z0-9]{5}$/;

function withoutRandomVolumes(spec: ObjectFields): ObjectFields {
  const { volumes, containers } = spec;
  if (!Array.isArray(volumes) || !volumes.some((each) => TOKEN_VOLUME.test(textAt(each, "name"))))
    return spec;
  const renamed = (each: unknown) =>
    isFields(each) && TOKEN_VOLUME.test(textAt(each, "name")) ? { ...each, name: "kube-api-access" } : each;
  const mounts = (each: unknown) =>
    isFields(each) && Array.isArray(each.volumeMounts)
      ? { ...each, volumeMounts: each.volumeMounts.map(renamed) }
      : each;
  return {
    ...spec,
    volumes: volumes.map(renamed),
    ...(Array.isArray(containers) ? { containers: containers.map(mounts) } : {}),
  };
}

/** The same text for values that are equal, whatever the order of their members. */
export function comparableJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isFields(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}
