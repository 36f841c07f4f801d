// Suggestions for a policy in the style of docs/policy.md: groups by tier, a list of namespaces, a
// deny by command. What nobody should learn never holds back its neighbours, one list of commands
// is written once, and a person reads each reason once.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suggestionLines } from "../../../src/features/policy/suggest-report.ts";
import type { Entry, EntryFields } from "../../../src/model/entry.ts";
import { knownNames } from "../../../src/policy/compare/catalogue.ts";
import { decide } from "../../../src/policy/decide/decide.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { recordedRequest } from "../../../src/policy/replay/row-facts.ts";
import { Observations } from "../../../src/policy/suggest/observations.ts";
import { suggest } from "../../../src/policy/suggest/suggest.ts";
import { PROJECT_ROOT } from "../../support/source-files.ts";

const PAGE = readFileSync(join(PROJECT_ROOT, "docs/policy.md"), "utf8");
const SHOWN = /^```yaml\n(kubectl:\n {2}inspect: [\s\S]*?)^```$/m.exec(PAGE)?.[1] ?? "";

/** The page's policy, with a person asked about changes in dev, and prod beside it. */
const POLICY = SHOWN.replace(
  /^ {8}allow:\n {10}groups: \[read, mutate\]\n {10}commands: .*\n {8}escalate:\n {10}groups: \[delete\]\n/m,
  "        allow:\n          groups: [read]\n        escalate:\n          groups: [mutate, delete]\n",
).replace(
  /^ {2}rules:/m,
  '    - names: [prod, "prod-*"]\n      rules:\n        allow: { groups: [read] }\n        deny: { groups: [delete, admin, exec] }\n  rules:',
);

function policyOf(text: string): Policy {
  const parsed = parsePolicy(text);
  if ("problems" in parsed) throw new Error(`${parsed.problems[0]?.message}\n${text}`);
  return parsed.policy;
}

let number = 0;
function rows(count: number, command: string, namespace: string, fields: EntryFields = {}): readonly Entry[] {
  const [resource = "", verb = ""] = command.split(" ");
  return Array.from({ length: count }, () => {
    number += 1;
    return {
      timestamp_ms: number,
      op: fields.outcome === "denied" ? "block" : "mitm",
      hash: `h${number}`,
      fields: {
        request_id: `r${number}`,
        host: "my-cluster.corp",
        port: 6443,
        method: verb === "create" ? "POST" : verb === "delete" ? "DELETE" : "PATCH",
        path: `/api/v1/namespaces/${namespace}/${resource}`,
        protocol: "kubectl",
        tier: "modify",
        command,
        labels: { namespace },
        classifier: "v1",
        decision: "allow",
        outcome: "approved",
        status: 200,
        ...fields,
      },
    };
  });
}

function suggested(entries: readonly Entry[], text = POLICY) {
  const policy = policyOf(text);
  const seen = new Observations(policy);
  for (const row of entries) seen.add(row);
  const suggestion = suggest(policy, seen.all, knownNames, (ms) => `day ${ms}`);
  const learnt = suggestion.rules.flatMap(({ heldBack, command, scope }) =>
    heldBack === undefined ? [`${command} in ${scope?.name}`] : [],
  );
  return { ...suggestion, learnt: learnt.sort(), after: policyOf(suggestion.text) };
}

function answers({ after }: { readonly after: Policy }, entries: readonly Entry[]): readonly string[] {
  return entries.map(({ fields }) => {
    const recorded = recordedRequest(fields);
    return recorded === undefined ? "" : decide(after, recorded.classification).action;
  });
}

test("the page's policy is the one that is tried", () => {
  expect(SHOWN).toContain("groups: [read, mutate]");
  expect(POLICY).not.toContain("groups: [read, mutate]");
  expect(POLICY).toContain('names: [prod, "prod-*"]');
});

describe("what must not be learnt", () => {
  const everyday = () => [...rows(3, "services patch", "dev"), ...rows(3, "ingresses patch", "dev")];
  const patched = (count: number, fields: EntryFields = {}) => rows(count, "endpoints patch", "dev", fields);
  const elsewhere = rows(1, "leases patch", "prod", { tier: "sensitive" });
  /** A kind with the reason that is told, if any, and its rows. */
  const banned: readonly (readonly [string, string | undefined, readonly Entry[]])[] = [
    ["break-glass", "break-glass is never", rows(9, "rolebindings patch", "dev", { tier: "break-glass" })],
    ["sensitive", "sensitive requests are never", rows(9, "secrets get", "dev", { tier: "sensitive" })],
    ["denied", "denied it", [...patched(9), ...patched(1, { outcome: "denied" })]],
    ["timed out", undefined, patched(9, { outcome: "timed_out", decision: "escalate" })],
    ["refused by the policy", undefined, patched(9, { outcome: "refused", decision: "deny" })],
    ["refused upstream", undefined, patched(9, { status: 403 })],
    ["seen once", "seen once", patched(1)],
    ["sensitive by its body", "deny sensitive first", rows(9, "deployments patch", "dev")],
    ["unknown", "cannot be classified", patched(9, { tier: "unknown" })],
    ["of another tier at times", "another tier", [...rows(9, "leases patch", "dev"), ...elsewhere]],
  ];
  for (const [what, why, forbidden] of banned)
    test(`${what}: it stays with a person, and what is learnt in the same namespace stays learnt`, () => {
      const found = suggested([...everyday(), ...forbidden]);
      expect(found.learnt).toEqual(["ingresses patch in dev", "services patch in dev"]);
      expect(answers(found, forbidden)).not.toContain("allow");
      expect(new Set(answers(found, everyday()))).toEqual(new Set(["allow"]));
      const reason = found.rules.find(({ command }) => command === forbidden[0]?.fields.command)?.heldBack;
      if (why === undefined) expect(reason).toBeUndefined();
      else expect(reason).toContain(why);
    });

  test("more of it than is tried at once leaves room for the rest", () => {
    const types =
      "pods podtemplates replicationcontrollers deployments replicasets statefulsets daemonsets jobs cronjobs";
    const forbidden = types
      .split(" ")
      .flatMap((type) =>
        ["dev", "sandbox-a"].flatMap((namespace) =>
          ["create", "update", "patch"].flatMap((verb) => rows(9, `${type} ${verb}`, namespace)),
        ),
      );
    expect(forbidden.length / 9).toBeGreaterThan(40);
    const found = suggested([...everyday(), ...forbidden]);
    expect(found.learnt).toEqual(["ingresses patch in dev", "services patch in dev"]);
    expect(answers(found, forbidden)).not.toContain("allow");
  });
});

test("a config map is created where its name says nothing about access", () => {
  const found = suggested([
    ...rows(2, "configmaps create", "dev"),
    ...rows(2, "configmaps create", "kube-system"),
  ]);
  expect(found.learnt).toEqual(["configmaps create in dev"]);
  expect(answers(found, rows(1, "configmaps create", "kube-system"))).toEqual(["escalate"]);
});

describe("one list of commands is written once", () => {
  const PREVIEWS = ["preview-1041", "preview-1042", "preview-1043"];
  const count = (text: string, part: string) => text.split(part).length - 1;

  test("for names and patterns", () => {
    const entries = ["payments", "shop", ...PREVIEWS].flatMap((name) => rows(2, "services patch", name));
    const { text, after, learnt } = suggested(entries);
    expect(learnt).toHaveLength(3);
    expect(count(text, "services patch")).toBe(1);
    expect(answers({ after }, entries)).not.toContain("escalate");
    expect(answers({ after }, rows(1, "services patch", "preview-x"))).toEqual(["escalate"]);
  });

  test("a new entry copies the old one that it stands before, not the new ones beside it", () => {
    const entries = [
      ...rows(2, "services patch", "dev"),
      ...rows(2, "ingresses patch", "sandbox-a"),
      ...rows(2, "endpoints patch", "sandbox-b"),
      ...rows(2, "endpoints patch", "payments"),
      ...rows(2, "leases patch", "shop"),
    ];
    const found = suggested(entries);
    expect(found.learnt).toHaveLength(5);
    const commands = ["services patch", "ingresses patch", "leases patch"].map((one) =>
      count(found.text, one),
    );
    expect(commands).toEqual([1, 1, 1]);
    expect(answers(found, entries)).not.toContain("escalate");
    const elsewhere = [...rows(1, "services patch", "sandbox-a"), ...rows(1, "endpoints patch", "shop")];
    expect(answers(found, elsewhere)).toEqual(["escalate", "escalate"]);
  });

  test("a command without a namespace is not copied into the entries", () => {
    const entries = [...rows(2, "nodes patch", "", { labels: {} }), ...rows(2, "services patch", "payments")];
    const found = suggested(entries);
    expect(found.learnt).toHaveLength(2);
    expect(count(found.text, "nodes patch")).toBe(1);
  });

  test("a name with more commands than the pattern that covers it keeps those of the pattern", () => {
    const entries = [
      ...PREVIEWS.flatMap((name) => rows(2, "services patch", name)),
      ...rows(2, "ingresses patch", "preview-1042"),
    ];
    const found = suggested(entries);
    expect(answers(found, entries)).not.toContain("escalate");
    expect(answers(found, rows(1, "ingresses patch", "preview-1041"))).toEqual(["escalate"]);
    expect(suggested(entries, found.text)).toMatchObject({ rules: [], text: found.text });
  });
});

test("each reason and each command is one line, whatever the number of scopes", () => {
  const { rules, text } = suggested([
    ...["dev", "sandbox-a", "sandbox-b"].flatMap((name) => rows(2, "services patch", name)),
    ...["dev", "sandbox-a"].flatMap((name) => rows(2, "secrets get", name, { tier: "sensitive" })),
    ...rows(3, "pods delete", "dev", { tier: "sensitive" }),
    ...Array.from({ length: 12 }, (_, index) => rows(1, `kind${index} patch`, "dev")).flat(),
    ...rows(2, "endpoints patch", "dev"),
    ...rows(1, "endpoints patch", "dev", { outcome: "denied" }),
  ]);
  const lines = suggestionLines({ rules, text }).map((line) => line.replace(/ on \d.*$/, ""));
  expect(lines).toEqual([
    "to be allowed without asking:",
    "  kubectl services patch (modify) in namespaces dev, sandbox-a, sandbox-b: 6 times",
    "not learnt:",
    "  # sensitive requests are never learnt:",
    "  #   kubectl pods delete (sensitive) in namespace dev: 3 times",
    "  #   kubectl secrets get (sensitive) in namespaces dev, sandbox-a: 4 times",
    "  # a person, or the policy, denied it:",
    "  #   kubectl endpoints patch (modify) in namespace dev: 2 times, denied once",
    "  # it was seen once:",
    ...Array.from(
      { length: 10 },
      (_, index) => `  #   kubectl kind${index} patch (modify) in namespace dev: once`,
    ),
    "  #   and 2 more",
  ]);
});
