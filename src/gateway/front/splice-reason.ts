// Whether a connection is spliced, and why. One function, asked at the CONNECT, again when the SNI
// is known, and again for every open splice after something changed. A connection without such a
// reason is intercepted.

import type { Pin } from "../../state/tables/pins.ts";
import type { Suspect } from "../../state/tables/suspects.ts";
import type { Gateway } from "../request/context.ts";
import type { Destination } from "../request/inspection/inspection.ts";

/** Why a connection is not opened. */
export type SpliceReason =
  | { readonly kind: "uninspected" }
  | { readonly kind: "pinned"; readonly pin: Pin }
  | { readonly kind: "suspected"; readonly suspect: Suspect };

/** The reason to splice, or undefined: intercept. */
export function spliceReason(
  gateway: Pick<Gateway, "inspection" | "pins" | "detector">,
  destination: Destination,
): SpliceReason | undefined {
  const pin = gateway.pins.find(destination.host, destination.port);
  const isBound = gateway.inspection.isBound(destination);
  if (pin && !isBound && !hidesAnother(gateway, destination)) return { kind: "pinned", pin };
  const protocols = gateway.inspection.protocolsOf(destination);
  if (protocols.length === 0) return { kind: "uninspected" };
  if (isBound) return undefined;
  const suspect = gateway.detector.passing(destination, protocols);
  return suspect && { kind: "suspected", suspect };
}

/** A pin is for one name: TLS to another name that is inspected does not pass under it. */
function hidesAnother({ inspection }: Pick<Gateway, "inspection">, destination: Destination): boolean {
  const { host, port, serverName } = destination;
  return serverName !== undefined && serverName !== host && inspection.inspectsName(serverName, port);
}
