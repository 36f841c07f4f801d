// Closing a connection so that its peer understands the end: a peer that may still be sending gets
// no reset, which can overtake the reply that explains why; and a message that was cut off does not
// look complete.

import type { Channel } from "./channel.ts";

const MAX_BYTES = 16 * 1024 * 1024;
const MAX_MS = 5_000;

/** Half-closes, then drops the peer's further octets until it is done or a bound is reached. */
export async function lingeringClose(channel: Channel): Promise<void> {
  channel.end();
  let left = MAX_BYTES - channel.read().length;
  const timer = setTimeout(() => channel.destroy(), MAX_MS);
  while (left > 0 && (await channel.readable())) left -= channel.read().length;
  clearTimeout(timer);
}

/** Ends a connection as a server does that dies: once all is sent, which has a bound too, and without TLS's goodbye. */
export async function hangUp(channel: Channel): Promise<void> {
  const timer = setTimeout(() => channel.destroy(), MAX_MS);
  if (!channel.stream.hasSentAll) await channel.flushed();
  clearTimeout(timer);
  channel.stream.hangUp();
}
