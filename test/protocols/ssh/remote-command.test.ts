// Remote commands: the table of real ones with their tiers, and the laws that hold for any.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { classifyRemoteCommand } from "../../../src/protocols/ssh/remote-command.ts";
import { unixRows } from "../../../src/protocols/ssh/unix-table.ts";
import { PROJECT_ROOT } from "../../support/source-files.ts";

const ROWS = readFileSync(join(PROJECT_ROOT, "test/truth/data/ssh-commands.tsv"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => {
    const [tier = "", command = "", reason = ""] = line.split("\t");
    return { tier, command, reason };
  });

const tierOf = (command: string) => classifyRemoteCommand(command).classification.tier;

describe("real commands have their tier", () => {
  test("there are at least 150 of them", () => expect(ROWS.length).toBeGreaterThanOrEqual(150));
  for (const { tier, command } of ROWS)
    test(`${tier}: ${command}`, () =>
      expect(classifyRemoteCommand(command).classification).toMatchObject({ tier }));
});

describe("laws", () => {
  const reads = ROWS.filter(({ tier }) => tier === "observe").map(({ command }) => command);

  test("what is added to a read never makes it milder", () => {
    for (const read of reads)
      for (const [more, tier] of [
        ["; reboot", "break-glass"],
        [" && sudo ls", "break-glass"],
        [" | tee /etc/sudoers.d/x", "break-glass"],
        [" > /etc/passwd", "break-glass"],
        ["; rm -rf /srv", "sensitive"],
      ] as const) {
        const { classification } = classifyRemoteCommand(`${read}${more}`);
        const tiers = [classification, ...(classification.parts ?? [])].map((each) => each.tier);
        expect([`${read}${more}`, tiers.includes(tier) || tiers.includes("unknown")]).toEqual([
          `${read}${more}`,
          true,
        ]);
        expect(classification.tier).not.toBe("observe");
      }
  });

  test("a read under another user, in another root or by another shell's script is no read", () => {
    for (const read of reads)
      expect(["break-glass", "unknown"]).toContain(tierOf(`sudo -u root ${read.split(/[;|&<]/)[0]}`));
  });

  test("an option that no row lists makes a read unknown", () => {
    for (const row of unixRows())
      if (row.tier === "observe" && row.grammar !== undefined && row.operands !== "code")
        expect([row.command, tierOf(`${row.command} --zork-does-not-exist`)]).not.toEqual([
          row.command,
          "observe",
        ]);
  });

  test("any text is read without throwing, and within bounds", () => {
    const words = fc.constantFrom(
      "ls",
      "rm",
      "-rf",
      "/",
      "$(",
      ")",
      "`",
      "'",
      '"',
      ";",
      "|",
      "&&",
      ">",
      "<<",
      "{",
      "}",
      "find",
      "-exec",
      "x=1",
      "awk",
      "[[",
      "((",
      "\\",
      "\n",
      "~",
      "*",
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 12 }), fc.string(), (list, noise) => {
        const { classification } = classifyRemoteCommand(`${list.join(" ")}${noise}`);
        return typeof classification.reason === "string";
      }),
      { numRuns: 500 },
    );
  });
});

describe("a rule may name a command", () => {
  const names = (command: string) => {
    const { classification, isExact } = classifyRemoteCommand(command);
    return { isExact, all: [classification.command, ...classification.aliases] };
  };

  test("as typed, by its program, and as a template", () => {
    const { isExact, all } = names("systemctl restart nginx");
    expect(isExact).toBe(true);
    for (const name of ["systemctl restart nginx", "systemctl restart", "systemctl restart <word>"])
      expect(all).toContain(name);
    expect(names("/opt/app/deploy.sh staging 42").all).toContain("/opt/app/deploy.sh <word> <number>");
  });

  test("a template is for one plain word, and never for an option or a list of commands", () => {
    expect(names("systemctl restart --force").all).not.toContain("systemctl restart <word>");
    expect(names("systemctl restart ../x").all).not.toContain("systemctl restart <word>");
    expect(names("rm /srv/../etc/passwd").all).not.toContain("rm <path>");
    for (const command of [
      "systemctl restart nginx; id",
      "systemctl restart $X",
      "systemctl restart nginx > /tmp/x",
      "PATH=/x systemctl restart nginx",
    ])
      expect([command, names(command).isExact]).toEqual([command, false]);
  });
});
