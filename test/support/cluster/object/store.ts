// The object store: keys, resource versions, the event log that watches read, finalizers and
// owners. It knows nothing of HTTP; admission (defaults, validation) happens before objects come
// here.

import { alreadyExists, conflict, notFound } from "../api-error.ts";
import { copy, type KubeObject } from "./kube-object.ts";
import { RESOURCES, type Resource } from "./resources.ts";

/** A change, as watches see it. */
export interface StoreEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly resource: Resource;
  readonly object: KubeObject;
  readonly version: number;
}

/** The fate of dependents, as in DeleteOptions. */
export type Propagation = "Background" | "Foreground" | "Orphan";

/** All objects of one cluster. */
export class ObjectStore {
  readonly #objects = new Map<Resource, Map<string, KubeObject>>();
  readonly #events: StoreEvent[] = [];
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  #version = 1000;

  /** The newest resource version. */
  get version(): number {
    return this.#version;
  }

  get(resource: Resource, namespace: string | undefined, name: string): KubeObject | undefined {
    const found = this.#objects.get(resource)?.get(keyOf(namespace, name));
    return found === undefined ? undefined : copy(found);
  }

  /** Objects in one namespace, or in all when it is undefined, ordered by namespace and name. */
  list(resource: Resource, namespace: string | undefined): KubeObject[] {
    return this.look(resource, namespace).map(copy);
  }

  /** The same without copies, for those who only look: a page of thousands. */
  look(resource: Resource, namespace: string | undefined): readonly KubeObject[] {
    const objects = [...(this.#objects.get(resource)?.values() ?? [])];
    return objects
      .filter((object) => namespace === undefined || object.metadata.namespace === namespace)
      .sort((a, b) => (keyOfObject(a) < keyOfObject(b) ? -1 : 1));
  }

  /** Stores a new object; with `dryRun` only gives what would have been stored. */
  create(resource: Resource, object: KubeObject, dryRun = false): KubeObject {
    const key = keyOfObject(object);
    const table = this.#table(resource);
    if (table.has(key)) throw alreadyExists(resource, object.metadata.name);
    const stored = copy(object);
    stored.metadata.uid = crypto.randomUUID();
    stored.metadata.creationTimestamp = timestamp();
    if ("spec" in stored) stored.metadata.generation = 1;
    return dryRun ? stored : this.#put(resource, "ADDED", stored);
  }

  /** Replaces an object; a resourceVersion that is not the stored one is a conflict. Unchanged writes are no event. */
  update(resource: Resource, object: KubeObject, dryRun = false): KubeObject {
    const current = this.#table(resource).get(keyOfObject(object));
    if (current === undefined) throw notFound(resource, object.metadata.name);
    const { resourceVersion } = object.metadata;
    if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion)
      throw conflict(resource, object.metadata.name);
    const next = copy(object);
    for (const field of ["uid", "creationTimestamp", "generation", "deletionTimestamp"] as const) {
      if (current.metadata[field] === undefined) delete next.metadata[field];
      else Object.assign(next.metadata, { [field]: current.metadata[field] });
    }
    next.metadata.resourceVersion = current.metadata.resourceVersion as string;
    if (JSON.stringify(next) === JSON.stringify(current)) return copy(current);
    if (current.metadata.generation !== undefined && !sameJson(next.spec, current.spec))
      next.metadata.generation = current.metadata.generation + 1;
    if (dryRun) return next;
    if (next.metadata.deletionTimestamp !== undefined && (next.metadata.finalizers ?? []).length === 0)
      return this.#remove(resource, next);
    return this.#put(resource, "MODIFIED", next);
  }

  /** Deletes, or only marks as deleted while finalizers remain. Gives the object's last state. */
  delete(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    propagation: Propagation,
  ): KubeObject {
    const current = this.get(resource, namespace, name);
    if (current === undefined) throw notFound(resource, name);
    if ((current.metadata.finalizers ?? []).length > 0) {
      current.metadata.deletionTimestamp ??= timestamp();
      return this.#put(resource, "MODIFIED", current);
    }
    const removed = this.#remove(resource, current);
    if (propagation !== "Orphan") this.#collect(removed, propagation);
    if (resource.plural === "namespaces") this.#empty(name);
    return removed;
  }

  /** Events after a resource version, then each new one as it happens, until the returned function is called. */
  watch(after: number, listener: (event: StoreEvent) => void): () => void {
    for (const event of this.#events) if (event.version > after) listener(event);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #table(resource: Resource): Map<string, KubeObject> {
    let table = this.#objects.get(resource);
    if (table === undefined) {
      table = new Map();
      this.#objects.set(resource, table);
    }
    return table;
  }

  #put(resource: Resource, type: StoreEvent["type"], object: KubeObject): KubeObject {
    this.#version += 1;
    object.metadata.resourceVersion = String(this.#version);
    this.#table(resource).set(keyOfObject(object), object);
    this.#publish({ type, resource, object: copy(object), version: this.#version });
    return copy(object);
  }

  #remove(resource: Resource, object: KubeObject): KubeObject {
    this.#version += 1;
    this.#table(resource).delete(keyOfObject(object));
    object.metadata.resourceVersion = String(this.#version);
    this.#publish({ type: "DELETED", resource, object: copy(object), version: this.#version });
    return object;
  }

  #publish(event: StoreEvent): void {
    this.#events.push(event);
    for (const listener of [...this.#listeners]) listener(event);
  }

  #collect(owner: KubeObject, propagation: Propagation): void {
    for (const [resource, table] of this.#objects)
      for (const object of [...table.values()])
        if (object.metadata.ownerReferences?.some((reference) => reference.uid === owner.metadata.uid))
          this.delete(resource, object.metadata.namespace, object.metadata.name, propagation);
  }

  #empty(namespace: string): void {
    for (const resource of RESOURCES)
      for (const object of this.list(resource, namespace)) this.#remove(resource, object);
  }
}

/** The time as metadata fields write it. */
export function timestamp(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

/** Whether two values have the same JSON, key order included. */
export function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ""}/${name}`;
}

function keyOfObject(object: KubeObject): string {
  return keyOf(object.metadata.namespace, object.metadata.name);
}
