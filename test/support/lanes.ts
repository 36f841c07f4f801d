// Bounds how many tests of a file that run side by side are at work at once: each starts processes,
// and their own limits of time must not count the work of twenty others.

/** Gives out `count` lanes; a test holds one by `await using`. */
export function lanes(count: number): () => Promise<Disposable> {
  const waiting: (() => void)[] = [];
  let free = count;
  return async () => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    return {
      [Symbol.dispose]() {
        const next = waiting.shift();
        if (next === undefined) free += 1;
        else next();
      },
    };
  };
}
