import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compileGlob, type Glob } from "../../src/match/glob.ts";
import { globCells } from "../../src/match/glob-cells.ts";
import { fuzzRuns } from "../support/fuzz-runs.ts";

function globs(...patterns: string[]): Glob[] {
  return patterns.flatMap((pattern) => {
    const compiled = compileGlob(pattern);
    if ("problem" in compiled) throw new Error(compiled.problem);
    return compiled.globs;
  });
}

describe("the cells of some globs", () => {
  const rows: [patterns: string[], signatures: string[]][] = [
    [[], [""]],
    [["prod"], ["0", "1"]],
    [
      ["prod", "prod-*"],
      ["00", "01", "10"],
    ],
    [
      ["prod-*", "*-db"],
      ["00", "01", "10", "11"],
    ],
    [
      ["*", "a"],
      ["10", "11"],
    ],
    [
      ["a?", "ab"],
      ["00", "10", "11"],
    ],
    [
      ["[a-c]", "[!b]"],
      ["00", "01", "10", "11"],
    ],
    [
      ["x*y", "x*z"],
      ["00", "01", "10"],
    ],
  ];
  for (const [patterns, signatures] of rows)
    test(patterns.join(" ") || "(none)", () => {
      const cells = globCells(globs(...patterns)) ?? [];
      expect(cells.map(({ matched }) => matched.map(Number).join("")).sort()).toEqual(signatures);
    });

  test("are too many to say when the patterns multiply", () => {
    const many = Array.from({ length: 12 }, (_, index) => `*${"abcdefghijkl"[index]}?????????*`);
    expect(globCells(globs(...many), 2_000)).toBeUndefined();
  });
});

const pattern = fc
  .array(fc.constantFrom("a", "b", "-", "*", "?", "[ab]", "[!a]"), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join(""));
const name = fc.string({ unit: fc.constantFrom("a", "b", "c", "-", "/"), maxLength: 7 });

test("each cell's name is in it, and no name is outside of all cells", () => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 4 }), fc.array(name, { maxLength: 30 }), (patterns, names) => {
      const compiled = globs(...patterns);
      const cells = globCells(compiled);
      if (cells === undefined) return;
      const signatureOf = (text: string) => compiled.map((glob) => glob.test(text));
      for (const cell of cells) expect(signatureOf(cell.name)).toEqual([...cell.matched]);
      const known = new Set(cells.map(({ matched }) => matched.join()));
      for (const text of names.filter((each) => each !== ""))
        expect(known.has(signatureOf(text).join())).toBe(true);
    }),
    { numRuns: fuzzRuns(2_000) },
  );
});
