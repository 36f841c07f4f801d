import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROTOCOLS } from "../../../src/model/protocol.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import { MAX_PROBLEMS, type PolicyProblem } from "../../../src/policy/parse/problems.ts";

type Found = [place: string, path: string, message: string, hint?: string];

function errorsOf(text: string): readonly PolicyProblem[] {
  const parsed = parsePolicy(text);
  return "problems" in parsed ? parsed.problems.filter((one) => one.severity === "error") : [];
}

function found({ line, column, path, message, hint }: PolicyProblem): Found {
  return [`${line}:${column}`, path, message, ...(hint === undefined ? [] : [hint])] as Found;
}

const ALLOWED = `allowed: ${PROTOCOLS.join(", ")}`;
const KUBECTL_KEYS = "allowed: inspect, default, groups, namespaces, agents, rules";
const TIERS = "allowed: observe, modify, sensitive, break-glass";
const ACTIONS = "allowed: allow, escalate, deny";

describe("a word that is not allowed is reported where it stands, with what is allowed", () => {
  const rows: [name: string, text: string, found: Found[]][] = [
    [
      "a protocol that does not exist",
      "kubctl:\n  inspect: [a.b]\n",
      [["1:1", "kubctl", "unknown key 'kubctl'", `did you mean 'kubectl'? ${ALLOWED}`]],
    ],
    [
      "a protocol by another name",
      "k8s:\n  inspect: [a.b]\n",
      [["1:1", "k8s", "unknown key 'k8s'", `did you mean 'kubectl'? ${ALLOWED}`]],
    ],
    [
      "a key of a block",
      "kubectl:\n  inspects: [a.b]\n",
      [["2:3", "kubectl.inspects", "unknown key 'inspects'", `did you mean 'inspect'? ${KUBECTL_KEYS}`]],
    ],
    [
      "a scope list of another protocol",
      "kubectl:\n  projects:\n    - names: [a]\n",
      [
        [
          "2:3",
          "kubectl.projects",
          "unknown key 'projects'",
          "'projects' belongs to gcloud; kubectl has namespaces, agents",
        ],
      ],
    ],
    [
      "a scope list where there are none",
      "generic:\n  apps: []\n",
      [["2:3", "generic.apps", "unknown key 'apps'", "'apps' belongs to fly; generic has agents"]],
    ],
    [
      "an action as default",
      "kubectl:\n  default: block\n",
      [["2:12", "kubectl.default", "'block' is not an action", `did you mean 'deny'? ${ACTIONS}`]],
    ],
    [
      "an action in another case",
      "kubectl:\n  default: Deny\n",
      [["2:12", "kubectl.default", "'Deny' is not an action", `did you mean 'deny'? ${ACTIONS}`]],
    ],
    [
      "an action under rules",
      "fly:\n  rules:\n    alow:\n      commands: [x]\n",
      [["3:5", "fly.rules.alow", "unknown key 'alow'", `did you mean 'allow'? ${ACTIONS}`]],
    ],
    [
      "groups directly under rules",
      "fly:\n  rules:\n    groups: [read]\n",
      [["3:5", "fly.rules.groups", "unknown key 'groups'", "put it under an action: allow, escalate, deny"]],
    ],
    [
      "a tier",
      "fly:\n  groups:\n    g: { tiers: [obsrve, unknown, breakglass] }\n  rules:\n    deny: { groups: [g] }\n",
      [
        ["3:18", "fly.groups.g.tiers[0]", "'obsrve' is not a tier", `did you mean 'observe'? ${TIERS}`],
        ["3:26", "fly.groups.g.tiers[1]", "'unknown' is not a tier", TIERS],
        [
          "3:35",
          "fly.groups.g.tiers[2]",
          "'breakglass' is not a tier",
          `did you mean 'break-glass'? ${TIERS}`,
        ],
      ],
    ],
    [
      "a group that does not exist",
      "fly:\n  groups:\n    read: { tiers: [observe] }\n  rules:\n    allow: { groups: [reads, admin] }\n",
      [
        ["5:23", "fly.rules.allow.groups[0]", "unknown group 'reads'", "did you mean 'read'? allowed: read"],
        ["5:30", "fly.rules.allow.groups[1]", "unknown group 'admin'", "allowed: read"],
      ],
    ],
    [
      "a group of another block",
      "fly:\n  groups:\n    read: { tiers: [observe] }\n  rules:\n    allow: { groups: [read] }\naws:\n  rules:\n    allow: { groups: [read] }\n",
      [["8:23", "aws.rules.allow.groups[0]", "unknown group 'read'", "the block has no 'groups'"]],
    ],
    [
      "a group in another case",
      "fly:\n  groups:\n    read: { tiers: [observe] }\n  rules:\n    allow: { groups: [Read] }\n",
      [["5:23", "fly.rules.allow.groups[0]", "unknown group 'Read'", "did you mean 'read'? allowed: read"]],
    ],
    [
      "tiers in a rule",
      "fly:\n  rules:\n    allow:\n      tiers: [observe]\n",
      [
        [
          "4:7",
          "fly.rules.allow.tiers",
          "unknown key 'tiers'",
          "tiers are selected through a group: define one under 'groups' and name it here",
        ],
      ],
    ],
    [
      "keys that objects have by nature",
      "__proto__: {}\nconstructor: {}\nfly:\n  default: toString\n  hasOwnProperty: 1\n",
      [
        ["1:1", "__proto__", "unknown key '__proto__'", ALLOWED],
        ["2:1", "constructor", "unknown key 'constructor'", ALLOWED],
        ["4:12", "fly.default", "'toString' is not an action", ACTIONS],
        [
          "5:3",
          "fly.hasOwnProperty",
          "unknown key 'hasOwnProperty'",
          "allowed: inspect, default, groups, apps, orgs, agents, rules",
        ],
      ],
    ],
  ];
  for (const [name, text, expected] of rows)
    test(name, () => expect(errorsOf(text).map(found)).toEqual(expected));
});

describe("what looks like protection and is none does not load", () => {
  const rows: [name: string, text: string, place: string, path: string, message: RegExp][] = [
    ["an empty rules block", "fly:\n  rules: {}\n", "2:3", "fly.rules", /'rules' is empty/],
    ["rules without anything", "fly:\n  rules:\n  default: deny\n", "2:9", "fly.rules", /'rules' is empty/],
    ["an empty branch", "fly:\n  rules:\n    deny: {}\n", "3:5", "fly.rules.deny", /'deny' selects nothing/],
    [
      "a branch without anything",
      "fly:\n  rules:\n    deny:\n",
      "3:5",
      "fly.rules.deny",
      /'deny' selects nothing/,
    ],
    [
      "a branch of empty lists",
      "fly:\n  rules:\n    deny: { groups: [], commands: [] }\n",
      "3:5",
      "fly.rules.deny",
      /selects nothing/,
    ],
    [
      "a group of nothing",
      "fly:\n  groups:\n    g: { tiers: [] }\n",
      "3:5",
      "fly.groups.g",
      /the group 'g' selects nothing/,
    ],
    [
      "a group of empty keys",
      "fly:\n  groups:\n    g: {}\n",
      "3:5",
      "fly.groups.g",
      /the group 'g' selects nothing/,
    ],
    ["a scope list of nothing", "fly:\n  apps: []\n", "2:3", "fly.apps", /'apps' is empty/],
    [
      "a scope entry without rules",
      "fly:\n  apps:\n    - names: [x]\n",
      "3:7",
      "fly.apps[0]",
      /has no 'rules'/,
    ],
    [
      "a scope entry without names",
      "fly:\n  apps:\n    - rules: { deny: { commands: [x] } }\n",
      "3:7",
      "fly.apps[0]",
      /has no 'names'/,
    ],
    [
      "a scope entry for no name",
      "fly:\n  apps:\n    - names: []\n      rules: { deny: { commands: [x] } }\n",
      "3:7",
      "fly.apps[0].names",
      /'names' is empty/,
    ],
    [
      "an empty branch in a scope entry",
      "fly:\n  apps:\n    - names: [x]\n      rules: { deny: {} }\n",
      "4:16",
      "fly.apps[0].rules.deny",
      /selects nothing/,
    ],
    [
      "an inspect list without anything",
      "fly:\n  inspect:\n  default: deny\n",
      "2:3",
      "fly.inspect",
      /'inspect' is empty/,
    ],
    ["a default without anything", "fly:\n  default:\n", "2:11", "fly.default", /an action is missing/],
    ["a block without anything", "fly:\n", "1:5", "fly", /the block 'fly' is empty/],
    ["a block of no keys", "fly: {}\n", "1:1", "fly", /the block 'fly' is empty/],
    ["an empty file", "", "1:1", "", /has no protocol block/],
    ["a file of comments", "# kubectl:\n#   default: deny\n", "1:1", "", /has no protocol block/],
    ["a block of SSH without keys", "ssh: {}\n", "1:1", "ssh", /the block 'ssh' is empty/],
  ];
  for (const [name, text, place, path, message] of rows)
    test(name, () => {
      const [first] = errorsOf(text);
      expect([`${first?.line}:${first?.column}`, first?.path]).toEqual([place, path]);
      expect(first?.message).toMatch(message);
    });
});

describe("what has the wrong shape is said in words", () => {
  const rows: [text: string, path: string, message: string, hint?: string][] = [
    ["[fly]\n", "", "a policy must be a mapping, not a list"],
    ["fly\n", "", "a policy must be a mapping, not a text"],
    ["fly: x\n", "fly", "the block 'fly' must be a mapping, not a text"],
    [
      "fly:\n  inspect: a.b\n",
      "fly.inspect",
      "this must be a list, not a text",
      'write it as a list: ["a.b"]',
    ],
    ["fly:\n  inspect: { a: b }\n", "fly.inspect", "this must be a list, not a mapping"],
    [
      "fly:\n  inspect: [[a]]\n",
      "fly.inspect[0]",
      "an inspect entry must be a text, not a list",
      "put the text in quotes",
    ],
    ["fly:\n  inspect:\n    -\n", "fly.inspect[0]", "an inspect entry must be a text, not empty"],
    [
      "fly:\n  inspect: [a: b]\n",
      "fly.inspect[0]",
      "an inspect entry must be a text, not a mapping",
      "put the text in quotes",
    ],
    ["fly:\n  inspect: [null]\n", "fly.inspect[0]", "an inspect entry must be a text, not empty"],
    ["fly:\n  default: [deny]\n", "fly.default", "a list is not an action", ACTIONS],
    ["fly:\n  groups: [a]\n", "fly.groups", "'groups' must be a mapping, not a list"],
    ["fly:\n  groups:\n    a: [observe]\n", "fly.groups.a", "the group 'a' must be a mapping, not a list"],
    [
      "fly:\n  groups:\n    a: { tiers: observe }\n",
      "fly.groups.a.tiers",
      "this must be a list, not a text",
      'write it as a list: ["observe"]',
    ],
    ["fly:\n  rules: [a]\n", "fly.rules", "'rules' must be a mapping, not a list"],
    ["fly:\n  rules:\n    deny: [a]\n", "fly.rules.deny", "'deny' must be a mapping, not a list"],
    [
      "fly:\n  rules:\n    deny: { commands: x }\n",
      "fly.rules.deny.commands",
      "this must be a list, not a text",
      'write it as a list: ["x"]',
    ],
    [
      "fly:\n  apps: { names: [a] }\n",
      "fly.apps",
      "'apps' must be a list, not a mapping",
      "each entry has 'names' and 'rules'",
    ],
    ["fly:\n  apps: [a]\n", "fly.apps[0]", "an entry of 'apps' must be a mapping, not a text"],
    [
      "fly:\n  rules:\n    deny: { commands: ['a[b'] }\n",
      "fly.rules.deny.commands[0]",
      `'a[b' is not a command: '[' is never closed`,
    ],
    [
      "fly:\n  apps:\n    - names: ['a{b']\n      rules: { deny: { commands: [x] } }\n",
      "fly.apps[0].names[0]",
      `'a{b' is not a name or glob: '{' is never closed`,
    ],
  ];
  for (const [text, path, message, hint] of rows)
    test(JSON.stringify(text), () => {
      const [first] = errorsOf(text);
      expect([first?.path, first?.message, first?.hint]).toEqual([path, message, hint]);
    });
});

describe("everything may be inspected under generic only", () => {
  const texts = [
    "*",
    "*:443",
    "*:*",
    "*.*",
    "**",
    "?*",
    "*.*.*",
    "{*,a.b}",
    "0.0.0.0/0",
    "1.2.3.4/0",
    "::/0",
    "[::/0]:443",
  ];
  for (const text of texts)
    test(text, () => {
      const listed = `\n  inspect: [${JSON.stringify(text)}]\n`;
      expect(errorsOf(`generic:${listed}`)).toEqual([]);
      for (const protocol of ["kubectl", "aws", "terraform"]) {
        const [first] = errorsOf(`${protocol}:${listed}`);
        expect(first?.message).toBe(`'${text}' covers every host, which only 'generic' may`);
        expect(first?.hint).toBe(`name the hosts of ${protocol}, or list it under 'generic'`);
        expect(first?.path).toBe(`${protocol}.inspect[0]`);
      }
    });
});

describe("what is odd but harmless is a warning", () => {
  const rows: [text: string, warnings: Found[]][] = [
    [
      "fly:\n  inspect: [a.b, A.B]\naws:\n  inspect:\n    - a.b\n",
      [
        ["2:18", "fly.inspect[1]", "'A.B' is already listed under fly in line 2"],
        [
          "5:7",
          "aws.inspect[0]",
          "'a.b' is already listed under fly in line 2",
          "fly wins, as it comes first",
        ],
      ],
    ],
    [
      "fly:\n  groups:\n    a: { tiers: [observe] }\n",
      [["3:5", "fly.groups.a", "no rule names the group 'a'"]],
    ],
    [
      'fly:\n  apps:\n    - names: [a, "*"]\n      rules: { deny: { commands: [x] } }\n    - names: [b]\n      rules: { deny: { commands: [x] } }\n',
      [["5:7", "fly.apps[1]", "never reached: the entry in line 3 matches every name", "move it up"]],
    ],
    ...(
      [
        ["cloudflare", "zones", "example.com", "ids of 32 hexadecimal digits, as the API does"],
        ["aws", "accounts", "prod", "the twelve digits of an account"],
        ["gcloud", "projects", "123456789", "ids of projects, not their numbers"],
        ["gcloud", "orgs", "example.com", "the numbers of organizations"],
        ["github", "repos", "web", "owner/name"],
      ] as const
    ).map(([protocol, keyword, name, form]): [string, Found[]] => [
      `${protocol}:\n  ${keyword}:\n    - names: ["${name}", "*"]\n      rules: { deny: { commands: [x] } }\n`,
      [
        [
          "3:15",
          `${protocol}.${keyword}[0].names[0]`,
          `'${name}' is not how requests spell it`,
          `${keyword} take ${form}`,
        ],
      ],
    ]),
    [
      'github:\n  repos:\n    - names: [acme/web, "*-prod", "acme/*"]\n      rules: { deny: { commands: [x] } }\n',
      [],
    ],
  ];
  for (const [text, warnings] of rows)
    test(JSON.stringify(text), () => {
      const parsed = parsePolicy(text);
      expect("warnings" in parsed ? parsed.warnings.map(found) : parsed.problems.map(found)).toEqual(
        warnings,
      );
    });
});

test("every problem of a file is reported at once, in file order", () => {
  const text = [
    "kubctl: {}",
    "fly:",
    "  inspect: ['*', a..b]",
    "  default: ask",
    "  groups:",
    "    read: { tiers: [reed] }",
    "  apps:",
    "    - names: ['[']",
    "      rules: {}",
    "  rules:",
    "    allow: { groups: [raed] }",
  ].join("\n");
  const problems = errorsOf(text);
  expect(problems.map((one) => one.line)).toEqual([1, 3, 3, 4, 6, 8, 9, 11]);
});

test("a file with hundreds of problems shows the first ones and says how many are left", () => {
  const text = `fly:\n  rules:\n    deny:\n      groups:\n${"        - x\n".repeat(MAX_PROBLEMS + 50)}`;
  const problems = errorsOf(text);
  expect(problems.length).toBe(MAX_PROBLEMS + 1);
  expect(problems.at(-1)?.message).toBe("50 more problems are not shown");
});

test("terraform and helm have blocks like any other", () => {
  const block = "\n  inspect: [state.example.com]\n  default: escalate\n";
  expect(errorsOf(`terraform:${block}helm:${block}`)).toEqual([]);
});

test("names and commands that look like numbers or words of YAML stay as they are written", () => {
  const text =
    "fly:\n  apps:\n    - names: [123, 1e3, 0x10, true, no, 2020-01-01, '007']\n      rules: { deny: { commands: [1.0] } }\n";
  const parsed = parsePolicy(text);
  if ("problems" in parsed) throw new Error(parsed.problems[0]?.message);
  const entries = parsed.policy.blocks.get("fly")?.scopes[0]?.entries;
  for (const name of ["123", "1e3", "0x10", "true", "no", "2020-01-01", "007"])
    expect([name, entries?.first(name)?.commands.first("1.0")?.action]).toEqual([name, "deny"]);
  for (const name of ["1000", "16", "7"]) expect(entries?.first(name)).toBeUndefined();
});

describe("every policy that the manual prints loads", () => {
  const blocks = readFileSync(join(import.meta.dir, "manual-policies.txt"), "utf8").split("---\n");
  blocks.forEach((block, index) => {
    test(`${index}: ${block.split("\n", 3).join(" ").slice(0, 60)}`, () =>
      expect(errorsOf(block)).toEqual([]));
  });
});
