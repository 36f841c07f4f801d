import { describe, expect, test } from "bun:test";
import {
  decodePercent,
  parseQuery,
  readPathDecodeFirst,
  readPathSplitFirst,
  splitTarget,
} from "../../src/wire/path.ts";

test("a target is split at its first question mark", () => {
  expect(splitTarget("/a%3Fb")).toEqual({ path: "/a%3Fb", query: undefined });
  expect(splitTarget("/a?")).toEqual({ path: "/a", query: "" });
  expect(splitTarget("/a?b?c")).toEqual({ path: "/a", query: "b?c" });
});

describe("percent-decoding", () => {
  const cases: [text: string, decoded: string | undefined][] = [
    ["", ""],
    ["a+b", "a+b"],
    ["a%20b%2Fc%2f", "a b/c/"],
    ["%C3%A4", "\u00e4"],
    ["%25", "%"],
    ["%2525", "%25"],
    ["%", undefined],
    ["%2", undefined],
    ["%zz", undefined],
    ["%u0041", undefined],
    ["%C3", undefined],
    ["%C0%AF", undefined],
    ["%E0%80%AF", undefined],
    ["%ED%A0%80", undefined],
    ["%F4%90%80%80", undefined],
    ["%FF", undefined],
  ];
  for (const [text, decoded] of cases)
    test(`${JSON.stringify(text)} is ${JSON.stringify(decoded)}`, () =>
      expect(decodePercent(text)).toBe(decoded as never));
});

type Row = [path: string, reading: string[] | string];

/** Both dialects agree on these; a text is the reason why the path is ambiguous. */
const BOTH: Row[] = [
  ["/", []],
  ["/api", ["api"]],
  ["/api/", ["api"]],
  ["/api/v1/namespaces/a-b/pods/x.y_z", ["api", "v1", "namespaces", "a-b", "pods", "x.y_z"]],
  ["/a%20b/c%2Bd/e+f", ["a b", "c+d", "e+f"]],
  ["/caf%C3%A9", ["caf\u00e9"]],
  ["/...", ["..."]],
  ["/.a/..b/c..", [".a", "..b", "c.."]],
  ["/arn%3Aaws%3Aeks", ["arn:aws:eks"]],
  ["", "path does not start with a slash"],
  ["*", "path does not start with a slash"],
  ["api", "path does not start with a slash"],
  ["//", "empty segment in the path"],
  ["//api", "empty segment in the path"],
  ["/api//v1", "empty segment in the path"],
  ["/api/v1//", "empty segment in the path"],
  ["/a/./b", "dot segment in the path"],
  ["/a/../b", "dot segment in the path"],
  ["/..", "dot segment in the path"],
  ["/a\\b", "backslash in the path"],
  ["/a%5Cb", "backslash in the path"],
  ["/a%00b", "control character in the path"],
  ["/a%0Ab", "control character in the path"],
  ["/a%7f", "control character in the path"],
  ["/a%", "malformed percent-encoding in the path"],
  ["/a%2", "malformed percent-encoding in the path"],
  ["/a%GG", "malformed percent-encoding in the path"],
  ["/a%C0%AE%C0%AE/b", "malformed percent-encoding in the path"],
];

const DECODE_FIRST: Row[] = [
  ...BOTH,
  ["/a%2Fb", "encoded slash in the path"],
  ["/a%2fb", "encoded slash in the path"],
  ["/%2e%2e/b", "encoded dot in the path"],
  ["/.%2E/b", "encoded dot in the path"],
  ["/a%2eb", "encoded dot in the path"],
  ["/%252e%252e/b", "percent sign in the decoded path"],
  ["/a%252fb", "percent sign in the decoded path"],
  ["/100%25", "percent sign in the decoded path"],
  ["/pods;x=1/log", "path parameter"],
  ["/pods%3Bx/log", "path parameter"],
  ["/a/..;/b", "path parameter"],
];

const SPLIT_FIRST: Row[] = [
  ...BOTH,
  ["/storage/v1/b/bk/o/a%2Fb%2fc", ["storage", "v1", "b", "bk", "o", "a/b/c"]],
  ["/tags/arn%3Aaws%3Aeks%3Aeu%3A1%3Acluster%2Ffoo", ["tags", "arn:aws:eks:eu:1:cluster/foo"]],
  ["/a%2F%2Fb", ["a//b"]],
  ["/100%25", ["100%"]],
  ["/a%252Fb", ["a%2Fb"]],
  ["/a%2eb", ["a.b"]],
  ["/a;b=c", ["a;b=c"]],
  ["/%2e%2e/b", "dot segment in the path"],
  ["/.%2E/b", "dot segment in the path"],
  ["/%2e", "dot segment in the path"],
  ["/a%2F..%2Fb", "dot segment in the path"],
  ["/..%2Fb", "dot segment in the path"],
  ["/a%2F.", "dot segment in the path"],
  ["/..;/b", "dot segment in the path"],
  ["/..%3Bx/b", "dot segment in the path"],
];

for (const [dialect, read, rows] of [
  ["decode first", readPathDecodeFirst, DECODE_FIRST],
  ["split first", readPathSplitFirst, SPLIT_FIRST],
] as const)
  describe(`a path, ${dialect}:`, () => {
    for (const [path, reading] of rows)
      test(JSON.stringify(path), () =>
        expect(read(path)).toEqual(
          typeof reading === "string"
            ? { kind: "ambiguous", reason: reading }
            : { kind: "ok", segments: reading },
        ),
      );
  });

describe("a query is read as", () => {
  const cases: [query: string | undefined, pairs: [string, string][] | undefined][] = [
    [undefined, []],
    ["", []],
    ["&&", []],
    ["a", [["a", ""]]],
    ["a=", [["a", ""]]],
    ["=b", [["", "b"]]],
    ["a=b=c", [["a", "b=c"]]],
    [
      "a=1&b=2&a=3",
      [
        ["a", "1"],
        ["b", "2"],
        ["a", "3"],
      ],
    ],
    ["a+b=c+d%2B", [["a b", "c d+"]]],
    ["a%3Db=%26", [["a=b", "&"]]],
    ["watch=%C3%A4", [["watch", "\u00e4"]]],
    ["a=b;c=d", undefined],
    ["a=%", undefined],
    ["%zz=1", undefined],
    ["a=%FF", undefined],
  ];
  for (const [query, pairs] of cases)
    test(JSON.stringify(query) ?? "nothing", () => expect(parseQuery(query)).toEqual(pairs));
});
