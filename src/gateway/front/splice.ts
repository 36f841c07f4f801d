// A splice: the client's bytes to the upstream and back, untouched, for as long as there is
// a reason not to open the connection. Owns its audit row and its end.

import type { ClientOwner } from "../request/client-owner.ts";
import type { Gateway } from "../request/context.ts";
import type { Destination } from "../request/inspection/inspection.ts";
import type { Channel } from "../stream/channel.ts";
import { relay } from "../stream/relay.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { recordSplice, recordUnreached } from "./record-splice.ts";
import { type SpliceReason, spliceReason } from "./splice-reason.ts";

/** The client's side of a splice. */
export interface SplicedClient {
  readonly channel: Channel;
  readonly owner: ClientOwner;
}

/** Joins client and upstream until both are done, or until there is no reason for it any more. */
export async function splice(
  gateway: Gateway,
  { channel, owner }: SplicedClient,
  upstream: Channel,
  destination: Destination,
  reason: SpliceReason,
): Promise<void> {
  recordSplice(gateway, owner, destination, reason);
  const close = () => {
    channel.destroy();
    upstream.destroy();
  };
  const isStillRight = () => spliceReason(gateway, destination) !== undefined;
  const done = gateway.splices.track({ isStillRight, close });
  await relay(channel, upstream).finally(done);
}

/** The same where the upstream is not dialled yet. When it cannot be, the tunnel just ends: it was promised already. */
export async function dialAndSplice(
  gateway: Gateway,
  client: SplicedClient,
  destination: Destination,
  reason: SpliceReason,
): Promise<void> {
  let upstream: Channel;
  try {
    upstream = await gateway.dialler.tcp({ ...destination, payer: client.owner });
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    recordUnreached(gateway, client.owner, destination, error);
    gateway.log.warn("upstream failed", { host: destination.host, reason: error.message });
    return;
  }
  try {
    await splice(gateway, client, upstream, destination, reason);
  } finally {
    upstream.destroy();
  }
}
