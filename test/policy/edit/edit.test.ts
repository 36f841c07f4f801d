import { describe, expect, test } from "bun:test";
import { PROTOCOLS, type Protocol } from "../../../src/model/protocol.ts";
import { DEFAULT_POLICY } from "../../../src/policy/default-policy.ts";
import { addInspectEntry, type PolicyEdit, removeInspectEntry } from "../../../src/policy/edit/edit.ts";
import { policyOf } from "../../support/policy/policy-cases.ts";

function textOf(edit: PolicyEdit): string {
  if (edit.kind === "changed") return edit.text;
  throw new Error(`${edit.kind}: ${edit.message}`);
}

function listedUnder(text: string, protocol: Protocol): readonly string[] {
  return (
    policyOf(text)
      .blocks.get(protocol)
      ?.inspect.map((one) => one.entry.text) ?? []
  );
}

describe("an entry is added as the last of its list, and nothing else changes", () => {
  const rows: [name: string, before: string, after: string][] = [
    [
      "after a list with comments",
      'fly: # c0\n  # c1\n  inspect: # c2\n    # c3\n    - "a.b" # c4\n\n    - c.d\n    # c5\n\n  default: deny # c6\n# c7\n',
      'fly: # c0\n  # c1\n  inspect: # c2\n    # c3\n    - "a.b" # c4\n\n    - c.d\n    - "x.y"\n    # c5\n\n  default: deny # c6\n# c7\n',
    ],
    [
      "at the indentation of the list",
      "fly:\n    inspect:\n    - a.b\n    default: deny\n",
      'fly:\n    inspect:\n    - a.b\n    - "x.y"\n    default: deny\n',
    ],
    [
      "in a file without a last newline",
      "fly:\n  inspect:\n    - a.b",
      'fly:\n  inspect:\n    - a.b\n    - "x.y"',
    ],
    [
      "in a file with CRLF",
      "fly:\r\n  inspect:\r\n    - a.b # c\r\n  default: deny\r\n",
      'fly:\r\n  inspect:\r\n    - a.b # c\r\n    - "x.y"\r\n  default: deny\r\n',
    ],
    [
      "in a file with a byte order mark",
      "\ufefffly:\n  inspect:\n    - a.b\n",
      '\ufefffly:\n  inspect:\n    - a.b\n    - "x.y"\n',
    ],
    ["in brackets", "fly:\n  inspect: [a.b, 'c.d'] # c\n", "fly:\n  inspect: [a.b, 'c.d', \"x.y\"] # c\n"],
    [
      "in brackets over lines",
      "fly:\n  inspect: [\n    a.b, # c1\n    c.d, # c2\n  ]\n",
      'fly:\n  inspect: [\n    a.b, # c1\n    c.d, "x.y", # c2\n  ]\n',
    ],
    [
      "in empty brackets",
      "fly:\n  inspect: [] # c\n  default: deny\n",
      'fly:\n  inspect: ["x.y"] # c\n  default: deny\n',
    ],
    [
      "in empty brackets with a comment",
      "fly:\n  inspect: [\n    # c\n  ]\n",
      'fly:\n  inspect: ["x.y"\n    # c\n  ]\n',
    ],
    [
      "in a block without a list",
      "fly: # c\n  # c2\n  default: deny\n",
      'fly: # c\n  inspect:\n    - "x.y"\n  # c2\n  default: deny\n',
    ],
    [
      "in a deeper block without a list",
      "fly:\n      default: deny\n",
      'fly:\n      inspect:\n            - "x.y"\n      default: deny\n',
    ],
    [
      "in a block in braces",
      "fly: { inspect: [a.b], default: deny }\n",
      'fly: { inspect: [a.b, "x.y"], default: deny }\n',
    ],
    [
      "in a block in braces without a list",
      "fly: { default: deny }\n",
      'fly: {inspect: ["x.y"],  default: deny }\n',
    ],
    [
      "in JSON",
      '{"fly":{"inspect":["a.b"],"default":"deny"}}\n',
      '{"fly":{"inspect":["a.b", "x.y"],"default":"deny"}}\n',
    ],
    [
      "when another block has an anchor",
      "aws: &a\n  default: deny\nfly:\n  inspect: [a.b]\n",
      'aws: &a\n  default: deny\nfly:\n  inspect: [a.b, "x.y"]\n',
    ],
  ];
  for (const [name, before, after] of rows)
    test(name, () => {
      expect(textOf(addInspectEntry(before, "fly", "x.y"))).toBe(after);
      expect(listedUnder(after, "fly").at(-1)).toBe("x.y");
    });
});

describe("an entry is removed with its line, and nothing else changes", () => {
  const rows: [name: string, before: string, after: string][] = [
    [
      "from the middle",
      "fly:\n  inspect:\n    - a.b # c1\n    # c2\n    - x.y # c3\n    # c4\n    - c.d\n",
      "fly:\n  inspect:\n    - a.b # c1\n    # c2\n    # c4\n    - c.d\n",
    ],
    ["from the end of the file", "fly:\n  inspect:\n    - a.b\n    - x.y", "fly:\n  inspect:\n    - a.b\n"],
    [
      "the only one",
      "fly:\n  inspect: # c\n    - x.y # c2\n  default: deny\n",
      "fly:\n  inspect: [] # c\n  default: deny\n",
    ],
    ["with CRLF", "fly:\r\n  inspect:\r\n    - x.y\r\n    - a.b\r\n", "fly:\r\n  inspect:\r\n    - a.b\r\n"],
    ["first in brackets", "fly:\n  inspect: [x.y, a.b, c.d] # c\n", "fly:\n  inspect: [a.b, c.d] # c\n"],
    [
      "in the middle of brackets",
      "fly:\n  inspect: [a.b, x.y, c.d] # c\n",
      "fly:\n  inspect: [a.b, c.d] # c\n",
    ],
    ["last in brackets", "fly:\n  inspect: [a.b, x.y]\n", "fly:\n  inspect: [a.b]\n"],
    ["alone in brackets", "fly:\n  inspect: [x.y]\n", "fly:\n  inspect: []\n"],
    [
      "in brackets over lines",
      "fly:\n  inspect: [\n    a.b, # c1\n    x.y, # c2\n    c.d, # c3\n  ]\n",
      "fly:\n  inspect: [\n    a.b, # c1\n    # c2\n    c.d, # c3\n  ]\n",
    ],
    [
      "a line of its own in brackets",
      "fly:\n  inspect: [\n    a.b,\n    x.y,\n    c.d\n  ]\n",
      "fly:\n  inspect: [\n    a.b,\n    c.d\n  ]\n",
    ],
    [
      "the last line in brackets",
      "fly:\n  inspect: [\n    a.b,\n    x.y\n  ]\n",
      "fly:\n  inspect: [\n    a.b\n  ]\n",
    ],
    [
      "in every spelling",
      "fly:\n  inspect:\n    - x.y\n    - X.Y.\n    - a.b\n    - x.y:*\n",
      "fly:\n  inspect:\n    - a.b\n",
    ],
    [
      "in JSON",
      '{"fly":{"inspect":["a.b","x.y"],"default":"deny"}}\n',
      '{"fly":{"inspect":["a.b"],"default":"deny"}}\n',
    ],
  ];
  for (const [name, before, after] of rows)
    test(name, () => expect(textOf(removeInspectEntry(before, "fly", "x.y"))).toBe(after));
});

describe("a missing block comes with its default groups", () => {
  for (const protocol of ["aws", "github", "cloudflare", "generic"] as const)
    test(`${protocol} is uncommented where the seeded file has it`, () => {
      const text = textOf(addInspectEntry(DEFAULT_POLICY, protocol, "api.internal.example"));
      expect(listedUnder(text, protocol)).toEqual(["api.internal.example"]);
      expect(text).not.toContain(`# ${protocol}:`);
      const block = policyOf(text).blocks.get(protocol);
      expect(
        [...(block?.rules?.tiers ?? [])].map(([tier, verdict]) => [tier, verdict.action]).sort(),
      ).toEqual([
        ["break-glass", "deny"],
        ["modify", "escalate"],
        ["observe", "allow"],
        ["sensitive", "escalate"],
      ]);
    });

  for (const protocol of ["kubectl", "gcloud", "fly", "aws", "helm", "terraform"] as const)
    test(`${protocol} is appended where there is none`, () => {
      const before = "cloudflare:\n  default: deny";
      const text = textOf(addInspectEntry(before, protocol, "api.internal.example"));
      expect(text.startsWith(`${before}\n\n${protocol}:\n`)).toBe(true);
      expect(listedUnder(text, protocol)).toEqual(["api.internal.example"]);
      expect(policyOf(text).blocks.get(protocol)?.rules?.tiers.get("break-glass")?.action).toBe("deny");
    });

  test("the usual hosts stay as comments when only one was asked for", () => {
    const text = textOf(addInspectEntry(DEFAULT_POLICY, "github", "api.github.com"));
    expect(listedUnder(text, "github")).toEqual(["api.github.com"]);
    expect(text).toContain(
      'github:\n  inspect:\n    - "api.github.com"\n    # - "uploads.github.com"\n    # - "github.com"\n',
    );
  });

  test("everything may be listed under generic", () => {
    expect(listedUnder(textOf(addInspectEntry(DEFAULT_POLICY, "generic", "*")), "generic")).toEqual(["*"]);
  });

  test("a commented-out block that would not load is left alone", () => {
    const before = "fly:\n  default: deny\n# aws:\n#   default: maybe\n";
    const text = textOf(addInspectEntry(before, "aws", "a.b"));
    expect(text.startsWith(before)).toBe(true);
    expect(listedUnder(text, "aws")).toEqual(["a.b"]);
  });

  test("a block commented out without spaces is uncommented too", () => {
    const before =
      "fly:\n  default: deny\n#aws:\n#  inspect: [old.example]\n#  default: deny\n# not part of it\n";
    const text = textOf(addInspectEntry(before, "aws", "a.b"));
    expect(text).toBe('fly:\n  default: deny\naws:\n  inspect: ["a.b"]\n  default: deny\n# not part of it\n');
  });

  test("CRLF stays CRLF", () => {
    const before = DEFAULT_POLICY.replaceAll("\n", "\r\n");
    const text = textOf(addInspectEntry(before, "aws", "*.amazonaws.com"));
    expect(text.replaceAll("\r\n", "")).not.toContain("\n");
  });
});

describe("an edit that would change nothing says so", () => {
  const policy =
    "generic:\n  inspect: [same.example]\naws:\n  inspect: ['*.amazonaws.com', 10.0.0.0/8]\nkubectl:\n  inspect: ['*.eks.amazonaws.com']\n";
  const rows: [protocol: Protocol, entry: string, message: string][] = [
    ["aws", "*.amazonaws.com", "aws already inspects '*.amazonaws.com' (line 4)"],
    ["aws", "*.AmazonAWS.com:*", "aws already inspects '*.amazonaws.com' (line 4)"],
    ["aws", "sts.amazonaws.com", "aws already inspects this through '*.amazonaws.com' (line 4)"],
    ["aws", "*.s3.amazonaws.com:443", "aws already inspects this through '*.amazonaws.com' (line 4)"],
    ["aws", "10.1.2.3", "aws already inspects this through '10.0.0.0/8' (line 4)"],
    ["aws", "10.1.0.0/16", "aws already inspects this through '10.0.0.0/8' (line 4)"],
    [
      "aws",
      "same.example",
      "generic already inspects 'same.example' (line 2) and wins, as it comes first in the file",
    ],
    [
      "fly",
      "same.example",
      "generic already inspects 'same.example' (line 2) and wins, as it comes first in the file",
    ],
  ];
  for (const [protocol, entry, message] of rows)
    test(`${protocol} ${entry}`, () =>
      expect(addInspectEntry(policy, protocol, entry)).toEqual({ kind: "unchanged", message }));

  test("unless another block decides for it now", () => {
    const text = textOf(addInspectEntry(policy, "aws", "x.eks.amazonaws.com"));
    expect(listedUnder(text, "aws")).toEqual(["*.amazonaws.com", "10.0.0.0/8", "x.eks.amazonaws.com"]);
  });

  test("unless its block comes first", () => {
    expect(addInspectEntry(policy, "generic", "*.eks.amazonaws.com").kind).toBe("changed");
  });

  const removals: [protocol: Protocol, entry: string, message: string][] = [
    ["aws", "sts.amazonaws.com", "aws does not list 'sts.amazonaws.com'; did you mean '*.amazonaws.com'?"],
    ["aws", "*.amazonaw.com", "aws does not list '*.amazonaw.com'; did you mean '*.amazonaws.com'?"],
    ["fly", "a.b", "fly lists nothing to inspect"],
    ["aws", "https://x", "aws does not list 'https://x'"],
  ];
  for (const [protocol, entry, message] of removals)
    test(`removing ${entry} from ${protocol}`, () =>
      expect(removeInspectEntry(policy, protocol, entry)).toEqual({ kind: "unchanged", message }));
});

describe("what cannot be edited is refused, with what to do", () => {
  const rows: [name: string, text: string, entry: string, message: RegExp][] = [
    ["a policy with errors", "fly:\n  default: maybe\n", "a.b", /has errors/],
    [
      "an entry that is none",
      "fly:\n  default: deny\n",
      "https://a.b/",
      /cannot be inspected: write the host alone/,
    ],
    ["everything under another protocol than generic", "fly:\n  default: deny\n", "*", /only 'generic' may/],
    [
      "a list behind an alias",
      "aws:\n  inspect: &hosts [a.b]\nfly:\n  inspect: *hosts\n",
      "c.d",
      /cannot be edited by command/,
    ],
    [
      "a list that another block shares",
      "fly:\n  inspect: &hosts [a.b]\naws:\n  inspect: *hosts\n",
      "c.d",
      /cannot be edited by command/,
    ],
  ];
  for (const [name, text, entry, message] of rows)
    test(name, () => {
      const edit = addInspectEntry(text, "fly", entry);
      expect(edit.kind).toBe("refused");
      expect(edit.message).toMatch(message);
    });
});

test("every protocol can be added to a policy without its block and to the default one, with its default rules", () => {
  for (const protocol of PROTOCOLS)
    for (const text of [MINIMAL, DEFAULT_POLICY]) {
      const after = textOf(addInspectEntry(text, protocol, "added.example"));
      expect([protocol, listedUnder(after, protocol).at(-1)]).toEqual([protocol, "added.example"]);
      if (protocol !== "fly" || text !== MINIMAL)
        expect(policyOf(after).blocks.get(protocol)?.rules).toBeDefined();
    }
});

const MINIMAL = "fly:\n  inspect: [a.b]\n  default: deny\n";
