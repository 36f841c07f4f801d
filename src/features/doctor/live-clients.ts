// The clients that `doctor --live` tries: those that the protocols bring.

import type { Protocol } from "../../model/protocol.ts";
import type { LiveClient } from "../../protocols/live-client.ts";
import { CLASSIFIERS } from "../../protocols/registry.ts";

/** A client with the protocol whose classifier reads its requests. */
export type TriedClient = LiveClient & { readonly protocol: Protocol };

/** Every client that is tried, in the order in which they are shown. */
export const LIVE_CLIENTS: readonly TriedClient[] = CLASSIFIERS.flatMap(({ protocol, liveClients = [] }) =>
  liveClients.map((client) => ({ protocol, ...client })),
);
