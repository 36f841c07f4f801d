// Whoever was shown the beginning of a recording reads on in that one, for as long as they read;
// nobody else does.

import { expect, test } from "bun:test";
import type { Principal } from "../../../src/api/principal.ts";
import { ReadingTickets } from "../../../src/features/recording/reading-tickets.ts";

const OWNER: Principal = { kind: "owner", uid: 1000 };
const TAB: Principal = { kind: "console", uid: 1000, session: "aaaa0000" };

test("a ticket is for one recording and one reader, and lasts while it is used", () => {
  let now = 0;
  const tickets = new ReadingTickets(() => now);
  const ticket = tickets.issue("sess_1", TAB);
  for (let piece = 0; piece < 5; piece += 1) {
    expect(tickets.use(ticket, TAB)).toBe("sess_1");
    now += 59_000;
  }
  for (const other of [
    OWNER,
    { ...TAB, session: "bbbb0000" },
    { ...TAB, uid: 1001 },
    { kind: "stranger" } as const,
  ])
    expect(() => tickets.use(ticket, other)).toThrow("this reading has ended");
  now += 2_000;
  expect(() => tickets.use(ticket, TAB)).toThrow("this reading has ended");
  expect(() => tickets.use("0".repeat(32), OWNER)).toThrow("this reading has ended");
});
