// Finds the objects that the garbage collector removes after an object, by ownerReferences: those
// with no owner left. Works on metadata alone. An owner in another namespace does not count, as for
// the API server.

import type { Kind } from "./discovery.ts";
import { isFields, textAt, valueAt } from "./normalise.ts";

/** An object as a metadata list tells it. */
export interface Member {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  /** Uids of its owners. */
  readonly owners: readonly string[];
  readonly hasFinalizers: boolean;
  /** One of its owners is the controller that would make it again. */
  readonly isControlled: boolean;
}

/** Reads one item of a metadata list; undefined when it has no uid. */
export function memberOf(kind: Kind, item: unknown): Member | undefined {
  const metadata = valueAt(item, "metadata");
  const uid = textAt(metadata, "uid");
  if (uid === "") return undefined;
  const references = valueAt(metadata, "ownerReferences");
  const owners = Array.isArray(references) ? references.filter(isFields) : [];
  const finalizers = valueAt(metadata, "finalizers");
  const namespace = textAt(metadata, "namespace");
  return {
    kind,
    namespace: namespace === "" ? undefined : namespace,
    name: textAt(metadata, "name"),
    uid,
    owners: owners.map((each) => textAt(each, "uid")).filter((each) => each !== ""),
    hasFinalizers: Array.isArray(finalizers) && finalizers.length > 0,
    isControlled: owners.some((each) => each.controller === true),
  };
}

/** The removed objects, nearest first, and the number of objects that stay because another owner of theirs stays. */
export interface Collected {
  readonly removed: readonly Member[];
  readonly keptByOthers: number;
}

/** Follows the owners from some roots; each object is looked at once. */
export function collect(roots: ReadonlySet<string>, members: readonly Member[]): Collected {
  const dependents = new Map<string, Member[]>();
  for (const member of members)
    for (const owner of member.owners) {
      const known = dependents.get(owner);
      if (known === undefined) dependents.set(owner, [member]);
      else known.push(member);
    }
  const gone = new Set(roots);
  const removed: Member[] = [];
  const kept = new Set<string>();
  const queue = [...roots];
  for (let at = 0; at < queue.length; at += 1)
    for (const member of dependents.get(queue[at] ?? "") ?? []) {
      if (gone.has(member.uid)) continue;
      if (!member.owners.every((owner) => gone.has(owner))) {
        kept.add(member.uid);
        continue;
      }
      kept.delete(member.uid);
      gone.add(member.uid);
      removed.push(member);
      queue.push(member.uid);
    }
  return { removed, keptByOthers: kept.size };
}
