// A channel as node's Duplex, for code that is written against node:net: the control API's
// connections. The channel must not be used otherwise from then on.

import { Duplex } from "node:stream";
import type { Channel } from "./channel.ts";

/** Wraps a channel; when the peer has ended, so has the writing side, as with a socket of node's. */
export function channelDuplex(channel: Channel): Duplex {
  let isReading = false;
  const duplex = new Duplex({
    allowHalfOpen: false,
    read() {
      if (isReading) return;
      isReading = true;
      void pump();
    },
    write(chunk: Uint8Array, _encoding, done) {
      if (channel.write(chunk)) done();
      else channel.flushed().then(() => done(), done);
    },
    final(done) {
      channel.end();
      done();
    },
    destroy(error, done) {
      channel.destroy();
      done(error);
    },
  });
  const pump = async () => {
    while (await channel.readable()) {
      if (duplex.push(Buffer.from(channel.read()))) continue;
      isReading = false;
      return;
    }
    duplex.push(null);
  };
  channel.onClosed(() => duplex.destroy());
  return duplex;
}
