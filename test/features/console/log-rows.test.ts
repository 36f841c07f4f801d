// A page's rows of a log that grows while it is read: each row is there once, the newest first, and
// none is left out, however slow the answers are.

import { expect, test } from "bun:test";
import type { LogRow } from "../../../src/api/methods/pages.ts";
import { LogRows, type ReadLog } from "../../../src/features/console/app/state/log-rows.ts";

const PAGE = 100;

/** A log that grows, and reads of it that are answered when the test says, as the log was when they were asked. */
class SlowLog {
  length = 0;
  readonly #answers: (() => void)[] = [];

  readonly read: ReadLog = ({ before }) => {
    const end = Math.min(before ?? this.length, this.length);
    const rows = Array.from({ length: Math.min(end, PAGE) }, (_, back) => row(end - 1 - back));
    const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<ReadLog>>>();
    this.#answers.push(() => resolve({ rows, ...(end > PAGE ? { next: end - PAGE } : {}) }));
    return promise;
  };

  /** Resolves when a read waits for its answer. */
  async wasAsked(): Promise<void> {
    while (this.#answers.length === 0) await Bun.sleep(0);
  }

  /** Answers every read, the last first, until this is done. */
  async answersUntil(done: Promise<unknown>): Promise<void> {
    let isDone = false;
    void done.then(() => {
      isDone = true;
    });
    while (!isDone) {
      this.#answers.pop()?.();
      await Bun.sleep(0);
    }
  }
}

function row(at: number): LogRow {
  return { at, timestamp_ms: at, op: "request", hash: String(at), fields: {} };
}

function shown(rows: LogRows): number[] {
  return rows.rows.value.map(({ at }) => at);
}

function counted(length: number): number[] {
  return Array.from({ length }, (_, back) => length - 1 - back);
}

async function opened(length: number): Promise<[SlowLog, LogRows]> {
  const log = new SlowLog();
  const rows = new LogRows({ log: "audit", filter: {} }, log.read);
  log.length = length;
  await log.answersUntil(rows.readOn());
  return [log, rows];
}

test("two reads of what is new, under way at once, show it once", async () => {
  const [log, rows] = await opened(3);
  log.length += 1;
  const earlier = rows.readNew();
  await log.wasAsked();
  log.length += 1;
  await log.answersUntil(Promise.all([earlier, rows.readNew()]));
  expect(shown(rows)).toEqual(counted(5));
});

for (const more of [10, 150])
  test(`${more} rows that come while a page is read are shown once, and none is left out`, async () => {
    const log = new SlowLog();
    const rows = new LogRows({ log: "audit", filter: {} }, log.read);
    log.length = 150;
    const page = rows.readOn();
    await log.wasAsked();
    log.length += more;
    await log.answersUntil(Promise.all([page, rows.readNew()]));
    while (rows.hasMore.value) await log.answersUntil(rows.readOn());
    expect(shown(rows)).toEqual(counted(150 + more));
  });

test("what is read first as new is not read again with the first page", async () => {
  const log = new SlowLog();
  const rows = new LogRows({ log: "audit", filter: {} }, log.read);
  log.length = 120;
  await log.answersUntil(Promise.all([rows.readNew(), rows.readOn()]));
  expect(shown(rows)).toEqual(counted(120));
});

test("a read that fails keeps nothing from the next", async () => {
  const [log, rows] = await opened(3);
  const broken = new LogRows({ log: "audit", filter: {} }, (input) =>
    log.length === 3 ? Promise.reject(new Error("away")) : log.read(input),
  );
  await expect(broken.readNew()).rejects.toThrow("away");
  log.length += 1;
  await log.answersUntil(Promise.all([broken.readNew(), rows.readNew()]));
  expect([shown(broken), shown(rows)]).toEqual([counted(4), counted(4)]);
});
