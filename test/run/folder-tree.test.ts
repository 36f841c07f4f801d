// The folders that are remembered between looks for repositories: whatever an agent does to them, a
// look finds what reading all of them would find.

import { describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { mkdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { foldersIn } from "../../src/features/run/control-files/control-files.ts";
import { repositoriesBelow } from "../../src/features/run/control-files/deep-repositories.ts";
import { FolderTree, isSettled } from "../../src/features/run/control-files/folder-tree.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const LONG_MS = 60_000;
const ROUNDS = 60;
const NAMES = ["a", "b", "node_modules", "vendor", ".cargo"];

/** Paths of everything that a look found, and of everything that there is. */
async function bothWays(tree: FolderTree, folder: string) {
  const { near, repositories } = await tree.look();
  const marked = (listed: readonly { readonly path: string; readonly names: ReadonlySet<string> }[]) =>
    listed.map(({ path, names }) => [path, names.has(".git"), names.has(".envrc")].join()).sort();
  return [
    { near: marked(near), deep: repositories.map(({ path }) => path).sort() },
    {
      near: marked(await foldersIn(folder)),
      deep: (await repositoriesBelow(folder)).map(({ path }) => path).sort(),
    },
  ];
}

/** Resolves when a change from now on has another time than everything until now. */
async function nextTimes(): Promise<void> {
  await Bun.sleep(70);
}

/** Numbers that look like chance and are the same every time. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

describe("a look finds what is there", () => {
  test(
    "after any changes, whether or not they came long after the look before",
    async () => {
      await using directory = await temporaryDirectory();
      const folder = join(directory.path, "project");
      await mkdir(folder);
      const tree = new FolderTree(folder);
      const pick = chance(20_261_130);
      const find = [
        "find",
        folder,
        "-mindepth",
        "1",
        "-name",
        ".git",
        "-prune",
        "-o",
        "-type",
        "d",
        "-print",
      ];
      const folders = () => Bun.spawnSync(find).stdout.toString().split("\n").slice(0, -1);
      for (let round = 0; round < ROUNDS; round += 1) {
        const all = [folder, ...folders()];
        const one = all[pick(all.length)] ?? folder;
        const other = all[pick(all.length)] ?? folder;
        const name = NAMES[pick(NAMES.length)] ?? "a";
        const work = [
          () => mkdir(join(one, name, "x/y"), { recursive: true }),
          () => mkdir(join(one, ".git"), { recursive: true }),
          () => writeFile(join(one, ".envrc"), ""),
          () => rename(one, join(other, name)),
          () => rename(join(one, ".git"), join(other, ".git")),
          () => (one === folder ? undefined : rm(one, { recursive: true })),
          () => symlink(one, join(other, `link${round}`)),
          () => utimes(one, 0, 0),
        ];
        // Moving a folder into itself and the like cannot be done, and is left out.
        await Promise.resolve(work[pick(work.length)]?.()).catch(() => undefined);
        if (pick(3) === 0) await nextTimes();
        const [found, real] = await bothWays(tree, folder);
        expect([round, found]).toEqual([round, real]);
      }
      expect(tree.remembers).toBe(true);
    },
    LONG_MS,
  );

  test(
    "a repository that comes into a folder whose time is set back, and one whose folder takes another's place",
    async () => {
      await using directory = await temporaryDirectory();
      const at = (name: string) => join(directory.path, name);
      for (const name of ["deep/1/2/3/4/5", "other/4/5"]) await mkdir(at(name), { recursive: true });
      await mkdir(at("other/4/5/.git"));
      const { atime, mtime } = statSync(at("deep/1/2/3/4"));
      await nextTimes();
      const tree = new FolderTree(at("deep"));
      expect((await tree.look()).repositories).toEqual([]);
      await nextTimes();
      await mkdir(at("deep/1/2/3/4/.git"));
      await utimes(at("deep/1/2/3/4"), atime, mtime);
      const paths = async () => (await tree.look()).repositories.map(({ path }) => path);
      expect(await paths()).toEqual([at("deep/1/2/3/4/.git")]);
      await nextTimes();
      await paths();
      await rename(at("deep/1/2/3/4"), at("old"));
      await rename(at("other/4"), at("deep/1/2/3/4"));
      expect(await paths()).toEqual([at("deep/1/2/3/4/5/.git")]);
    },
    LONG_MS,
  );

  test(
    "in folders whose names are no UTF-8, and whose paths are longer than the system takes",
    async () => {
      await using directory = await temporaryDirectory();
      const at = (name: string) => join(directory.path, name);
      for (const name of ["odd", "long"]) await mkdir(at(name));
      const sh = (script: string) =>
        Bun.spawnSync(["/bin/bash", "-c", script], { cwd: directory.path }).exitCode;
      const odd = new FolderTree(at("odd"));
      const long = new FolderTree(at("long"));
      for (const tree of [odd, long]) expect((await tree.look()).repositories).toEqual([]);
      await nextTimes();
      const name = "n".repeat(250);
      expect(sh(`mkdir -p $'odd/\\377/.git'`)).toBe(0);
      const script = `cd long; for i in {1..20}; do mkdir ${name}; cd ${name} || exit; done; mkdir .git`;
      expect(sh(script)).toBe(0);
      expect((await odd.look()).repositories).toHaveLength(1);
      expect((await long.look()).repositories).toHaveLength(1);
      expect((await long.look()).repositories[0]?.steps).toHaveLength(20);
      expect(sh("rm -rf long")).toBe(0);
    },
    LONG_MS,
  );
});

test(
  "a second look reads only what has changed",
  async () => {
    await using directory = await temporaryDirectory();
    const folder = join(directory.path, "project");
    for (let each = 0; each < 30; each += 1) await mkdir(join(folder, `f${each}/g/h`), { recursive: true });
    await nextTimes();
    const tree = new FolderTree(folder);
    expect((await tree.look()).read).toBe(1 + 3 * 30);
    expect((await tree.look()).read).toBe(0);
    await mkdir(join(folder, "f7/g/new"));
    expect((await tree.look()).read).toBe(2);
    await rename(join(folder, "f8/g"), join(folder, "g"));
    await nextTimes();
    await tree.look();
    expect((await tree.look()).read).toBe(0);
  },
  LONG_MS,
);

test("a last look that is the first one finds all of it, too", async () => {
  await using directory = await temporaryDirectory();
  await mkdir(join(directory.path, "a/b/c/d/e/f/.git"), { recursive: true });
  const tree = new FolderTree(directory.path);
  expect((await tree.lookLast()).repositories).toHaveLength(1);
  await tree.look();
  expect((await tree.lookLast()).repositories).toHaveLength(1);
});

test("a look that is no longer wanted ends", async () => {
  await using directory = await temporaryDirectory();
  const ending = new AbortController();
  ending.abort(new Error("ended"));
  await expect(new FolderTree(directory.path).look(ending.signal)).rejects.toThrow("ended");
});

test("a time is relied on once the clock of files has passed it", () => {
  const rows = [
    { changedMs: 1_000_000.5, nowMs: 1_000_040, settled: false },
    { changedMs: 1_000_000.5, nowMs: 1_000_060, settled: true },
    // A file system that counts seconds.
    { changedMs: 1_000_000, nowMs: 1_001_500, settled: false },
    { changedMs: 1_000_000, nowMs: 1_003_001, settled: true },
    // The clock was set back.
    { changedMs: 1_000_000.5, nowMs: 900_000, settled: false },
  ];
  for (const { changedMs, nowMs, settled } of rows)
    expect([changedMs, nowMs, isSettled(changedMs, nowMs)]).toEqual([changedMs, nowMs, settled]);
});
