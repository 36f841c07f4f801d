// Tells a client that left at once, without having said a word: after a TLS handshake that
// means that it did not like the certificate.

import type { Channel } from "./channel.ts";

/** Pools that connect in advance and change their mind take longer. */
const AT_ONCE_MS = 1_000;

/** Calls back when the peer ends soon after now and has sent nothing. */
export function onSilentEnd(channel: Channel, told: () => void): void {
  const started = performance.now();
  channel.onOver(() => {
    if (!channel.hasReceived && performance.now() - started < AT_ONCE_MS) told();
  });
}
