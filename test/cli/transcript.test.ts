import { describe, expect, test } from "bun:test";
import { matches, parseTranscript } from "./transcript.ts";

describe("an expected text", () => {
  const table: readonly (readonly [expected: readonly string[], output: string, isMatch: boolean])[] = [
    [[], "", true],
    [[], "a\n", false],
    [["a"], "a\n", true],
    [["a"], "ab\n", false],
    [["a[..]c"], "abbbc\n", true],
    [["a[..]c"], "ac", true],
    [["a.c"], "abc", false],
    [["...", "z"], "x\ny\nz\n", true],
    [["a", "..."], "a\n", true],
    [["a", "...", "a"], "a\n", false],
    [["a", "b"], "a\n\nb\n", true],
  ];
  for (const [expected, output, isMatch] of table) {
    test(`${JSON.stringify(expected)} ${isMatch ? "matches" : "does not match"} ${JSON.stringify(output)}`, () =>
      expect(matches(expected, output)).toBe(isMatch));
  }
});

test("a transcript is taken apart into steps", () => {
  const steps = parseTranscript(
    "# why\n$ cat <<END\n> a\n>\n> END\na\n! warning\nexit 3\n\n& slow\nwait\ndone\n",
  );
  expect(steps).toEqual([
    { line: 2, kind: "run", command: "cat <<END\na\n\nEND", stdout: ["a"], stderr: ["warning"], exitCode: 3 },
    { line: 10, kind: "background", command: "slow", stdout: [], stderr: [], exitCode: 0 },
    { line: 11, kind: "wait", command: "", stdout: ["done"], stderr: [], exitCode: 0 },
  ]);
});

test("output before any command is a mistake in the transcript", () => {
  expect(() => parseTranscript("up\n")).toThrow("line 1");
});
