import { describe, expect, test } from "bun:test";
import { bypassed } from "../../src/cli/kit/no-proxy.ts";

const INSPECTED = ["*.eks.amazonaws.com", "api.fly.io", "10.0.0.7:6443"];

describe("NO_PROXY takes out of iddio's sight", () => {
  const table: readonly (readonly [noProxy: string, inspectEntries: readonly string[]])[] = [
    ["", []],
    ["localhost,127.0.0.1,::1", []],
    ["corp.example", []],
    [".amazonaws.com", ["*.eks.amazonaws.com"]],
    ["amazonaws.com", ["*.eks.amazonaws.com"]],
    ["one.eks.amazonaws.com", ["*.eks.amazonaws.com"]],
    ["notamazonaws.com", []],
    ["API.fly.io:443 , 10.0.0.7", ["api.fly.io", "10.0.0.7:6443"]],
    ["xapi.fly.io", []],
    ["*", INSPECTED],
  ];
  for (const [noProxy, inspectEntries] of table) {
    test(`${JSON.stringify(noProxy)}: ${inspectEntries.join(" ") || "nothing"}`, () =>
      expect(bypassed(noProxy, INSPECTED).map(({ inspectEntry }) => inspectEntry)).toEqual([
        ...inspectEntries,
      ]));
  }
});
