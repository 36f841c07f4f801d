// Turns of the loop for what is dear: few in each, and a client with a thousand in the queue keeps
// nobody else waiting.

import { expect, test } from "bun:test";
import { FairTurns } from "../../../src/gateway/stream/fair-turns.ts";

interface Client {
  payer: string;
}

const payerOf = (client: Client | undefined) => client?.payer ?? "";
const GREEDY = { payer: "user 0" };

test("with few waiting, everybody goes in the order of coming", async () => {
  const turns = new FairTurns<Client>(2, payerOf);
  const order: number[] = [];
  const all = [1, 2, 3, 4].map(async (each) => {
    await turns.next(undefined);
    order.push(each);
  });
  await Promise.all(all);
  expect(order).toEqual([1, 2, 3, 4]);
});

test("a newcomer is next, however many another client has in the queue; nobody starves", async () => {
  const turns = new FairTurns<Client>(2, payerOf);
  const order: string[] = [];
  const clients = new Map<string, { payer: string }>();
  const ask = async (payer: string) => {
    if (!clients.has(payer)) clients.set(payer, { payer });
    await turns.next(clients.get(payer));
    order.push(payer);
  };
  const greedy = Array.from({ length: 400 }, () => ask("greedy"));
  // Some of the queue is done by then.
  for (let each = 0; each < 20; each++) await new Promise((resolve) => setImmediate(resolve));
  const before = order.length;
  expect(before).toBeGreaterThan(10);
  await Promise.all([ask("other"), ask("third")]);
  expect(order.length - before).toBeLessThanOrEqual(8);
  // A newcomer's precedence does not last: the two alternate from there on.
  const more = Array.from({ length: 40 }, () => ask("other"));
  await Promise.all(more);
  const since = order.slice(before);
  expect(since.filter((each) => each === "greedy").length).toBeGreaterThanOrEqual(36);
  await Promise.all(greedy);
});

test("among the connections of one payer, a new one is next too", async () => {
  const turns = new FairTurns<Client>(2, payerOf);
  let done = 0;
  const old = { payer: "user 0" };
  const greedy = Array.from({ length: 200 }, async () => {
    await turns.next(old);
    done += 1;
  });
  for (let each = 0; each < 10; each++) await new Promise((resolve) => setImmediate(resolve));
  const before = done;
  await turns.next({ payer: "user 0" });
  expect(done - before).toBeLessThanOrEqual(4);
  await Promise.all(greedy);
});

test("a client is known by the name that it has when its turn comes", async () => {
  const turns = new FairTurns<Client>(1, payerOf);
  const order: string[] = [];
  const named = { payer: "user 0" };
  const greedy = Array.from({ length: 50 }, async () => {
    await turns.next(GREEDY);
    order.push("greedy");
  });
  const late = turns.next(named)?.then(() => void order.push("late"));
  named.payer = "process 7";
  await late;
  expect(order.length).toBeLessThanOrEqual(5);
  await Promise.all(greedy);
});
