import { describe, expect, test } from "bun:test";
import type { Command } from "../../src/cli/kit/command.ts";
import { parseArgv, usageOf } from "../../src/cli/kit/parse-argv.ts";
import { UserError } from "../../src/model/user-error.ts";

const command: Command = {
  name: "approval deny",
  summary: "Refuse",
  args: [{ name: "id" }, { name: "more", isOptional: true, isRest: true }],
  flags: [
    { name: "reason", value: "text", summary: "Why" },
    { name: "last", value: "n", kind: "count", summary: "How many" },
    { name: "filter", value: "key=value", isRepeatable: true, summary: "Which" },
    { name: "json", summary: "As JSON" },
  ],
  run: async () => undefined,
};

describe("a reason arrives as it was typed", () => {
  for (const reason of ["007", "1e3", "true", "", " ", "-x", "--weird", "a=b", "0x10", "null", "é\u202e"]) {
    test(JSON.stringify(reason), () => {
      expect(parseArgv(command, ["a1", "--reason", reason]).flags.text("reason")).toBe(reason);
      expect(parseArgv(command, [`--reason=${reason}`, "a1"]).flags.text("reason")).toBe(reason);
    });
  }
});

describe("the words of a command line", () => {
  test("may hold flags before, between and after the arguments", () => {
    const { args, flags } = parseArgv(command, ["--json", "a", "--filter", "x=1", "b", "--filter=y=2", "-"]);
    expect(args).toEqual(["a", "b", "-"]);
    expect(flags.has("json")).toBe(true);
    expect(flags.texts("filter")).toEqual(["x=1", "y=2"]);
  });

  test("are all arguments after two dashes", () => {
    expect(parseArgv(command, ["--", "--json", "--", "-h"]).args).toEqual(["--json", "--", "-h"]);
  });

  test("of another program are left alone from its name on", () => {
    const raw: Command = { ...command, isRaw: true };
    const words = ["kubectl", "get", "-n", "prod", "--json", "--", "--help"];
    expect(parseArgv(raw, ["--json", ...words])).toMatchObject({ args: words, wantsHelp: false });
  });

  test("a switch with a hyphen takes no word for its value", () => {
    const flags = [{ name: "keep-home", summary: "keep it" }];
    const run = {
      name: "run",
      summary: "s",
      args: [{ name: "c", isOptional: true, isRest: true }],
      flags,
      isRaw: true,
    };
    for (const argv of [
      ["--keep-home", "sh", "-c"],
      ["--keep-home", "--", "sh", "-c"],
    ]) {
      const parsed = parseArgv({ ...run, run: async () => 0 } as never, argv);
      expect([parsed.args, parsed.flags.has("keep-home")]).toEqual([["sh", "-c"], true]);
    }
  });

  test("ask for help wherever it stands, even when the rest is wrong", () => {
    expect(parseArgv(command, ["--reason", "x", "--help", "--wrong"]).wantsHelp).toBe(true);
  });
});

describe("wrong usage", () => {
  const table: readonly (readonly [argv: readonly string[], message: string])[] = [
    [[], "'iddio approval deny' needs <id>"],
    [["a", "--nope"], "unknown flag '--nope' for 'iddio approval deny'"],
    [["a", "--reason"], "flag '--reason' needs a value"],
    [["a", "--reason", "--json"], "flag '--reason' needs a value"],
    [["a", "--last", "-1"], "flag '--last' needs a whole number, not '-1'"],
    [["a", "--last", "1.5"], "flag '--last' needs a whole number, not '1.5'"],
    [["a", "--last", "99999999999"], "flag '--last' needs a whole number, not '99999999999'"],
    [["a", "--constructor", "1"], "unknown flag '--constructor' for 'iddio approval deny'"],
    [["a", "--__proto__=1"], "unknown flag '--__proto__' for 'iddio approval deny'"],
    [["a", "--no-json"], "unknown flag '--no-json' for 'iddio approval deny'"],
    [["a", "--json=false"], "flag '--json' takes no value"],
    [["a", "-json"], "unknown flag '-json' for 'iddio approval deny'"],
    [["a", "-j"], "unknown flag '-j' for 'iddio approval deny'"],
    [["a", "--reason.x=1"], "unknown flag '--reason.x' for 'iddio approval deny'"],
    [["a", "--json", "--json"], "flag '--json' is given twice"],
    [["a", "--json=1"], "flag '--json' takes no value"],
  ];
  for (const [argv, message] of table) {
    test(`${JSON.stringify(argv)}: ${message}`, () => {
      const error = (() => {
        try {
          parseArgv(command, argv);
        } catch (caught) {
          return caught;
        }
      })();
      expect(error).toBeInstanceOf(UserError);
      expect([(error as UserError).message, (error as UserError).exitCode]).toEqual([message, 2]);
    });
  }
});

test("usage shows what is optional and what repeats", () => {
  expect(usageOf(command)).toBe(
    "iddio approval deny <id> [more...] [--reason <text>] [--last <n>] [--filter <key=value>]... [--json]",
  );
});
