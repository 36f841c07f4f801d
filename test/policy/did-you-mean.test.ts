import { describe, expect, test } from "bun:test";
import { PROTOCOLS } from "../../src/model/protocol.ts";
import { TIERS } from "../../src/model/tier.ts";
import { allowedHint, nearestWord } from "../../src/policy/did-you-mean.ts";

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
