import { describe, expect, test } from "bun:test";
import { breakColumns, cutColumns, wrapWords } from "../../src/text/wrap.ts";

describe("our own prose is broken at blanks", () => {
  const rows: readonly (readonly [string, number, readonly string[]])[] = [
    ["", 10, [""]],
    ["one two", 10, ["one two"]],
    ["one two three", 7, ["one two", "three"]],
    ["unbreakable words", 5, ["unbreakable", "words"]],
  ];
  for (const [text, width, lines] of rows)
    test(`${JSON.stringify(text)} at ${width}`, () => expect(wrapWords(text, width)).toEqual([...lines]));
});

describe("text from outside is broken anywhere and nothing is lost", () => {
  const rows: readonly (readonly [string, number, readonly string[]])[] = [
    ["", 4, [""]],
    ["abcd", 4, ["abcd"]],
    ["abcdefghi", 4, ["abcd", "efgh", "i"]],
    ["a  b", 2, ["a ", " b"]],
    // Ambiguous and wide characters, emoji, combining marks: never fewer columns than a terminal may take.
    ["ééé", 4, ["éé", "é"]],
    ["漢字x", 4, ["漢字", "x"]],
    ["x😀y", 2, ["x", "😀", "y"]],
    ["wide", 0, ["w", "i", "d", "e"]],
  ];
  for (const [text, width, lines] of rows)
    test(`${JSON.stringify(text)} at ${width}`, () => {
      expect(breakColumns(text, width)).toEqual([...lines]);
      expect(breakColumns(text, width).join("")).toBe(text);
    });
});

describe("what is cut says so", () => {
  const rows: readonly (readonly [string, number, string])[] = [
    ["short", 10, "short"],
    ["exactly", 7, "exactly"],
    ["pods delete everything", 10, "pods de..."],
    ["漢字漢字", 6, "漢..."],
    ["abcdef", 3, "..."],
  ];
  for (const [text, width, want] of rows)
    test(`${text} at ${width}`, () => expect(cutColumns(text, width)).toBe(want));
});
