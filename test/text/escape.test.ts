import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { escapeForTerminal, escapeJson, escapeLinesForTerminal } from "../../src/text/escape.ts";
import { anyText } from "../support/any-text.ts";

const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

describe("text from outside is shown with", () => {
  const table: readonly (readonly [name: string, text: string, shown: string])[] = [
    ["terminal commands as escapes", "a\x1b[2Jb\x9b31m", "a\\e[2Jb\\x9b31m"],
    ["line ends as escapes", "one\r\ntwo\n", "one\\r\\ntwo\\n"],
    ["backspaces as escapes", "rm\b\bls", "rm\\x08\\x08ls"],
    [
      "bidirectional controls as escapes",
      "\u202egnp.exe\u2066x\u2069\u200f\u061c",
      "\\u{202e}gnp.exe\\u{2066}x\\u{2069}\\u{200f}\\u{61c}",
    ],
    [
      "zero-width characters as escapes",
      "a\u200bb\u200d\u2060\ufeff",
      "a\\u{200b}b\\u{200d}\\u{2060}\\u{feff}",
    ],
    ["invisible tags as escapes", "\u{e0041}\u{e007f}", "\\u{e0041}\\u{e007f}"],
    [
      "fillers that look like nothing as escapes",
      "\u115f\u3164\u00ad\u034f",
      "\\u{115f}\\u{3164}\\xad\\u{34f}",
    ],
    ["variation selectors as escapes", "a\ufe0f\u{e0100}", "a\\u{fe0f}\\u{e0100}"],
    ["lone surrogates as escapes", "a\ud800b", "a\\u{d800}b"],
    ["line separators as escapes", "a\u2028b\u2029", "a\\u{2028}b\\u{2029}"],
    ["letters of any script as they are", "naïve 日本 شكرا 😀", "naïve 日本 شكرا 😀"],
  ];
  for (const [name, text, shown] of table) test(name, () => expect(escapeForTerminal(text)).toBe(shown));
});

test("text of many lines keeps line feeds and tabs, nothing else", () => {
  expect(escapeLinesForTerminal("a:\n\tb\r\n\x1b]0;x\x07")).toBe("a:\n\tb\\r\n\\e]0;x\\x07");
});

test("nothing that hides is left, whatever comes in", () => {
  fc.assert(fc.property(anyText({ maxLength: 200 }), (text) => !HIDDEN.test(escapeForTerminal(text))));
});

test("JSON keeps its value and hides nothing", () => {
  fc.assert(
    fc.property(fc.dictionary(anyText(), anyText({ maxLength: 50 })), (value) => {
      const json = escapeJson(JSON.stringify(value, null, 2));
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(json.replaceAll("\n", "")).not.toMatch(HIDDEN);
    }),
  );
});
