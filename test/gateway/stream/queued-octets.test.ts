// Octets that nobody takes: above the bound the connection that has been still for longest is given
// up, and memory comes back.

import { expect, test } from "bun:test";
import { shortPath } from "../../../src/gateway/request/records/recorder.ts";
import { LOOP_TIME } from "../../../src/gateway/stream/loop-clock.ts";
import { QueuedOctets } from "../../../src/gateway/stream/queued-octets.ts";
import { Http2Connection } from "../../../src/wire/http2/connection.ts";

const KIB = 1024;

test("the queue that has not moved for longest is given up first, and no more than needed", async () => {
  const all = new QueuedOctets(1_000 * KIB);
  const gone: number[] = [];
  const accounts = Array.from({ length: 10 }, (_, index) => all.open(() => gone.push(index)));
  for (const account of accounts) {
    LOOP_TIME.nowMs += 10;
    all.set(account, 100 * KIB);
  }
  // The first one moves.
  LOOP_TIME.nowMs += 10;
  all.set(accounts[0] as never, 90 * KIB);
  const small = all.open(() => gone.push(-1));
  all.set(small, 15 * KIB);
  await Promise.resolve();
  expect(gone).toEqual([1, 2]);
  expect(all.total).toBe(805 * KIB);
});

test("what is closed counts no more", () => {
  const all = new QueuedOctets();
  const account = all.open(() => {});
  all.set(account, 5_000_000);
  all.set(account, 0);
  expect(all.total).toBe(0);
});

test("a row has two kilobytes of a path, with the length and hash of the whole", () => {
  const path = `/${"a".repeat(100_000)}`;
  expect(shortPath("/short")).toBe("/short");
  expect(shortPath(path).length).toBe(2_048);
  expect(shortPath(path)).toEndWith(
    `… (100001 characters, sha256 ${new Bun.CryptoHasher("sha256").update(path).digest("hex")})`,
  );
});

test("memory is tight from half of the bound on, and full when nothing large is left to give up", async () => {
  const all = new QueuedOctets(1_000 * KIB);
  const accounts = Array.from({ length: 100 }, () => all.open(() => {}));
  expect([all.isTight, all.isFull]).toEqual([false, false]);
  for (const account of accounts.slice(0, 60)) all.set(account, 10 * KIB);
  expect([all.isTight, all.isFull]).toEqual([true, false]);
  for (const account of accounts) all.set(account, 15 * KIB);
  await Promise.resolve();
  expect([all.isTight, all.isFull]).toEqual([true, true]);
  for (const account of accounts) all.set(account, 0);
  expect([all.isTight, all.isFull]).toEqual([false, false]);
});

test("octets of HTTP/2 that have come and nobody has read count until they are read", () => {
  const client = new Http2Connection("client");
  const server = new Http2Connection("server");
  const pass = () => {
    client.receive(server.takeOutput() ?? new Uint8Array(0));
    return server.receive(client.takeOutput() ?? new Uint8Array(0));
  };
  pass();
  const id = client.open(
    [
      [":method", "POST"],
      [":scheme", "https"],
      [":authority", "a"],
      [":path", "/"],
    ],
    false,
  );
  client.sendData(id, new Uint8Array(50_000), false);
  const data = pass().filter((event) => event.kind === "data");
  expect(server.keptBytes).toBe(50_000);
  for (const event of data) server.consumed(id, event.flowBytes);
  expect(server.keptBytes).toBe(0);
});
