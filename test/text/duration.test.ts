import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseDuration, renderDuration } from "../../src/text/duration.ts";

describe("a typed duration", () => {
  const table: readonly (readonly [text: string, ms: number | undefined])[] = [
    ["30s", 30_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["24h", 86_400_000],
    ["2d", 172_800_000],
    ["250ms", 250],
    ["1m1m", 120_000],
    ["0", 0],
    ["0s", 0],
    ["", undefined],
    ["10", undefined],
    ["-5m", undefined],
    ["5 m", undefined],
    ["5M", undefined],
    ["1h30", undefined],
    [".5h", undefined],
    ["1e3s", undefined],
    ["5m\n", undefined],
    ["9".repeat(80), undefined],
  ];
  for (const [text, ms] of table)
    test(`${JSON.stringify(text)} is ${ms ?? "none"}`, () => expect(parseDuration(text)).toBe(ms));
});

describe("a duration prints", () => {
  const table: readonly (readonly [ms: number, text: string])[] = [
    [4000, "4s"],
    [5_400_000, "1h30m"],
    [86_400_000, "1d"],
    [90_061_000, "1d1h"],
    [3_600_500, "1h"],
    [3_601_000, "1h"],
    [59_999, "59s"],
    [61_500, "1m1s"],
    [250.7, "250ms"],
    [0, "0s"],
    [-5, "0s"],
    [Number.NaN, "0s"],
  ];
  for (const [ms, text] of table) test(`${ms} as ${text}`, () => expect(renderDuration(ms)).toBe(text));
});

test("what is printed can be typed again and is at most a second unit less", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000_000_000 }), (ms) => {
      const again = parseDuration(renderDuration(ms));
      return again !== undefined && again <= ms && ms - again < 3_600_000;
    }),
  );
});
