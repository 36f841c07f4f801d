import { describe, expect, test } from "bun:test";
import { parse } from "yaml";
import { PROTOCOLS } from "../../../src/model/protocol.ts";
import { DEFAULT_POLICY } from "../../../src/policy/default-policy.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import { policySchema } from "../../../src/policy/parse/schema.ts";
import { CLASSIFIERS } from "../../../src/protocols/registry.ts";
import { schemaErrors } from "../../support/policy/json-schema.ts";
import { readPolicyCases } from "../../support/policy/policy-cases.ts";

const SCHEMA = policySchema();

describe("the schema accepts what the parser accepts", () => {
  const texts = new Map(readPolicyCases().map(([name, file]) => [name, file.policy]));
  texts.set("default-policy.yaml", DEFAULT_POLICY);
  for (const [name, text] of texts) test(name, () => expect(schemaErrors(SCHEMA, parse(text))).toEqual([]));
});

describe("what the schema refuses the parser refuses too", () => {
  const rows: unknown[] = [
    {},
    [],
    "fly",
    null,
    { kubctl: {} },
    { fly: null },
    { fly: {} },
    { fly: { inspects: [] } },
    { fly: { inspect: "a.b" } },
    { fly: { inspect: [""] } },
    { fly: { inspect: [["a"]] } },
    { fly: { default: "Deny" } },
    { fly: { projects: [] } },
    { fly: { groups: { a: {} } } },
    { fly: { groups: { a: { tiers: [] } } } },
    { fly: { groups: { a: { tiers: ["all"] } } } },
    { fly: { groups: { a: { verbs: ["x"] } } } },
    { fly: { rules: {} } },
    { fly: { rules: { allow: {} } } },
    { fly: { rules: { allow: { groups: [] } } } },
    { fly: { rules: { allow: { tiers: ["observe"] } } } },
    { fly: { rules: { block: { commands: ["x"] } } } },
    { fly: { apps: [] } },
    { fly: { apps: [{}] } },
    { fly: { apps: [{ names: ["a"] }] } },
    { fly: { apps: [{ names: [], rules: { deny: { commands: ["x"] } } }] } },
    { fly: { apps: [{ names: [""], rules: { deny: { commands: ["x"] } } }] } },
  ];
  for (const row of rows)
    test(JSON.stringify(row), () => {
      expect(schemaErrors(SCHEMA, row)).not.toEqual([]);
      expect("problems" in parsePolicy(JSON.stringify(row))).toBe(true);
    });
});

test("every protocol and every scope list of its classifier is in the schema", () => {
  const properties = SCHEMA.properties as Record<string, { properties: Record<string, unknown> }>;
  expect(Object.keys(properties)).toEqual([...PROTOCOLS]);
  for (const { protocol, scopes } of CLASSIFIERS)
    expect(Object.keys(properties[protocol]?.properties ?? {})).toEqual([
      "inspect",
      "default",
      ...(protocol === "mcp" ? ["trust_annotations", "hide_denied"] : []),
      "groups",
      ...scopes.map((scope) => scope.keyword),
      "agents",
      "rules",
    ]);
});
