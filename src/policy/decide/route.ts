// Which protocol, if any, inspects a destination. Overlapping entries are settled by the index: the
// most specific entry wins, ties go to the block that comes first in the file.

import type { Protocol } from "../../model/protocol.ts";
import type { Policy } from "../policy.ts";

/** The route of a destination that is inspected. */
export interface Route {
  readonly protocol: Protocol;
  /** The inspect entry as written. */
  readonly entry: string;
  /** Comparable between routes: higher is more specific. */
  readonly specificity: number;
  /** Whether the entry is `*` or equals it: it matches every address that any name resolves to. */
  readonly isCatchAll: boolean;
}

/** The route of a destination by name or address, by policy.yaml or else the central policy; undefined when nothing inspects it. */
export function routeOf(
  policy: Policy,
  destination: { readonly host: string; readonly port: number },
): Route | undefined {
  const { central } = policy;
  return ownRoute(policy, destination) ?? (central && ownRoute(central.policy, destination));
}

/** The route by this policy alone. */
export function ownRoute(
  policy: Policy,
  destination: { readonly host: string; readonly port: number },
): Route | undefined {
  const found = policy.inspected.lookup(destination.host, destination.port);
  if (found === undefined) return undefined;
  const { text, specificity, isCatchAll } = found.entry;
  return { protocol: found.value.protocol, entry: text, specificity, isCatchAll };
}
