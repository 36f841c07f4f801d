// Commands that are found without the list of all others must be the same ones that the list has.

import { expect, test } from "bun:test";
import { QUICK, quickCommand } from "../../src/cli/quick-commands.ts";
import { COMMANDS } from "../../src/cli/registry.ts";

test("under each word that is looked up quickly are exactly the commands of the list that begin with it", async () => {
  for (const [word, load] of Object.entries(QUICK)) {
    const listed = COMMANDS.filter(({ name }) => name === word || name.startsWith(`${word} `));
    expect(new Set(await load()), word).toEqual(new Set(listed));
    expect(listed.length, word).toBeGreaterThan(0);
  }
});

test("the longest name counts, and what is no command is left to the list", async () => {
  const nameOf = async (...argv: string[]) => (await quickCommand(argv))?.command.name;
  expect(await nameOf("run", "ls")).toBe("run ls");
  expect(await nameOf("run", "--", "ls")).toBe("run");
  expect((await quickCommand(["run", "claude", "ls"]))?.rest).toEqual(["claude", "ls"]);
  expect(await nameOf("hooks", "doctor")).toBeUndefined();
  expect(await nameOf("constructor")).toBeUndefined();
  expect(await nameOf()).toBeUndefined();
});
