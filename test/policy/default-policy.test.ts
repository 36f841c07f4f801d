import { describe, expect, test } from "bun:test";
import { DEFAULT_POLICY } from "../../src/policy/default-policy.ts";
import { parsePolicy } from "../../src/policy/parse.ts";

describe("the default policy", () => {
  test("parses without a warning", () => {
    const parsed = parsePolicy(DEFAULT_POLICY);
    expect("problems" in parsed ? parsed.problems : parsed.warnings).toEqual([]);
  });
});
