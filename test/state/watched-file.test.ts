// How often a file that nobody touches is looked at, and that a change is noticed at once all the
// same, however it is saved and however often the name was given to another file.

import { expect, test } from "bun:test";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type FileContent, WatchedFile } from "../../src/state/watched-file.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const SAVES: readonly (readonly [name: string, save: (path: string, text: string) => void])[] = [
  ["in place", (path, text) => writeFileSync(path, text, { mode: 0o600 })],
  [
    "by rename",
    (path, text) => {
      writeFileSync(`${path}.new`, text, { mode: 0o600 });
      renameSync(`${path}.new`, path);
    },
  ],
  [
    "by removing and creating",
    (path, text) => {
      rmSync(path);
      writeFileSync(path, text, { mode: 0o600 });
    },
  ],
];

/** How often the file was looked at, while this runs. */
async function looks(file: WatchedFile, whileMs: number): Promise<number> {
  const seen = new Set<number>();
  for (const end = performance.now() + whileMs; performance.now() < end; await Bun.sleep(5))
    seen.add(file.lookedMs);
  return seen.size - 1;
}

test.concurrent("a file that nobody touches is looked at twice a second, one that has changed more often for a while", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "policy.yaml");
  writeFileSync(path, "first\n", { mode: 0o600 });
  const found: FileContent[] = [];
  const file = new WatchedFile(path, (content) => found.push(content));
  await file.read();
  file.start();
  try {
    await Bun.sleep(3_500);
    // Writes to other files of the folder, as for every audit row, cause no look.
    const beside = setInterval(() => writeFileSync(join(directory.path, "audit.jsonl"), "row\n"), 5);
    const idle = await looks(file, 3_000);
    clearInterval(beside);
    expect(idle).toBeLessThanOrEqual(7);
    expect(idle).toBeGreaterThanOrEqual(2);
    writeFileSync(path, "second\n", { mode: 0o600 });
    await eventually(
      async () => found.length,
      (count) => count === 1,
    );
    expect(await looks(file, 1_000)).toBeGreaterThan(3);
  } finally {
    file.close();
  }
}, 120_000);

test.concurrent("a change is noticed between two looks, after every way to save and ever again", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "policy.yaml");
  writeFileSync(path, "first\n", { mode: 0o600 });
  const found: string[] = [];
  const file = new WatchedFile(path, (content) =>
    found.push(content.kind === "text" ? content.text : content.kind),
  );
  await file.read();
  file.start();
  try {
    for (let round = 0; round < 2; round++)
      for (const [name, save] of SAVES) {
        const text = `${name}, round ${round}: ${"x".repeat(round * 10)}\n`;
        save(path, text);
        await eventually(
          async () => found.at(-1),
          (last) => last === text,
        );
      }
    expect(found.filter((each) => each === "missing")).toEqual([]);
  } finally {
    file.close();
  }
}, 120_000);

test.concurrent("a file that is not there is noticed when it comes", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "settings.yaml");
  const found: string[] = [];
  const file = new WatchedFile(path, (content) => found.push(content.kind));
  expect((await file.read()).kind).toBe("missing");
  file.start();
  try {
    writeFileSync(path, "a: 1\n", { mode: 0o600 });
    await eventually(
      async () => found.join(),
      (kinds) => kinds === "text",
    );
  } finally {
    file.close();
  }
  // Whoever closes it hears nothing more.
  writeFileSync(path, "a: 2\n", { mode: 0o600 });
  await Bun.sleep(700);
  expect(found).toEqual(["text"]);
}, 120_000);
