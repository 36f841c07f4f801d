// Shares of one resource among clients: one of them never takes all, and every share comes back.

import { expect, test } from "bun:test";
import { Descriptors } from "../../../src/gateway/stream/descriptors.ts";
import { Shares } from "../../../src/gateway/stream/shares.ts";

test("one client has its share at most, and leaves the rest to others", () => {
  const shares = new Shares(100, 0.75);
  let taken = 0;
  while (shares.take("greedy") === undefined) taken += 1;
  expect(taken).toBe(75);
  expect(shares.take("greedy")).toBe("share");
  for (let i = 0; i < 25; i += 1) expect(shares.take("other")).toBeUndefined();
  expect(shares.take("third")).toBe("full");
  expect(shares.heaviest).toBe("greedy");
  for (let i = 0; i < 75; i += 1) shares.give("greedy");
  expect([shares.total, shares.of("greedy"), shares.heaviest]).toEqual([25, 0, "other"]);
});

test("what a client has moves with it when its process becomes known", () => {
  const shares = new Shares(10);
  shares.take("user 1000");
  shares.move("user 1000", "process 7");
  expect([shares.of("user 1000"), shares.of("process 7"), shares.total]).toEqual([0, 1, 1]);
});

test("sockets and what is set aside fit into the limit, however low it is", () => {
  for (const files of [80, 100, 256, 1024, 65536]) {
    const descriptors = new Descriptors(files);
    expect(descriptors.limit).toBeLessThan(files);
    expect(descriptors.connections).toBeLessThanOrEqual(descriptors.limit / 2 + 1);
    expect(descriptors.control).toBeGreaterThanOrEqual(16);
  }
});
