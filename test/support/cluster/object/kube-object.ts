// Kubernetes objects as loosely as the stand-in needs them, and reading by dotted path.

/** Any object that the API stores or returns. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  [field: string]: unknown;
}

/** The part of every object that the API server itself manages. */
export interface Metadata {
  name: string;
  namespace?: string;
  generateName?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: { uid: string; kind: string; name: string; [field: string]: unknown }[];
  managedFields?: unknown[];
  [field: string]: unknown;
}

/** A JSON object of unknown shape. */
export type Fields = Record<string, unknown>;

/** Whether a value is a JSON object (not null, not an array). */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a dotted path, or undefined. Numbers index arrays. */
export function valueAt(object: unknown, path: string): unknown {
  let at: unknown = object;
  for (const key of path.split(".")) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as Fields)[key];
  }
  return at;
}

/** The array at a dotted path; empty when there is none. */
export function listAt(object: unknown, path: string): Fields[] {
  const value = valueAt(object, path);
  return Array.isArray(value) ? value.filter(isFields) : [];
}

/** The string at a dotted path, or the fallback. */
export function textAt(object: unknown, path: string, fallback = ""): string {
  const value = valueAt(object, path);
  return typeof value === "string" || typeof value === "number" ? String(value) : fallback;
}

/** A deep copy. */
export function copy<T>(value: T): T {
  return structuredClone(value);
}
