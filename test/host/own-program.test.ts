// The path of this program that other programs' settings hold: a link that an upgrade keeps, never
// a version's folder.

import { expect, test } from "bun:test";
import { mkdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { lastingPath } from "../../src/host/process/lasting-program.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

async function place(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, "", { mode: 0o755 });
  return path;
}

async function link(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  await symlink(target, path);
}

test("Homebrew: the linked path, else the formula's own link, and after an upgrade the same", async () => {
  await using directory = await temporaryDirectory();
  const prefix = await realpath(directory.path);
  const old = await place(join(prefix, "Cellar/iddio/26.1101.0000/bin/iddio"));
  // Neither link is there: a keg that was never linked.
  expect(lastingPath(old, {})).toBe(old);
  await link(join(prefix, "Cellar/iddio/26.1101.0000"), join(prefix, "opt/iddio"));
  const opt = join(prefix, "opt/iddio/bin/iddio");
  expect(lastingPath(old, {})).toBe(opt);
  await link("../Cellar/iddio/26.1101.0000/bin/iddio", join(prefix, "bin/iddio"));
  expect(lastingPath(old, {})).toBe(join(prefix, "bin/iddio"));
  const next = await place(join(prefix, "Cellar/iddio/26.1201.0000/bin/iddio"));
  await link("../Cellar/iddio/26.1201.0000/bin/iddio", join(prefix, "bin/iddio"));
  await rm(join(prefix, "Cellar/iddio/26.1101.0000"), { recursive: true });
  expect(lastingPath(next, {})).toBe(join(prefix, "bin/iddio"));
  expect(await realpath(join(prefix, "bin/iddio"))).toBe(next);
});

test("a link that leads to another program does not stand for this one", async () => {
  await using directory = await temporaryDirectory();
  const prefix = await realpath(directory.path);
  const own = await place(join(prefix, "Cellar/iddio/26.1101.0000/bin/iddio"));
  await link(await place(join(prefix, "other")), join(prefix, "bin/iddio"));
  expect(lastingPath(own, {})).toBe(own);
});

test("a program that no such manager placed is named as it is", async () => {
  await using directory = await temporaryDirectory();
  const own = await place(join(directory.path, ".local/bin/iddio"));
  expect(lastingPath(own, { HOME: directory.path })).toBe(own);
});
