// Whether one inspect entry already takes in all that another one names. For telling a person that
// an entry would change nothing; when it is not certain (a glob within a glob) the answer is no.

import type { InspectEntry } from "./inspect-entry.ts";
import { InspectIndex, networkKey } from "./inspect-index.ts";

/** Whether every destination that `inner` matches is surely matched by `outer` too. */
export function entryCovers(outer: InspectEntry, inner: InspectEntry): boolean {
  if (outer.port !== undefined && outer.port !== inner.port) return false;
  if (outer.kind === "any" || outer.host === inner.host) return true;
  if (inner.kind === "host" || inner.kind === "address")
    return (
      new InspectIndex([{ entry: outer, value: 0 }]).lookup(inner.host, inner.port ?? outer.port ?? 443) !==
      undefined
    );
  if (inner.kind === "suffix") return outer.kind === "suffix" && inner.host.endsWith(outer.host);
  const [outside, inside] = [outer.network, inner.network];
  if (outside === undefined || inside === undefined || outside.family !== inside.family) return false;
  return (
    outside.prefix <= inside.prefix &&
    networkKey(outside, outside.prefix) === networkKey(inside, outside.prefix)
  );
}

/** Whether two entries are the same but for spelling. */
export function isSameEntry(a: InspectEntry, b: InspectEntry): boolean {
  return a.host === b.host && a.port === b.port;
}
