// The reply of `approvals_effect`: the effect of a held request, as far as a dry run and reads can
// tell it.

import { list, map, number, object, optional, text, type Value, words } from "./schema.ts";

/** One field that differs. */
export const effectChange = object({
  sign: words(["+", "-", "~"]),
  path: text("`spec.containers[app].image`"),
  before: optional(text("JSON, secrets masked")),
  after: optional(text("JSON, secrets masked")),
});

const removed = object({
  kind: text(),
  namespace: optional(text()),
  name: text(),
});

/** The effect of one held request. Strings come from the cluster and must be escaped before they are printed. */
export const effectReport = object({
  state: words(["shown", "none"]),
  about: text("the effect in a sentence; or why nothing can be shown"),
  changes: optional(list(effectChange, "fields that differ, nearest to the root first")),
  more_changes: optional(number("how many more fields differ")),
  removed: optional(list(removed, "the deleted objects, the named one first; at most 200")),
  removed_total: optional(number("how many objects are deleted in all, as far as they are known")),
  removed_kinds: optional(map(number(), "how many of each kind")),
  incomplete: optional(text("why there may be more than is listed; absent when all was looked at")),
  notes: optional(list(text(), "further facts for a person")),
  held_to: optional(
    text("the things that are compared again before the request goes; absent when nothing is"),
  ),
});
/** The effect of one held request. */
export type EffectReport = Value<typeof effectReport>;
/** One field that differs. */
export type EffectChange = Value<typeof effectChange>;
/** One object that is deleted. */
export type RemovedObject = Value<typeof removed>;
