import { describe, expect, test } from "bun:test";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";

const GOOD = "fly:\n  inspect: [api.fly.io]\n  default: deny\n";

function verdictOn(text: string): string {
  const parsed = parsePolicy(text);
  if ("policy" in parsed) return "loads";
  return parsed.problems.map(({ line, column, message }) => `${line}:${column} ${message}`).join("\n");
}

describe("a part of YAML that could make a policy mean something else than it shows is refused", () => {
  const rows: [name: string, text: string, verdict: string][] = [
    ["a duplicate protocol", `${GOOD}fly:\n  default: allow\n`, "4:1 'fly' is given twice, first in line 1"],
    [
      "a duplicate key",
      "fly:\n  default: deny\n  default: allow\n",
      "3:3 'default' is given twice, first in line 2",
    ],
    [
      "a duplicate key in flow style",
      'fly: { default: deny, "default": allow }\n',
      "1:23 'default' is given twice, first in line 1",
    ],
    [
      "a duplicate group",
      "fly:\n  groups:\n    a: { tiers: [observe] }\n    'a': { tiers: [modify] }\n  rules: { deny: { groups: [a] } }\n",
      "4:5 'a' is given twice, first in line 3",
    ],
    [
      "a duplicate key inside a list",
      "fly:\n  apps:\n    - names: [a]\n      names: [b]\n      rules: { deny: { commands: [x] } }\n",
      "4:7 'names' is given twice, first in line 3",
    ],
    ["a merge key", "aws: &a\n  default: deny\nfly:\n  <<: *a\n", "4:3 merge keys are not supported"],
    [
      "a merge key in quotes",
      'fly:\n  "<<": { default: deny }\n  default: deny\n',
      "2:3 merge keys are not supported",
    ],
    ["a tag of YAML", "fly:\n  default: !!str deny\n", "2:18 the tag '!!str' is not supported"],
    ["a tag on a map", "fly: !!map\n  default: deny\n", "2:3 the tag '!!map' is not supported"],
    [
      "a tag on a list",
      "fly:\n  inspect: !!set [a.b]\n  default: deny\n",
      "2:18 the tag '!!set' is not supported",
    ],
    ["a binary tag", "fly:\n  default: !!binary ZGVueQ==\n", "2:21 the tag '!!binary' is not supported"],
    [
      "a tag of its own",
      "fly:\n  default: !include other.yaml\n",
      "2:21 the tag '!include' is not supported",
    ],
    ["a tag on a key", "!!str fly:\n  default: deny\n", "1:7 the tag '!!str' is not supported"],
    ["two documents", `${GOOD}---\naws:\n  default: deny\n`, "4:1 the file holds several YAML documents"],
    ["two documents after an end mark", `${GOOD}...\n${GOOD}`, "5:1 the file holds several YAML documents"],
    ["an empty second document", `${GOOD}---\n`, "4:1 the file holds several YAML documents"],
    ["YAML 1.1", `%YAML 1.1\n---\n${GOOD}`, "1:1 YAML directives are not supported"],
    ["YAML 1.2, twice", `%YAML 1.2\n%YAML 1.2\n---\n${GOOD}`, "1:1 YAML directives are not supported"],
    ["a tag handle", `%TAG ! tag:example.com,2000:\n---\n${GOOD}`, "1:1 YAML directives are not supported"],
    [
      "a directive that YAML does not know",
      `%FOO bar\n---\n${GOOD}`,
      "1:1 YAML directives are not supported",
    ],
    ["an alias without anchor", "fly:\n  default: *a\n", '2:12 the alias "*a" has no anchor before it'],
    [
      "an alias before its anchor",
      "fly:\n  default: *a\naws:\n  default: &a deny\n",
      '2:12 the alias "*a" has no anchor before it',
    ],
    ["an alias to itself", "fly:\n  inspect: &a [*a]\n", '2:16 the alias "*a" has no anchor before it'],
    ["an alias as key", "fly: &a\n  default: deny\n*a : x\n", "3:1 a key must be a plain word"],
    ["a list as key", "fly:\n  default: deny\n? [a]\n: b\n", "3:3 a key must be a plain word"],
    ["an empty key", "fly:\n  default: deny\n: b\n", "3:1 a key must be a plain word"],
    ["a tab as indent", "fly:\n\tdefault: deny\n", "2:1 a tab is used to indent"],
    ["NUL", "fly:\n  default: deny\u0000\n", "2:16 the file holds the invisible character U+0000"],
    [
      "an escape character in a comment",
      `${GOOD}# \u001b[2J\n`,
      "4:3 the file holds the invisible character U+001B",
    ],
    ["a bidirectional override", `${GOOD}# \u202e\n`, "4:3 the file holds the invisible character U+202E"],
    [
      "a zero-width space",
      "fly:\n  default: de\u200bny\n",
      "2:14 the file holds the invisible character U+200B",
    ],
    ["a second byte order mark", `\ufeff${GOOD}\ufeff`, "4:1 the file holds the invisible character U+FEFF"],
    ["half a surrogate pair", `${GOOD}# \ud800\n`, "4:3 the file holds the invisible character U+D800"],
    [
      "a lone carriage return",
      "fly:\r  default: deny\r",
      "1:5 the file holds a carriage return without a line feed",
    ],
    ["a line separator", `${GOOD}# \u2028aws: {}\n`, "4:3 the file holds the invisible character U+2028"],
    ["an unclosed quote", 'fly:\n  default: "deny\n', '3:1 not valid YAML: missing closing "quote'],
    [
      "an unclosed list",
      "fly:\n  inspect: [a.b\n",
      "3:1 not valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
    [
      "odd indentation",
      "fly:\n  default: deny\n inspect: []\n",
      "3:1 not valid YAML: all mapping items must start at the same column",
    ],
  ];
  for (const [name, text, verdict] of rows)
    test(name, () => expect(verdictOn(text).split("\n")).toContain(verdict));
});

describe("what editors and other systems do to a file does not matter", () => {
  const rows: [name: string, text: string][] = [
    ["a byte order mark", `\ufeff${GOOD}`],
    ["CRLF", GOOD.replaceAll("\n", "\r\n")],
    ["no newline at the end", GOOD.trimEnd()],
    ["a document mark at the start", `---\n${GOOD}`],
    ["a document mark at the end", `${GOOD}...\n`],
    ["JSON", '{"fly":{"inspect":["api.fly.io"],"default":"deny"}}'],
    ["quotes everywhere", '"fly":\n  \'inspect\': ["api.fly.io"]\n  "default": "deny"\n'],
    ["explicit keys", "? fly\n: inspect: [api.fly.io]\n  default: deny\n"],
    ["a list at the indentation of its key", "fly:\n  inspect:\n  - api.fly.io\n  default: deny\n"],
    ["folded and literal texts", "fly:\n  inspect: [api.fly.io]\n  default: >-\n    deny\n"],
    ["an anchor and its alias", "fly:\n  inspect: [api.fly.io]\n  default: &d deny\naws:\n  default: *d\n"],
    ["accents and emoji in a comment", `${GOOD}# Größe 👍 naïve\n`],
  ];
  for (const [name, text] of rows)
    test(name, () => {
      const parsed = parsePolicy(text);
      if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
      const block = parsed.policy.blocks.get("fly");
      expect(block?.fallback.action).toBe("deny");
      expect(block?.inspect.map((one) => one.entry.host)).toEqual(["api.fly.io"]);
      expect(parsed.policy.text).toBe(text);
    });
});

describe("a file made to exhaust the daemon is refused in a moment", () => {
  const doubled = (levels: number): string =>
    Array.from({ length: levels }, (_, level) =>
      level === 0 ? "a0: &a0 [x, x]" : `a${level}: &a${level} [*a${level - 1}, *a${level - 1}]`,
    ).join("\n");
  const commands = Array.from({ length: 2_000 }, (_, index) => `c${index}`).join(", ");
  const rows: [name: string, text: string, verdict: RegExp][] = [
    ["more than 1 MiB", `${GOOD}#${"x".repeat(1024 * 1024)}`, /1:1 the file is larger than 1 MiB/],
    ["more than 1 MiB in UTF-8 only", `${GOOD}#${"ü".repeat(600_000)}`, /1:1 the file is larger than 1 MiB/],
    ["aliases that double 40 times", doubled(40), /too large once its aliases are written out/],
    ["open brackets", "[".repeat(1_000_000), /nested too deeply/],
    ["open braces", "{".repeat(1_000_000), /nested too deeply/],
    ["nested dashes", "- ".repeat(500_000), /nested too deeply/],
    ["nested question marks", "? ".repeat(500_000), /nested too deeply/],
    ["nested brackets, closed", `fly: ${"[".repeat(100)}${"]".repeat(100)}`, /nested too deeply/],
    [
      "nested keys",
      Array.from({ length: 1_000 }, (_, depth) => `${" ".repeat(depth)}k:`).join("\n"),
      /nested too deeply/,
    ],
    [
      "thirty thousand keys",
      Array.from({ length: 30_000 }, (_, index) => `k${index}: 1`).join("\n"),
      /unknown key/,
    ],
    [
      "a group of many commands named by many entries",
      `fly:\n  groups:\n    g: { commands: [${commands}] }\n  apps:\n${"    - { names: [a], rules: { deny: { groups: [g] } } }\n".repeat(2_000)}`,
      /amount to more than 200000 selectors/,
    ],
    [
      "a rules block repeated by alias",
      `fly:\n  rules: &r { deny: { commands: [${commands}] } }\n  apps:\n${"    - { names: [a], rules: *r }\n".repeat(2_000)}`,
      /too large once its aliases are written out/,
    ],
    [
      "thirty thousand anchors",
      `fly:\n  inspect:\n${Array.from({ length: 30_000 }, (_, index) => `  - &a${index} x`).join("\n")}`.slice(
        0,
        1_048_000,
      ),
      /.*/,
    ],
    ["an endless quote", `fly: "${"a\n".repeat(500_000)}`, /not valid YAML/],
    [
      "braces that expand without end",
      `fly:\n  rules:\n    deny: { commands: ["${"{a,b}".repeat(10_000)}"] }\n`,
      /longer than 1024 characters/,
    ],
  ];
  for (const [name, text, verdict] of rows)
    test(name, () => {
      const before = process.threadCpuUsage();
      expect(verdictOn(text)).toMatch(verdict);
      // The library alone needs up to six seconds of a processor for some of these.
      const { user, system } = process.threadCpuUsage(before);
      expect((user + system) / 1_000).toBeLessThan(8_000);
    }, 120_000);
});

test("the largest policy that people write loads", () => {
  const entries = Array.from(
    { length: 2_000 },
    (_, index) =>
      `    - names: [app-${index}, "team-${index}-*"]\n      rules: { deny: { groups: [worst] }, allow: { commands: [c${index}] } }\n`,
  );
  const text = `fly:\n  groups:\n    worst: { tiers: [break-glass] }\n  apps:\n${entries.join("")}`;
  expect(verdictOn(text)).toBe("loads");
});
