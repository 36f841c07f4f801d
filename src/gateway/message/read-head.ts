// Reading one message head from a connection, whatever pieces it comes in. Owns the wait and its
// bounds; the codec knows the form of a head.

import type { ParseResult } from "../../wire/http1/parse-result.ts";
import type { Channel } from "../stream/channel.ts";

/** A head that breaks a rule; `status` goes to the client. */
export class HeadError extends Error {
  readonly status: number;
  constructor(status: number, reason: string) {
    super(reason);
    this.status = status;
  }
}

/** How long to wait: for the first byte, and from there for the whole head. Undefined: as long as it takes. */
export interface HeadPatience {
  readonly firstByteMs: number | undefined;
  readonly wholeMs: number | undefined;
}

/**
 * The next head, or undefined when the peer is done before its first byte. Throws HeadError: malformed,
 * cut off, or too slow (status 408).
 */
export async function readHead<T>(
  channel: Channel,
  parse: (bytes: Uint8Array, seen: number) => ParseResult<T>,
  patience: HeadPatience,
): Promise<T | undefined> {
  if (channel.buffered === 0 && !(await within(channel, patience.firstByteMs))) {
    if (channel.isOver) return undefined;
    throw new HeadError(408, "nothing came in time");
  }
  const deadline = patience.wholeMs === undefined ? undefined : Date.now() + patience.wholeMs;
  let seen = 0;
  for (;;) {
    const bytes = channel.read();
    const result = parse(bytes, seen);
    if (result.kind === "ok") {
      if (result.length < bytes.length) channel.unread(bytes.subarray(result.length));
      return result.value;
    }
    if (result.kind === "bad") throw new HeadError(result.status, result.reason);
    channel.unread(bytes);
    seen = bytes.length;
    if (!(await within(channel, deadline === undefined ? undefined : deadline - Date.now()))) {
      if (channel.isOver) throw new HeadError(400, "the head was cut off");
      throw new HeadError(408, "the head took too long");
    }
  }
}

/** Waits for more bytes, at most so long. */
function within(channel: Channel, ms: number | undefined): Promise<boolean> {
  return ms === undefined ? channel.more() : channel.moreWithin(ms);
}
