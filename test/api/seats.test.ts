// The control socket's places: a process that holds every stream it can leaves calls and other
// processes alone.

import { expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { Seats } from "../../src/api/server/seats.ts";

function socket(): Socket {
  const emitter = new EventEmitter() as unknown as Socket;
  Object.assign(emitter, { destroy: () => emitter.emit("close") });
  return emitter;
}

const who = (pid: number) => ({ uid: 1000, pid }) as never;

test("one process has a quarter of the streams, is told so, and others still have theirs", () => {
  const reasons: string[] = [];
  const seats = new Seats({ maxConnections: 80, onRefused: (reason) => reasons.push(reason) });
  const answers = Array.from({ length: 20 }, () => seats.sit(socket(), who(1))?.stream());
  expect(answers.filter((answer) => answer === undefined)).toHaveLength(10);
  expect(answers.at(-1)).toContain("too many event streams: process 1 has 10");
  expect(reasons).toHaveLength(1);
  expect(seats.sit(socket(), who(2))?.stream()).toBeUndefined();
});

test("connections that ask nothing give way to calls, and their places come back", () => {
  const seats = new Seats({ maxConnections: 16 });
  const idle = Array.from({ length: 8 }, (_, index) => {
    const each = socket();
    let isClosed = false;
    each.once("close", () => {
      isClosed = true;
    });
    seats.sit(each, who(index < 4 ? 1 : 3));
    return () => isClosed;
  });
  expect(seats.sit(socket(), who(2))).toBeDefined();
  expect(idle.map((isClosed) => isClosed())).toEqual([true, ...Array(7).fill(false)]);
});
