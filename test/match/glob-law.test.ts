// The glob against a matcher of ten lines that tries everything. picomatch compiles the pieces, and
// its own dialect differs: a slash, a quote, a leading dot or an escape that slipped through would
// show here.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { compileGlob } from "../../src/match/glob.ts";
import { fuzzRuns } from "../support/fuzz-runs.ts";

/** Whether a pattern without braces matches: `*` takes each length in turn. */
function matchesSlowly(pattern: string, name: string): boolean {
  if (pattern === "") return name === "";
  if (pattern.startsWith("*")) {
    for (let taken = 0; taken <= name.length; taken++)
      if (matchesSlowly(pattern.slice(1), name.slice(taken))) return true;
    return false;
  }
  const first = name[0];
  if (first === undefined) return false;
  if (pattern.startsWith("[")) {
    const negated = pattern[1] === "!" || pattern[1] === "^";
    const start = negated ? 2 : 1;
    const end = pattern.indexOf("]", start + 1);
    return (
      inClass(pattern.slice(start, end), first) !== negated &&
      matchesSlowly(pattern.slice(end + 1), name.slice(1))
    );
  }
  return (pattern[0] === "?" || pattern[0] === first) && matchesSlowly(pattern.slice(1), name.slice(1));
}

function inClass(body: string, char: string): boolean {
  for (let at = 0; at < body.length; at++) {
    const isRange = body[at + 1] === "-" && at + 2 < body.length;
    const [low = "", high = ""] = isRange ? [body[at], body[at + 2]] : [body[at], body[at]];
    if (char >= low && char <= high) return true;
    if (isRange) at += 2;
  }
  return false;
}

const piece = fc.constantFrom(
  ..."aab-./:@!^+()|$'\"~#%&é\n".split(""),
  "*",
  "*",
  "?",
  "[ab]",
  "[!a]",
  "[^/]",
  "[a-c.]",
  "[]a]",
  "[$-/]",
);
const char = fc.constantFrom(..."aabc-./:@!^+()|$'\"~#%&é\n]".split(""));

test("a pattern matches exactly what trying every length of every star matches", () => {
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 8 }),
      fc.array(fc.array(char, { maxLength: 8 }), { minLength: 1, maxLength: 6 }),
      (pieces, names) => {
        const pattern = pieces.join("");
        const compiled = compileGlob(pattern);
        if ("problem" in compiled) throw new Error(`${pattern}: ${compiled.problem}`);
        for (const name of names.map((chars) => chars.join("")))
          expect([pattern, name, compiled.globs.some((glob) => glob.test(name))]).toEqual([
            pattern,
            name,
            matchesSlowly(pattern, name),
          ]);
      },
    ),
    { numRuns: fuzzRuns(5_000) },
  );
});
