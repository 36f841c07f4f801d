// Compares which hosts two policies intercept, and by whose rules. A host that is no longer
// inspected passes unread, and a host that another protocol judges gets other rules: both count as
// wider.

import { entryCovers, isSameEntry } from "../../match/entry-covers.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { ListedEntry, Policy } from "../policy.ts";

/** A change to the inspect lists; `entry` is as typed. */
export interface RouteChange {
  readonly entry: string;
  readonly from: Protocol | "splice";
  readonly to: Protocol | "splice";
  readonly effect: "wider" | "narrower" | "other rules";
}

/** Every entry that is gone, new, or under another protocol. */
export function diffInspect(before: Policy, after: Policy): readonly RouteChange[] {
  const [was, is] = [entriesOf(before), entriesOf(after)];
  const changes: RouteChange[] = [];
  for (const listed of was) {
    const same = is.find(({ entry }) => isSameEntry(entry, listed.entry));
    if (same?.protocol === listed.protocol) continue;
    const cover = same ?? is.find(({ entry }) => entryCovers(entry, listed.entry));
    if (cover?.protocol === listed.protocol && !is.some((other) => isBetween(other, listed, cover))) continue;
    const to = cover?.protocol ?? "splice";
    changes.push({
      entry: listed.entry.text,
      from: listed.protocol,
      to,
      effect: cover === undefined ? "wider" : "other rules",
    });
  }
  for (const listed of is) {
    if (was.some(({ entry }) => isSameEntry(entry, listed.entry))) continue;
    const cover = was.find(({ entry }) => entryCovers(entry, listed.entry));
    const overlapped = cover ?? was.find(({ entry }) => entryCovers(listed.entry, entry));
    if (cover?.protocol === listed.protocol) continue;
    if (cover === undefined)
      changes.push({
        entry: listed.entry.text,
        from: "splice",
        to: listed.protocol,
        effect:
          overlapped === undefined || overlapped.protocol === listed.protocol ? "narrower" : "other rules",
      });
    else
      changes.push({
        entry: listed.entry.text,
        from: cover.protocol,
        to: listed.protocol,
        effect: "other rules",
      });
  }
  return changes;
}

/** Whether an entry of another protocol takes hosts away between a narrow entry and the wider one that replaces it. */
function isBetween(other: ListedEntry, narrow: ListedEntry, wide: ListedEntry): boolean {
  return (
    other !== wide &&
    other.protocol !== wide.protocol &&
    (entryCovers(narrow.entry, other.entry) || entryCovers(other.entry, narrow.entry)) &&
    other.entry.specificity > wide.entry.specificity
  );
}

function entriesOf(policy: Policy): readonly ListedEntry[] {
  return [...policy.blocks.values()].flatMap(({ inspect }) => inspect);
}
