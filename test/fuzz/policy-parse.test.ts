import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parse } from "yaml";
import { parseInspectEntry } from "../../src/match/inspect-entry.ts";
import { InspectIndex } from "../../src/match/inspect-index.ts";
import { compileNameGlob } from "../../src/match/name-glob.ts";
import { PROTOCOLS } from "../../src/model/protocol.ts";
import { decide } from "../../src/policy/decide/decide.ts";
import { routeOf } from "../../src/policy/decide/route.ts";
import { DEFAULT_POLICY } from "../../src/policy/default-policy.ts";
import { addInspectEntry, removeInspectEntry } from "../../src/policy/edit/edit.ts";
import { parsePolicy } from "../../src/policy/parse/parse.ts";
import { Problems } from "../../src/policy/parse/problems.ts";
import { readYaml } from "../../src/policy/parse/read-yaml.ts";
import { policySchema } from "../../src/policy/parse/schema.ts";
import { treeText } from "../../src/policy/parse/yaml-tree.ts";
import { anyText } from "../support/any-text.ts";
import { fuzzRuns, fuzzSeed } from "../support/fuzz-runs.ts";
import { schemaErrors } from "../support/policy/json-schema.ts";
import { blockArbitrary, plainClassification, policyText } from "../support/policy/policy-arbitraries.ts";
import { policyOf } from "../support/policy/policy-cases.ts";
import { treeOf } from "../support/policy/policy-trees.ts";

/** CI tries the same cases each time. */
const RUNS = { numRuns: fuzzRuns(200), seed: fuzzSeed(1) };
const SCHEMA = policySchema();

const WORDS = [
  "kubectl",
  "fly",
  "ssh",
  "inspect",
  "default",
  "groups",
  "rules",
  "namespaces",
  "apps",
  "names",
  "tiers",
  "commands",
  "allow",
  "deny",
  "observe",
  "break-glass",
  "read",
  "*",
  "a.b",
  "10.0.0.0/8",
  "<<",
  "__proto__",
  "null",
  "~",
  "1",
  "&a",
  "*a",
  "!!str",
  "---",
  "...",
  "%YAML 1.1",
  "?",
  "|",
  ">-",
  "'",
  '"',
  "#",
  "\t",
  "\r\n",
  "\u0000",
  "\ufeff",
  "\ud800",
];
const soup = fc
  .array(
    fc.oneof(
      fc.constantFrom(...WORDS),
      fc.constantFrom(": ", "\n", "\n  ", "\n    ", "- ", "[", "]", "{", "}", ", ", " "),
    ),
    { maxLength: 60 },
  )
  .map((pieces) => pieces.join(""));

/** The default policy with pieces cut out, doubled or put elsewhere. */
const mutilated = fc
  .array(fc.tuple(fc.nat(9_000), fc.nat(200), fc.constantFrom(...WORDS, "")), { maxLength: 4 })
  .map((cuts) =>
    cuts.reduce(
      (text, [at, length, word]) => text.slice(0, at) + word + text.slice(at + length),
      DEFAULT_POLICY,
    ),
  );

function check(text: string): void {
  const parsed = parsePolicy(text);
  if ("policy" in parsed) {
    expect(parsed.policy.blocks.size).toBeGreaterThan(0);
    expect(parsed.warnings.every((one) => one.severity === "warning")).toBe(true);
    return;
  }
  expect(parsed.problems.some((one) => one.severity === "error")).toBe(true);
  const lines = text.split("\n").length + 1;
  for (const { line, column, message } of parsed.problems) {
    expect(message).not.toBe("");
    expect(line >= 1 && line <= lines && column >= 1).toBe(true);
  }
}

describe("parsing a policy never throws and always gives a policy or an error with its place", () => {
  test("for any text", () => fc.assert(fc.property(anyText({ maxLength: 300 }), check), RUNS));
  test("for any soup of YAML", () => fc.assert(fc.property(soup, check), RUNS));
  test("for the default policy with pieces missing", () =>
    fc.assert(fc.property(mutilated, check), { ...RUNS, numRuns: RUNS.numRuns / 4 }));
  test("for any JSON", () => fc.assert(fc.property(fc.json(), check), RUNS));
});

test("a default policy cut at any place never loads with a block laxer than it was", () => {
  const whole = policyOf(DEFAULT_POLICY);
  fc.assert(
    fc.property(fc.nat(DEFAULT_POLICY.length), plainClassification, (at, classification) => {
      const cut = parsePolicy(DEFAULT_POLICY.slice(0, at));
      if ("problems" in cut) return;
      const [before, after] = [decide(whole, classification), decide(cut.policy, classification)];
      if (before.action !== "allow") expect(after.action).not.toBe("allow");
    }),
    { ...RUNS, numRuns: RUNS.numRuns / 4 },
  );
});

/** The text of an object is read as the tree that other tests make of the object. */
function expectSameTree(document: unknown): void {
  const read = readYaml(JSON.stringify(document), new Problems());
  expect(read && [treeText(read), read.size]).toEqual([treeText(treeOf(document)), treeOf(document).size]);
}

describe("parser and schema agree", () => {
  test("on policies that are well-formed", () => {
    fc.assert(
      fc.property(blockArbitrary, (block) => {
        const text = policyText(block);
        expect("policy" in parsePolicy(text)).toBe(true);
        expect(schemaErrors(SCHEMA, parse(text))).toEqual([]);
        expectSameTree({ gcloud: block });
      }),
      RUNS,
    );
  });

  const keys = fc.constantFrom(
    "fly",
    "inspect",
    "default",
    "groups",
    "apps",
    "names",
    "rules",
    "allow",
    "tiers",
    "commands",
    "x",
  );
  const leaf = fc.constantFrom<unknown>(
    "deny",
    "observe",
    "a.b",
    "x",
    "",
    null,
    [],
    {},
    1,
    true,
    ["x"],
    ["observe"],
    ["deny"],
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      leaf,
      fc.dictionary(keys, tie("tree"), { maxKeys: 3, noNullPrototype: true }),
      fc.array(tie("tree"), { maxLength: 2 }),
    ),
  }));
  test("that what the schema refuses does not load", () => {
    fc.assert(
      fc.property(tree, (fly) => {
        const document = { fly };
        expectSameTree(document);
        if (schemaErrors(SCHEMA, document).length > 0)
          expect("problems" in parsePolicy(JSON.stringify(document))).toBe(true);
      }),
      RUNS,
    );
  });
});

const host = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6(),
  fc.constantFrom(
    "*",
    "*.b.c",
    "a.*",
    "10.0.0.0/8",
    "fd00::/8",
    "[::1]",
    "a..b",
    "{a,b}.c",
    "[a",
    "0x7f.1",
    "::ffff:1.2.3.4",
    "x/y",
  ),
  fc.string({ maxLength: 12 }),
);
const entryText = fc
  .tuple(host, fc.constantFrom("", ":443", ":*", ":0", ":x", ":99999", "."))
  .map(([text, end]) => text + end);

describe("inspect entries and names", () => {
  test("any text is read or refused with a reason", () => {
    fc.assert(
      fc.property(entryText, (text) => {
        const parsed = parseInspectEntry(text);
        if ("problem" in parsed) expect(parsed.problem).not.toBe("");
        else expect(parsed.entry.specificity).toBeGreaterThan(0);
        const glob = compileNameGlob(text);
        if (!("problem" in glob)) expect(typeof glob.test(text)).toBe("boolean");
      }),
      RUNS,
    );
  });

  test("an index finds what trying each entry by itself finds", () => {
    fc.assert(
      fc.property(
        fc.array(entryText, { maxLength: 12 }),
        fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6(), host),
        fc.constantFrom(80, 443),
        (texts, target, port) => {
          const entries = texts.flatMap((text) => {
            const parsed = parseInspectEntry(text);
            return "problem" in parsed ? [] : [parsed.entry];
          });
          const all = new InspectIndex(entries.map((entry, value) => ({ entry, value })));
          const matching = entries
            .map((entry, value) => ({ entry, value }))
            .filter((one) => new InspectIndex([one]).lookup(target, port) !== undefined)
            .sort((a, b) => b.entry.specificity - a.entry.specificity || a.value - b.value);
          expect(all.lookup(target, port)?.value).toBe(matching[0]?.value);
        },
      ),
      RUNS,
    );
  });

  test("an entry added by command decides for its host, and removing it gives the text back", () => {
    const plain = fc.oneof(fc.domain(), fc.ipV4());
    fc.assert(
      fc.property(plain, fc.constantFrom(...PROTOCOLS), (name, protocol) => {
        const added = addInspectEntry(DEFAULT_POLICY, protocol, name);
        if (added.kind !== "changed") return;
        const port = protocol === "ssh" ? 22 : 443;
        expect(routeOf(policyOf(added.text), { host: name, port })?.protocol).toBe(protocol);
        const again = addInspectEntry(added.text, protocol, name);
        expect(again.kind).toBe("unchanged");
        const removed = removeInspectEntry(added.text, protocol, name);
        expect(removed.kind).toBe("changed");
        if (removed.kind === "changed" && policyOf(DEFAULT_POLICY).blocks.has(protocol))
          expect(removed.text).toBe(DEFAULT_POLICY);
      }),
      { ...RUNS, numRuns: RUNS.numRuns / 8 },
    );
  });
});
