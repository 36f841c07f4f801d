// Tests of one file side by side, a few at a time: each starts processes and waits for them half of its
// time, and its own limits must not count the work of twenty others.

import { test } from "bun:test";

/** Gives a `test` of which at most `count` run at once, beside each other. A test's limit counts its wait for a turn. */
export function testsSideBySide(count: number) {
  const waiting: (() => void)[] = [];
  let free = count;
  return (name: string, run: () => Promise<unknown>, limitMs: number): void => {
    test.concurrent(
      name,
      async () => {
        if (free > 0) free -= 1;
        else await new Promise<void>((resolve) => waiting.push(resolve));
        try {
          await run();
        } finally {
          const next = waiting.shift();
          if (next === undefined) free += 1;
          else next();
        }
      },
      limitMs,
    );
  };
}
