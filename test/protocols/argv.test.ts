import { expect, test } from "bun:test";
import {
  type ArgvGrammar,
  isSwitchedOn,
  lastValue,
  programName,
  readArgv,
} from "../../src/protocols/argv.ts";

const GRAMMAR: ArgvGrammar = {
  values: new Set(["namespace", "output"]),
  switches: new Set(["all", "watch"]),
  optional: new Set(["dry-run"]),
  aliases: new Map([
    ["n", "namespace"],
    ["o", "output"],
    ["A", "all"],
    ["w", "watch"],
  ]),
};

test("flags are taken apart as pflag does", () => {
  const rows: readonly (readonly [string, readonly string[], Record<string, readonly string[]>])[] = [
    ["a b", ["a", "b"], {}],
    ["a -n x b", ["a", "b"], { namespace: ["x"] }],
    ["a -nx b", ["a", "b"], { namespace: ["x"] }],
    ["a -n=x b", ["a", "b"], { namespace: ["x"] }],
    ["a --namespace x", ["a"], { namespace: ["x"] }],
    ["a --namespace=x=y", ["a"], { namespace: ["x=y"] }],
    ["a --namespace --all", ["a"], { namespace: ["--all"] }],
    ["-Awn x a", ["a"], { all: ["true"], watch: ["true"], namespace: ["x"] }],
    ["a --all=false", ["a"], { all: ["false"] }],
    ["a --dry-run b", ["a", "b"], { "dry-run": [""] }],
    ["a --dry-run=server", ["a"], { "dry-run": ["server"] }],
    ["a - b", ["a", "-", "b"], {}],
  ];
  for (const [line, words, flags] of rows) {
    const read = readArgv(line.split(" "), GRAMMAR);
    expect([line, read.words, Object.fromEntries(read.flags), read.strange]).toEqual([
      line,
      words,
      flags,
      [],
    ]);
  }
});

test("what follows -- is kept apart", () => {
  const read = readArgv(["a", "--", "-n", "x"], GRAMMAR);
  expect([read.words, read.rest]).toEqual([["a"], ["-n", "x"]]);
});

test("unknown flags and missing values are reported", () => {
  for (const line of ["--frob", "--frob=1", "-z", "-Az", "a -n", "--output"])
    expect(readArgv(line.split(" "), GRAMMAR).strange).toHaveLength(1);
});

test("single-dash long flags and stopping at the first word", () => {
  const read = readArgv(["-chdir=x", "-watch", "plan", "-n"], {
    values: new Set(["chdir"]),
    switches: new Set(["watch"]),
    singleDashLong: true,
    stopAtWord: true,
  });
  expect([read.words, read.rest, lastValue(read, "chdir"), isSwitchedOn(read, "watch")]).toEqual([
    ["plan"],
    ["-n"],
    "x",
    true,
  ]);
});

test("a switch is on unless its last value says false", () => {
  for (const [line, on] of [
    ["--all", true],
    ["--all=1", true],
    ["--all --all=false", false],
    ["--all=F", false],
    ["a", false],
  ] as const)
    expect(isSwitchedOn(readArgv(line.split(" "), GRAMMAR), "all")).toBe(on);
});

test("program names lose folders and .exe", () => {
  for (const [argv0, name] of [
    ["kubectl", "kubectl"],
    ["/usr/bin/kubectl", "kubectl"],
    ["C:\\bin\\kubectl.EXE", "kubectl"],
    [undefined, ""],
    ["", ""],
  ] as const)
    expect(programName(argv0)).toBe(name);
});
