// Octets that a connection has received and nobody has read count against the bound of memory until
// they are read or given up, also when the connection has been closed meanwhile; and counting costs
// next to nothing.

import { expect, test } from "bun:test";
import type { ByteStream, StreamHandler } from "../../../src/gateway/stream/byte-stream.ts";
import { Channel } from "../../../src/gateway/stream/channel.ts";
import { QUEUED } from "../../../src/gateway/stream/queued-octets.ts";

/** A stream whose peer is the test. */
class FakeStream implements ByteStream {
  handler: StreamHandler | undefined;
  isDestroyed = false;
  readonly wasCutOff = false;
  readonly hasSentAll = true;
  setHandler(handler: StreamHandler): void {
    this.handler = handler;
  }
  write(): boolean {
    return true;
  }
  end(): void {}
  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.handler?.close();
  }
  hangUp(): void {}
  pause(): void {}
  resume(): void {}
}

const MIB = 1024 * 1024;

function received(octets: number): { readonly stream: FakeStream; readonly channel: Channel } {
  const stream = new FakeStream();
  const channel = new Channel(stream);
  stream.handler?.data(new Uint8Array(octets));
  return { stream, channel };
}

test("what is left unread when the peer closes still counts, and is still there to be read", () => {
  const before = QUEUED.total;
  const { stream, channel } = received(MIB);
  stream.handler?.end();
  stream.handler?.close();
  expect(QUEUED.total - before).toBe(MIB);
  expect(channel.read().length).toBe(MIB);
  expect(QUEUED.total).toBe(before);
});

test("anyone who ends a connection wants nothing of it: it counts no more", () => {
  const before = QUEUED.total;
  const { channel } = received(MIB);
  channel.destroy();
  expect([QUEUED.total, channel.buffered, channel.isClosed]).toEqual([before, 0, true]);
});

test("above the bound what closed connections left is given up too, and does not pass for a whole answer", async () => {
  const before = QUEUED.total;
  const closed = Array.from({ length: 80 }, () => {
    const each = received(MIB);
    each.stream.handler?.end();
    each.stream.handler?.close();
    return each.channel;
  });
  await Promise.resolve();
  await Promise.resolve();
  expect(QUEUED.total - before).toBeLessThanOrEqual(64 * MIB);
  const given = closed.filter(({ buffered }) => buffered === 0);
  expect(given.length).toBeGreaterThan(10);
  for (const { error } of given) expect(error?.message).toContain("took memory that others needed");
  for (const each of closed) each.read();
  expect(QUEUED.total).toBe(before);
});

test("counting a read costs less than a microsecond", () => {
  const stream = new FakeStream();
  const channel = new Channel(stream);
  const bytes = new Uint8Array(512);
  const pass = (times: number) => {
    const used = process.cpuUsage();
    for (let each = 0; each < times; each++) {
      stream.handler?.data(bytes);
      channel.read();
    }
    const { user, system } = process.cpuUsage(used);
    return (user + system) / times;
  };
  pass(50_000);
  const micros = Math.min(...Array.from({ length: 3 }, () => pass(50_000)));
  channel.destroy();
  expect(micros).toBeLessThan(1);
});
