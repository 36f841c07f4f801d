// Help is read in a terminal of 80 columns and 24 lines, by somebody who has just typed something
// wrong.

import { expect, test } from "bun:test";
import { renderCommand, renderNoun, renderOverview } from "../../src/cli/help.ts";
import { COMMANDS, NOUNS } from "../../src/cli/registry.ts";

const VISIBLE = COMMANDS.filter(({ isHidden }) => isHidden !== true);
const nouns = [
  ...new Set(
    VISIBLE.flatMap(({ name }) => {
      const words = name.split(" ");
      return words.slice(1).map((_, index) => words.slice(0, index + 1).join(" "));
    }),
  ),
];

function tooWide(text: string): string[] {
  return text.split("\n").filter((line) => line.length > 80);
}

test("all words that several commands begin with are explained, and no others", () => {
  expect(Object.keys(NOUNS).sort()).toEqual(nouns.sort());
});

test("the overview has every first word and is no wider than a terminal", () => {
  const text = renderOverview(VISIBLE, "v1");
  expect(tooWide(text)).toEqual([]);
  for (const { name } of VISIBLE) expect(text).toContain(`  ${name.split(" ")[0]} `);
});

for (const noun of nouns) {
  test(`help of ${noun} fits a screen and has each of its commands`, () => {
    const text = renderNoun(noun, VISIBLE);
    expect(tooWide(text)).toEqual([]);
    expect(text.split("\n").length).toBeLessThanOrEqual(24);
    for (const { name, summary } of VISIBLE) if (name.startsWith(`${noun} `)) expect(text).toContain(summary);
  });
}

for (const command of VISIBLE) {
  test(`help of ${command.name} fits a screen`, () => {
    const text = renderCommand(command);
    expect(tooWide(text)).toEqual([]);
    expect(text.split("\n").length).toBeLessThanOrEqual(40);
    for (const { name } of command.flags ?? []) expect(text).toContain(`--${name}`);
  });
}

test("a sentence of the details goes on in the same paragraph; lines that fit and tables stay as they are", () => {
  const long = `${"word ".repeat(18)}and so`;
  const details = [long, "on. The end.", "Short.", "  a     table that is its own", "of its own:"];
  const text = renderCommand({ name: "x", summary: "Do", details, run: async () => undefined });
  const lines = text.split("\n").slice(4);
  expect(lines.slice(0, 2).join(" ")).toBe(`${long} on. The end.`);
  expect(lines.slice(2)).toEqual(["Short.", "  a     table that is its own", "of its own:", ""]);
});
