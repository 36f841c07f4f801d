import { describe, expect, test } from "bun:test";
import { type Key, KeyReader } from "../../../src/cli/kit/terminal/terminal-keys.ts";

const ESC = "\x1b";
const char = (text: string): Key => ({ kind: "char", char: text });

function read(...pieces: readonly string[]): Key[] {
  const reader = new KeyReader();
  return pieces.flatMap((piece) => reader.push(piece));
}

describe("keys as terminals send them", () => {
  const rows: readonly (readonly [string, readonly string[], readonly Key[]])[] = [
    ["letters", ["ad"], [char("a"), char("d")]],
    ["a character beyond ASCII is one key", ["é😀"], [char("é"), char("😀")]],
    ["enter, as CR and as LF", ["\r\n"], [{ kind: "enter" }, { kind: "enter" }]],
    ["backspace, as DEL and as BS", ["\x7f\b"], [{ kind: "backspace" }, { kind: "backspace" }]],
    ["arrows, in both modes", [`${ESC}[A${ESC}OB`], [{ kind: "up" }, { kind: "down" }]],
    ["pages", [`${ESC}[5~${ESC}[6~`], [{ kind: "page-up" }, { kind: "page-down" }]],
    [
      "home and end, as three kinds of terminals have them",
      [`${ESC}[H${ESC}[1~${ESC}OF`],
      [{ kind: "home" }, { kind: "home" }, { kind: "end" }],
    ],
    ["an unknown sequence is swallowed whole", [`${ESC}[1;5Pa`], [char("a")]],
    ["a mouse report is swallowed whole", [`${ESC}[<0;1;1Ma`], [char("a")]],
    ["Alt and a key is nothing", [`${ESC}ab`], [char("b")]],
    ["a sequence in pieces", [ESC, "[", "A"], [{ kind: "up" }]],
  ];
  for (const [name, pieces, keys] of rows) test(name, () => expect(read(...pieces)).toEqual([...keys]));
});

describe("what is pasted is never taken for keys", () => {
  const rows: readonly (readonly [string, readonly string[], readonly Key[]])[] = [
    ["whole", [`${ESC}[200~aaa${ESC}[201~d`], [{ kind: "paste", text: "aaa" }, char("d")]],
    ["in pieces", [`${ESC}[20`, "0~a", `a${ESC}[2`, "01~"], [{ kind: "paste", text: "aa" }]],
    ["with sequences in it", [`${ESC}[200~${ESC}[Aa${ESC}[201~`], [{ kind: "paste", text: `${ESC}[Aa` }]],
    ["without an end", [`${ESC}[200~aaa`, "aaa"], []],
  ];
  for (const [name, pieces, keys] of rows) test(name, () => expect(read(...pieces)).toEqual([...keys]));

  test("without an end for very long", () => {
    const keys = read(`${ESC}[200~`, "a".repeat(100_000), "a", `${ESC}[201~d`);
    expect(keys.map(({ kind }) => kind)).toEqual(["paste", "char"]);
  });

  test("also when its escape came long before the rest", () => {
    const reader = new KeyReader();
    expect(reader.push(ESC)).toEqual([]);
    expect(reader.flush()).toEqual([{ kind: "escape" }]);
    expect(reader.push(`[200~a${ESC}[201~`)).toEqual([{ kind: "paste", text: "a" }]);
  });
});

test("an escape with nothing after it is the escape key, once", () => {
  const reader = new KeyReader();
  expect(reader.push(ESC)).toEqual([]);
  expect(reader.isWaiting).toBe(true);
  expect(reader.flush()).toEqual([{ kind: "escape" }]);
  expect(reader.flush()).toEqual([]);
  expect(reader.push("a")).toEqual([char("a")]);
  expect(reader.push("[")).toEqual([char("[")]);
});

test("half a sequence is not given up: its rest would be read as keys", () => {
  const reader = new KeyReader();
  reader.push(`${ESC}[2`);
  expect(reader.isWaiting).toBe(false);
  expect(reader.flush()).toEqual([]);
});
