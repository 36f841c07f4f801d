// Which inspect entries a policy had that its successor has not: hosts that are from now on passed
// unread. Pure.

import type { Policy } from "./policy.ts";

/** The inspect entries that only the policy before has, as `protocol: entry`, in its order. */
export function removedEntries(before: Policy, after: Policy): readonly string[] {
  return [...before.blocks].flatMap(([protocol, { inspect }]) => {
    const kept = new Set(after.blocks.get(protocol)?.inspect.map(({ entry }) => entry.text));
    return inspect
      .filter(({ entry }) => !kept.has(entry.text))
      .map(({ entry }) => `${protocol}: ${entry.text}`);
  });
}
