// The two halves of the suite: files that compute in the runner's own process, and files that run other programs.

import { sourceFiles } from "../source-files.ts";

/** Test files by their path from the project's root, with `./` in front: the runner takes such a path as it is. */
export interface SuiteHalves {
  /** Neither they nor what they import from `test` starts a program; they need no built one. */
  readonly computing: readonly string[];
  readonly programs: readonly string[];
}

const STARTS_A_PROGRAM = /\bBun\.spawn|\bBun\.\$|\bchromium\.launch|\bbuiltBinary\b/;
const CHILD_PROCESS = /^(?:node:)?child_process$/;

/** Reads all test files and what they import. */
export function suiteHalves(): SuiteHalves {
  const files = sourceFiles("test");
  const starting = new Set(
    files
      .filter(
        ({ code, imports }) =>
          STARTS_A_PROGRAM.test(code) || imports.some(({ target }) => CHILD_PROCESS.test(target)),
      )
      .map(({ path }) => path),
  );
  // Who imports one that does, does so too.
  for (let before = -1; before !== starting.size; ) {
    before = starting.size;
    for (const { path, imports } of files)
      if (imports.some(({ target, isType }) => !isType && starting.has(target))) starting.add(path);
  }
  const tests = files.map(({ path }) => path).filter((path) => path.endsWith(".test.ts"));
  const named = (chosen: readonly string[]) => chosen.map((path) => `./${path}`);
  return {
    computing: named(tests.filter((path) => !starting.has(path))),
    programs: named(tests.filter((path) => starting.has(path))),
  };
}
