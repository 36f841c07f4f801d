import { describe, expect, test } from "bun:test";
import { displayWidth } from "../../src/text/display-width.ts";
import { renderPairs, renderTable } from "../../src/text/table.ts";

test("status lines look as the manual prints them", () => {
  const lines = renderPairs([
    ["daemon", "up"],
    ["pid", "12345"],
    ["uptime", "4s"],
    ["build_version", "v26.0603.1148"],
    ["schema_version", "2"],
    ["proxy_mode", "enforce"],
    ["gone", undefined],
    ["policy", "loaded"],
    ["proxy_listen", "127.0.0.1:9443"],
  ]);
  expect(lines).toEqual([
    "daemon          up",
    "pid             12345",
    "uptime          4s",
    "build_version   v26.0603.1148",
    "schema_version  2",
    "proxy_mode      enforce",
    "policy          loaded",
    "proxy_listen    127.0.0.1:9443",
  ]);
});

describe("a table", () => {
  test("aligns its columns two spaces apart without trailing blanks", () => {
    expect(
      renderTable([
        ["ID", "TIER", "HOST"],
        ["appr_a1b2c3d4", "modify", "a.example"],
        ["appr_00000000", "sensitive", ""],
      ]),
    ).toEqual([
      "ID             TIER       HOST",
      "appr_a1b2c3d4  modify     a.example",
      "appr_00000000  sensitive",
    ]);
  });

  test("keeps a row on its line whatever a cell holds", () => {
    expect(renderTable([["a\nb\x1b[31m", "c"]])).toEqual(["a\\nb\\e[31m  c"]);
  });

  test("aligns wide characters by the columns that they take", () => {
    const lines = renderTable([
      ["日本", "x"],
      ["é", "y"],
      ["abcd", "z"],
    ]);
    expect(lines).toEqual(["日本  x", "é     y", "abcd  z"]);
  });

  test("paints after measuring", () => {
    const lines = renderTable(
      [
        ["a", "b"],
        ["ccc", "d"],
      ],
      (text, column) => (column === 0 ? `<${text}>` : text),
    );
    expect(lines).toEqual(["<a>    b", "<ccc>  d"]);
  });
});

describe("width on a terminal", () => {
  const table: readonly (readonly [text: string, width: number])[] = [
    ["", 0],
    ["abc", 3],
    ["é", 1],
    ["e\u0301", 1],
    ["日本", 4],
    ["😀", 2],
    ["ｱ", 1],
    ["Ａ", 2],
  ];
  for (const [text, width] of table)
    test(`of ${JSON.stringify(text)} is ${width}`, () => expect(displayWidth(text)).toBe(width));
});
