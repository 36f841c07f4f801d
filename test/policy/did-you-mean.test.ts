import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { PROTOCOLS } from "../../src/model/protocol.ts";
import { TIERS } from "../../src/model/tier.ts";
import { allowedHint, isSlipOf, nearestWord } from "../../src/policy/did-you-mean.ts";
import { fuzzRuns } from "../support/fuzz-runs.ts";

describe("the nearest allowed word", () => {
  const rows: [written: string, allowed: readonly string[], nearest: string | undefined][] = [
    ["kubctl", PROTOCOLS, "kubectl"],
    ["Kubectl", PROTOCOLS, "kubectl"],
    ["kubeclt", PROTOCOLS, "kubectl"],
    ["cloudflair", PROTOCOLS, "cloudflare"],
    ["fyl", PROTOCOLS, "fly"],
    ["gh", PROTOCOLS, "github"],
    ["tofu", PROTOCOLS, "terraform"],
    ["mongodb", PROTOCOLS, undefined],
    ["xyz", PROTOCOLS, undefined],
    ["", PROTOCOLS, undefined],
    ["breakglass", TIERS, "break-glass"],
    ["break_glass", TIERS, "break-glass"],
    ["observed", TIERS, "observe"],
    ["write", TIERS, "modify"],
    ["write", PROTOCOLS, undefined],
    ["constructor", TIERS, undefined],
    ["a".repeat(10_000), TIERS, undefined],
  ];
  for (const [written, allowed, nearest] of rows)
    test(`to "${written.slice(0, 20)}" is ${nearest ?? "none"}`, () =>
      expect(nearestWord(written, allowed)).toBe(nearest));
});

test("a hint lists what is allowed, at most a dozen", () => {
  expect(allowedHint("x", ["read", "write"])).toBe("allowed: read, write");
  expect(allowedHint("raed", ["read"])).toBe("did you mean 'read'? allowed: read");
  expect(allowedHint("x", [])).toBe("nothing is allowed here");
  const many = Array.from({ length: 20 }, (_, index) => `name${index}`);
  expect(allowedHint("x", many)).toBe(`allowed: ${many.slice(0, 12).join(", ")}, …`);
});

/** Optimal string alignment as the textbooks have it, every cell. */
function slips(a: string, b: string): number {
  const cells = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => i + j),
  );
  const at = (i: number, j: number) => cells[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + same);
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, at(i - 2, j - 2) + 1);
      (cells[i] as number[])[j] = cost;
    }
  return at(a.length, b.length);
}

test("a slip is told as the whole table of the distance tells it", () => {
  const word = fc.string({ unit: fc.constantFrom(..."abc"), maxLength: 14 });
  const change = fc.tuple(
    fc.nat({ max: 14 }),
    fc.nat({ max: 2 }),
    fc.string({ unit: fc.constantFrom(..."abc"), maxLength: 2 }),
  );
  const pair = fc.tuple(word, fc.array(change, { maxLength: 3 })).map(([one, changes]) => {
    const other = changes.reduce(
      (text, [at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut),
      one,
    );
    return [one, other] as const;
  });
  fc.assert(
    fc.property(fc.oneof(pair, fc.tuple(word, word)), ([one, other]) => {
      const distance = slips(one, other);
      const most = Math.min(one.length, other.length) > 8 ? 2 : 1;
      expect(isSlipOf(one, other)).toBe(distance > 0 && distance <= most);
      const isNear = distance <= Math.max(1, Math.floor(one.length / 3));
      expect(nearestWord(one, [other])).toBe(isNear ? other : undefined);
    }),
    { numRuns: fuzzRuns(2_000) },
  );
});
