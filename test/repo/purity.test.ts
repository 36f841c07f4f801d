// The four lowest floors decide, and must do so as pure functions: then a decision can be tested as
// a table, replayed from a log and never depends on the hour.

import { expect, test } from "bun:test";
import { sourceFiles } from "../support/source-files.ts";

const PURE = [
  "src/model",
  "src/match",
  "src/wire",
  "src/text",
  "src/protocols",
  "src/policy",
  "src/redaction",
];

const IMPURE: readonly (readonly [RegExp, string])[] = [
  [/\bBun\b/, "Bun"],
  [/\bprocess\s*\./, "process"],
  [/\bconsole\s*\./, "console"],
  [/\bfetch\s*\(/, "fetch"],
  [/\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\s*\(/, "a timer"],
  [/\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)|\bperformance\s*\./, "the clock"],
  [/\bMath\.random\b|\bcrypto\s*\./, "randomness"],
  [/\brequire\s*\(/, "require"],
];

for (const folder of PURE) {
  test(`${folder} is pure`, () => {
    const wrong: string[] = [];
    for (const file of sourceFiles(folder)) {
      for (const { target, isType } of file.imports) {
        if (!isType && /^(?:node|bun)(?::|$)/.test(target))
          wrong.push(`${file.path} imports ${target}; let the caller pass it in`);
      }
      for (const [pattern, name] of IMPURE) {
        if (pattern.test(file.code)) wrong.push(`${file.path} uses ${name}; let the caller pass it in`);
      }
    }
    expect(wrong).toEqual([]);
  });
}
