// The C library by its whole path: a file of its name in the working directory is never what is
// loaded.

import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { cLibraries, kindOfCLibrary, loadedCLibraries, usualPlaces } from "../../src/state/c-library.ts";
import { sourceFiles } from "../support/source-files.ts";

test("what is tried is absolute, and on Linux it is what this process has loaded", () => {
  expect([...cLibraries("darwin")]).toEqual(["/usr/lib/libSystem.B.dylib"]);
  expect([...cLibraries("win32")]).toEqual([]);
  if (process.platform !== "linux") return;
  expect([...cLibraries()].length).toBeGreaterThan(0);
  for (const path of cLibraries()) expect([isAbsolute(path), existsSync(path)]).toEqual([true, true]);
});

test("glibc, musl and Nix are found in the maps, other libraries and relative names are not", () => {
  const maps = [
    "7f0-7f1 r-xp 00000000 08:01 1  /usr/lib/x86_64-linux-gnu/libc.so.6",
    "7f0-7f1 r--p 00000000 08:01 1  /usr/lib/x86_64-linux-gnu/libc.so.6",
    "7f0-7f1 r-xp 00000000 08:01 2  /lib/ld-musl-x86_64.so.1",
    "7f0-7f1 r-xp 00000000 08:01 3  /nix/store/abc-glibc-2.40/lib/libc.so.6",
    "7f0-7f1 r-xp 00000000 08:01 4  /usr/lib/libcrypto.so.3",
    "7f0-7f1 r-xp 00000000 08:01 5  libc.so.6",
    "7f0-7f1 rw-p 00000000 00:00 0 ",
  ].join("\n");
  expect(loadedCLibraries(maps)).toEqual([
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
    "/lib/ld-musl-x86_64.so.1",
    "/nix/store/abc-glibc-2.40/lib/libc.so.6",
  ]);
});

test("a compiled program looks in the usual places of its own kind of library alone", () => {
  expect(usualPlaces("glibc", "x64")).toEqual(["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6"]);
  expect(usualPlaces("musl", "arm64")).toEqual(["/lib/ld-musl-aarch64.so.1"]);
  expect(usualPlaces("glibc", "riscv64")).toEqual([]);
  for (const kind of ["glibc", "musl"] as const)
    for (const path of usualPlaces(kind, "x64"))
      expect([isAbsolute(path), kindOfCLibrary(`7f0-7f1 r-xp 00000000 08:01 1  ${path}`)]).toEqual([
        true,
        kind,
      ]);
});

test("anyone who opens a library takes its path from there", () => {
  const wrong = sourceFiles("src")
    .filter((file) => /\bdlopen\(/.test(file.code))
    .filter((file) => !file.imports.some(({ target }) => target === "src/state/c-library.ts"))
    .map(({ path }) => path);
  expect(wrong).toEqual([]);
});
