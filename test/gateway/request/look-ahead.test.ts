// The memory for bodies that are looked at: charged by what came, shared by client, and waited for.

import { afterEach, expect, test } from "bun:test";
import { type Arrived, LookAhead, LookAheadShare } from "../../../src/gateway/request/http/look-ahead.ts";
import { PATIENCE } from "../../../src/gateway/stream/patience.ts";

const { roomMs } = PATIENCE;
afterEach(() => {
  PATIENCE.roomMs = roomMs;
});

const LIMIT = 1_000;
/** A request whose body comes in these pieces. */
const body = (pid: number, pieces: readonly number[], bodyLength?: number) => ({
  bodyLength,
  client: { user: "u", pid },
  async peekBody(_limit: number, arrived: Arrived) {
    for (const octets of pieces) if ((await arrived(octets)) === false) return undefined;
    return new Uint8Array(pieces.reduce((sum, each) => sum + each, 0));
  },
});

test("a body that is announced and does not come takes no room", async () => {
  const room = new LookAhead(LIMIT);
  const idle = Array.from({ length: 100 }, () => body(1, [], 900));
  for (const each of idle) await new LookAheadShare(room, each.client).peek(each, LIMIT);
  expect(room.total).toBe(0);
  const other = body(2, [500], 500);
  expect(await new LookAheadShare(room, other.client).peek(other, LIMIT)).toHaveLength(500);
});

test("a body waits for room, and is looked at once there is some", async () => {
  const room = new LookAhead(LIMIT);
  const first = body(1, [400]);
  const share = new LookAheadShare(room, first.client);
  await share.peek(first, LIMIT);
  const second = body(1, [300]);
  const looked = new LookAheadShare(room, second.client).peek(second, LIMIT);
  // Somebody else is not kept waiting by it.
  const other = body(2, [300]);
  expect(await new LookAheadShare(room, other.client).peek(other, LIMIT)).toHaveLength(300);
  share.release();
  expect(await looked).toHaveLength(300);
});

test("without room in time it counts as unread, for the true reason", async () => {
  PATIENCE.roomMs = 20;
  const room = new LookAhead(LIMIT);
  const greedy = body(1, [500]);
  await new LookAheadShare(room, greedy.client).peek(greedy, LIMIT);
  const second = body(1, [100]);
  const share = new LookAheadShare(room, second.client);
  expect(await share.peek(second, LIMIT)).toBeUndefined();
  expect(share.problem).toContain("no room at present");
  const large = body(3, [], 5_000);
  const refused = new LookAheadShare(room, large.client);
  expect(await refused.peek(large, LIMIT)).toBeUndefined();
  expect(refused.problem).toBe("the body is larger than 1000 bytes");
});

test("what was looked at twice is paid for once", async () => {
  const room = new LookAhead(LIMIT);
  const request = body(1, [400]);
  const share = new LookAheadShare(room, request.client);
  await share.peek(request, LIMIT);
  await share.peek(request, LIMIT);
  expect(room.total).toBe(400);
  share.release();
  expect(room.total).toBe(0);
});
