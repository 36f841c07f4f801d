// A write in one sentence for anyone who decides: the scaled, restarted, cordoned or labelled
// object, or else the number of changed fields. Goes by the real differences, not by the client's
// words.

import type { FieldChange } from "./diff.ts";

/** The write and its object. */
export interface Written {
  readonly action: "create" | "update" | "patch" | "apply";
  /** `deployment 'api' in payments` */
  readonly what: string;
  /** Whether the object exists already. */
  readonly exists: boolean;
}

const RESTARTED = 'spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]';

/** The sentence, without a full stop. */
export function sentenceOf({ what, exists }: Written, changes: readonly FieldChange[], more: number): string {
  if (!exists) return `creates ${what}`;
  const [first, ...others] = changes;
  if (first === undefined) return `changes nothing in ${what}`;
  if (others.length === 0 && more === 0) {
    if (first.path === "spec.replicas")
      return `scales ${what} from ${first.before ?? "1"} to ${first.after ?? "1"}`;
    if (first.path === RESTARTED) return `restarts ${what}: each of its Pods is replaced`;
    if (first.path === "spec.unschedulable")
      return first.after === "true"
        ? `cordons ${what}: no new Pods are put there`
        : `uncordons ${what}: new Pods may be put there again`;
  }
  if (more === 0 && changes.every(({ path }) => path.startsWith("metadata.labels"))) return `labels ${what}`;
  if (more === 0 && changes.every(({ path }) => path.startsWith("metadata.annotations")))
    return `annotates ${what}`;
  const count = changes.length + more;
  const replaces = changes.some(({ path }) => path.startsWith("spec.template."));
  const pods = replaces ? "; its Pods are replaced by new ones" : "";
  return `changes ${count} ${count === 1 ? "field" : "fields"} of ${what}${pods}`;
}
