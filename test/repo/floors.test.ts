// Which folder may import which. A lower floor that imported a higher one could no longer be
// understood, or tested, without it.

import { expect, test } from "bun:test";
import { readSource, type SourceFile, sourceFiles } from "../support/source-files.ts";

const FLOORS: Readonly<Record<string, number>> = {
  model: 0,
  match: 1,
  wire: 1,
  text: 1,
  classify: 2,
  policy: 3,
  state: 4,
  ca: 5,
  host: 5,
  ipc: 5,
  gateway: 6,
  cli: 7,
};
/** Files beside the folders: two that anybody may import, and the top. */
const ROOT_FILES: Readonly<Record<string, number>> = { "reflect.ts": -1, "version.ts": -1, "main.ts": 8 };

const files = sourceFiles("src");

function folderOf(path: string): string {
  return path.split("/")[1] ?? "";
}

function floorOf(path: string): number {
  const folder = folderOf(path);
  const floor = FLOORS[folder] ?? ROOT_FILES[folder];
  if (floor === undefined)
    throw new Error(`${path}: the folder has no floor; give it one in this test and in ARCHITECTURE.md`);
  return floor;
}

test("a folder imports only folders on lower floors, or itself", () => {
  const wrong: string[] = [];
  for (const file of files) {
    for (const { target, isOwn } of file.imports) {
      if (!isOwn || folderOf(target) === folderOf(file.path)) continue;
      if (!target.startsWith("src/")) wrong.push(`${file.path} imports ${target}, which is outside src`);
      else if (floorOf(target) >= floorOf(file.path)) {
        wrong.push(
          `${file.path} (floor ${floorOf(file.path)}) imports ${target} (floor ${floorOf(target)}): only lower floors may be imported`,
        );
      }
    }
  }
  expect(wrong).toEqual([]);
});

test("every import of an own file names the file with its .ts", () => {
  const wrong = files.flatMap((file) =>
    file.imports
      .filter(({ target, isOwn }) => isOwn && !/\.(?:ts|json|yaml|txt|bin|gz)$/.test(target))
      .map(({ target }) => `${file.path} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

/** What is evaluated when main.ts is, whatever command was typed. */
function eagerClosure(): ReadonlyMap<string, string> {
  const importers = new Map<string, string>([["src/main.ts", ""]]);
  const queue: SourceFile[] = [readSource("src/main.ts")];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    for (const { target, isOwn, isType, isLazy } of file.imports) {
      if (isType || isLazy || importers.has(target)) continue;
      importers.set(target, file.path);
      if (isOwn && target.endsWith(".ts")) queue.push(readSource(target));
    }
  }
  return importers;
}

test("starting the program evaluates nothing heavy", () => {
  const cheap =
    /^src\/(?:model|text|cli|ipc\/(?:client|methods)\.ts|state\/paths\.ts|wire\/ndjson\.ts|policy\/did-you-mean\.ts|reflect\.ts|version\.ts|main\.ts)/;
  // Measured: node:os and node:path cost nothing, node:fs two milliseconds, node:tty four.
  const cheapModules = new Set(["node:os", "node:path"]);
  const heavy = [...eagerClosure()]
    .filter(([target]) => !cheap.test(target) && !cheapModules.has(target))
    .map(
      ([target, importer]) =>
        `${importer} imports ${target} eagerly; \`iddio status --quiet\` pays for it at every shell start`,
    );
  expect(heavy).toEqual([]);
});

test("main.ts imports the Reflect shim before anything else", () => {
  expect(readSource("src/main.ts").imports[0]?.target).toBe("src/reflect.ts");
});
