// Closing a connection whose peer may still be sending: closing at once would make the
// kernel answer with a reset, which can overtake the reply that explains why.

import type { Channel } from "./channel.ts";

const MAX_BYTES = 16 * 1024 * 1024;
const MAX_MS = 5_000;

/** Half-closes, then drops what the peer still sends until it is done or a bound is reached. */
export async function lingeringClose(channel: Channel): Promise<void> {
  channel.end();
  let left = MAX_BYTES - channel.read().length;
  const timer = setTimeout(() => channel.destroy(), MAX_MS);
  while (left > 0 && (await channel.readable())) left -= channel.read().length;
  clearTimeout(timer);
}
