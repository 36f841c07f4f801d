// Bytes both ways between two connections, untouched: for a splice, and after a 101. Owns
// back-pressure and half-close across the pair. It has no idle limit: a quiet tunnel is a live one.

import type { ByteStream, StreamHandler } from "./byte-stream.ts";
import type { Channel } from "./channel.ts";
import type { SessionTap } from "./session-tap.ts";

/** Joins two connections until both are closed; what either has buffered goes first. Never rejects. `tap` only looks. */
export function relay(client: Channel, upstream: Channel, tap?: SessionTap): Promise<void> {
  return new Promise((resolve) => {
    let open = 2;
    const closed = () => {
      open -= 1;
      if (open === 0) resolve();
    };
    client.handOver(
      oneWay(client.stream, upstream.stream, closed, tap && ((bytes) => tap.fromClient(bytes))),
    );
    upstream.handOver(
      oneWay(upstream.stream, client.stream, closed, tap && ((bytes) => tap.fromServer(bytes))),
    );
  });
}

/** Pieces from this size on are given back; smaller ones cost less than giving them back. */
const LARGE = 16 * 1024;

/**
 * Frees a piece that nobody looks at any more, without waiting for a collection: the next one then comes to lie in
 * memory that is still in the processor's cache.
 */
function giveBack({ buffer, length }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}

function oneWay(
  from: ByteStream,
  to: ByteStream,
  closed: () => void,
  look: ((bytes: Uint8Array) => void) | undefined,
): StreamHandler {
  return {
    data(bytes) {
      look?.(bytes);
      if (!to.write(bytes)) from.pause();
      if (bytes.length >= LARGE && to.hasSentAll) giveBack(bytes);
    },
    drain() {
      to.resume();
    },
    end() {
      to.end();
    },
    close(error) {
      // A broken connection must not look like an orderly end on the other side.
      if (error) to.destroy();
      else to.end();
      closed();
    },
  };
}
