// The worth of a person's answer later: a late allow, and a denial that covers a client's fallback,
// end by whichever clock says so first, so that a wall clock that is set back prolongs neither.

import { afterEach, expect, setSystemTime, test } from "bun:test";
import { type ApprovalRequest, Broker } from "../../../src/gateway/request/broker.ts";
import { Events } from "../../../src/gateway/request/records/events.ts";
import { madeUpAsk } from "../../support/policy/ask.ts";

afterEach(() => setSystemTime());

const REQUEST: ApprovalRequest = {
  ask: madeUpAsk(),
  rule: "",
  reason: "",
  judgeAgain: () => undefined,
  onceOnly: undefined,
  fallbackKey: "k",
  heldBytes: 0,
};

/** A broker that allowed the request after its client had left. */
async function allowedLate(startMs: number): Promise<Broker> {
  setSystemTime(startMs);
  const broker = new Broker({ events: new Events(), timeoutMs: () => 60_000 });
  let leave = () => {};
  const held = broker.hold(REQUEST, (left) => {
    leave = left;
    return () => {};
  });
  leave();
  const { id } = await held;
  broker.reply(id, "approved");
  return broker;
}

/** Holds the request and returns its outcome at once; it is withdrawn when it would wait. */
function outcomeNow(broker: Broker): Promise<string> {
  const held = broker.hold(REQUEST, (left) => {
    queueMicrotask(left);
    return () => {};
  });
  return held.then(({ outcome }) => outcome);
}

const START = Date.parse("2026-06-01T12:00:00Z");

test("a late allow lasts for its time, and not beyond by either clock", async () => {
  expect(await outcomeNow(await allowedLate(START))).toBe("approved");
  const ahead = await allowedLate(START);
  setSystemTime(START + 11 * 60_000);
  expect(await outcomeNow(ahead)).toBe("withdrawn");
});

test("a late allow is over when only the clock that runs forward says so", async () => {
  const now = performance.now;
  try {
    const broker = await allowedLate(START);
    const later = now.call(performance) + 11 * 60_000;
    performance.now = () => later;
    setSystemTime(START - 3_600_000);
    expect(await outcomeNow(broker)).toBe("withdrawn");
  } finally {
    performance.now = now;
  }
});

test("a denial covers a fallback for as long, whatever the wall clock does", async () => {
  const now = performance.now;
  try {
    setSystemTime(START);
    const broker = new Broker({ events: new Events(), timeoutMs: () => 60_000 });
    const held = broker.hold(REQUEST, () => () => {});
    const [waiting] = broker.list();
    broker.reply(waiting?.id ?? "", "denied");
    expect((await held).outcome).toBe("denied");
    expect(await outcomeNow(broker)).toBe("denied");
    const later = now.call(performance) + 6_000;
    performance.now = () => later;
    setSystemTime(START - 3_600_000);
    expect(await outcomeNow(broker)).toBe("withdrawn");
  } finally {
    performance.now = now;
  }
});
