import { describe, expect, test } from "bun:test";
import { compileGlob } from "../../src/match/glob.ts";
import { GlobIndex } from "../../src/match/glob-index.ts";
import { compileNameGlob } from "../../src/match/name-glob.ts";

describe("a name pattern matches", () => {
  const rows: [pattern: string, matches: string[], misses: string[]][] = [
    ["payments", ["payments", "PAYMENTS"], ["payment", "payments2", ""]],
    ["staging-*", ["staging-", "staging-a", "Staging-a/b.c"], ["staging", "xstaging-a"]],
    ["*", ["", "anything", "a/b"], []],
    ["**", ["", "anything"], []],
    ["*-prod", ["a-prod", "-prod"], ["a-prod2", "prod"]],
    ["a*b*c", ["abc", "axxbxxc", "abcbc"], ["ab", "acb", "abcd"]],
    ["a*a", ["aa", "aba"], ["a"]],
    ["v?", ["v1", "vx"], ["v", "v12"]],
    ["*?", ["a", "ab"], [""]],
    ["[a-c]x", ["ax", "cx", "BX"], ["dx", "x"]],
    ["[!a-c]x", ["dx", "-x"], ["ax", "x"]],
    ["[]a]", ["]", "a"], ["b"]],
    ["[a-]", ["a", "-"], ["b"]],
    ["{dev,test}-*", ["dev-1", "test-2"], ["prod-1", "dev"]],
    ["{a,{b,c}}d", ["ad", "bd", "cd"], ["d", "abd"]],
    ["org/*", ["org/repo", "org/a/b"], ["org", "other/repo"]],
    ["*.*", ["a.b", "."], ["a"]],
    ["a.b", ["a.b"], ["axb"]],
    ["a+(b)|c$^", ["a+(b)|c$^"], ["ab"]],
  ];
  for (const [pattern, matches, misses] of rows)
    test(`"${pattern}"`, () => {
      const glob = compileNameGlob(pattern);
      if ("problem" in glob) throw new Error(glob.problem);
      for (const name of matches) expect([name, glob.test(name)]).toEqual([name, true]);
      for (const name of misses) expect([name, glob.test(name)]).toEqual([name, false]);
    });
});

describe("a malformed pattern is an error, not a pattern that matches nothing", () => {
  const rows: [pattern: string, problem: string][] = [
    ["", "the pattern is empty"],
    ["[abc", "'[' is never closed"],
    ["[]", "'[' is never closed"],
    ["[!]", "'[' is never closed"],
    ["abc]", "']' has no '[' before it"],
    ["[z-a]", "the range 'z-a' runs backwards"],
    ["{a,b", "'{' is never closed"],
    ["{{a}", "'{' is never closed"],
    ["a}", "'}' has no '{' before it"],
    ["{a,}", "one alternative in braces is empty"],
    ["a\\*", "'\\' is not supported in patterns"],
    [" a", "the pattern begins or ends with white space"],
    ["a\u200bb", "the pattern holds an invisible character"],
    ["a\u0000b", "the pattern holds an invisible character"],
    ["{a,b}".repeat(9), "the braces expand to more than 256 alternatives"],
    ["{a,b}".repeat(17), "the pattern has more than 16 braces"],
    ["{a,b}".repeat(10_000), "the pattern is longer than 1024 characters"],
  ];
  for (const [pattern, problem] of rows)
    test(`${JSON.stringify(pattern.slice(0, 20))}: ${problem}`, () =>
      expect(compileNameGlob(pattern)).toEqual({ problem }));
});

test("a pattern of many stars costs no more than its length times the name's", () => {
  const compiled = compileGlob(`${"a*".repeat(500)}b`);
  if ("problem" in compiled) throw new Error(compiled.problem);
  const started = performance.now();
  expect(compiled.globs[0]?.test("a".repeat(5_000))).toBe(false);
  expect(performance.now() - started).toBeLessThan(500);
});

describe("an index of globs", () => {
  function indexOf(...patterns: string[]): GlobIndex<string> {
    return new GlobIndex(
      patterns.flatMap((pattern) => {
        const compiled = compileGlob(pattern);
        if ("problem" in compiled) throw new Error(compiled.problem);
        return compiled.globs.map((glob) => ({ glob, value: pattern }));
      }),
    );
  }

  const rows: [patterns: string[], name: string, found: string | undefined][] = [
    [["a", "*"], "a", "a"],
    [["*", "a"], "a", "*"],
    [["a*", "ab*", "abc"], "abc", "a*"],
    [["abc", "ab*", "a*"], "abc", "abc"],
    [["*c", "a*"], "abc", "*c"],
    [["?bc", "*c"], "abc", "?bc"],
    [["*b*", "a*"], "abc", "*b*"],
    [["{x,a}*", "a*"], "abc", "{x,a}*"],
    [["b", "c*"], "abc", undefined],
    [[], "abc", undefined],
  ];
  for (const [patterns, name, found] of rows)
    test(`of ${patterns.join(" ")} finds ${found ?? "nothing"} for ${name}`, () =>
      expect(indexOf(...patterns).first(name)).toBe(found));

  test("goes on to the next one when a value is not accepted", () => {
    expect(indexOf("abc", "a*", "*").first("abc", (value) => value !== "abc")).toBe("a*");
  });
});
