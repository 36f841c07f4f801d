import { expect, test } from "bun:test";
import { inQuotes } from "../../src/text/in-quotes.ts";

test("a quoted text is between single quotes, on one line, and as it was written otherwise", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["loud", "'loud'"],
    ["", "''"],
    ['say "no"', `'say "no"'`],
    ["it's", "'it's'"],
    ["a\nb\u001b[2J", "'a\\nb\\u001b[2J'"],
    ['back\\"slash', `'back\\\\"slash'`],
  ];
  for (const [text, shown] of rows) expect(inQuotes(text)).toBe(shown);
  expect(inQuotes("abcdef", 3)).toBe("'abc…'");
});
