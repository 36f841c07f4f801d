// `agents:` under every protocol: it matches the name of the run that asks, `-` outside of one, and
// lets through more only for a run that was started with presence.

import { expect, test } from "bun:test";
import type { Action } from "../../src/model/action.ts";
import { type Asker, OUTSIDE } from "../../src/model/agent-label.ts";
import { PROTOCOLS } from "../../src/model/protocol.ts";
import { judge } from "../../src/policy/decide/judge.ts";
import { parsePolicy } from "../../src/policy/parse/parse.ts";
import { classifierFor } from "../../src/protocols/registry.ts";

const run = (name: string, isPresent: boolean): Asker => ({ run: name, isPresent });

function policy(agents: string, fallback: Action, protocol = "generic") {
  const parsed = parsePolicy(
    `${protocol}:\n  default: ${fallback}\n  groups: { all: { tiers: [observe, modify, sensitive] } }\n  agents:\n${agents}`,
  );
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}

function action(agents: string, fallback: Action, asker: Asker, method = "GET"): Action {
  const request = {
    method,
    host: "x.test",
    port: 443,
    target: "/",
    headers: [],
    body: { kind: "none" as const },
  };
  return judge(policy(agents, fallback), ["generic"], request, classifierFor, asker).verdict.action;
}

const CI = '    - names: ["ci-*"]\n      rules: { allow: { groups: [all] } }\n';
const ROWS: readonly (readonly [agents: string, fallback: Action, asker: Asker, expected: Action])[] = [
  [CI, "escalate", run("ci-deploy", true), "allow"],
  [CI, "escalate", run("ci-deploy", false), "escalate"],
  [CI, "escalate", run("claude", true), "escalate"],
  [CI, "escalate", OUTSIDE, "escalate"],
  ['    - names: ["*"]\n      rules: { allow: { groups: [all] } }\n', "escalate", OUTSIDE, "escalate"],
  ['    - names: ["-"]\n      rules: { allow: { groups: [all] } }\n', "escalate", OUTSIDE, "escalate"],
  ['    - names: ["-"]\n      rules: { deny: { groups: [all] } }\n', "allow", OUTSIDE, "deny"],
  ['    - names: ["-"]\n      rules: { deny: { groups: [all] } }\n', "allow", run("claude", true), "allow"],
  [
    "    - names: [claude]\n      rules: { deny: { groups: [all] } }\n",
    "allow",
    run("claude", false),
    "deny",
  ],
  ["    - names: [claude]\n      rules: { deny: { groups: [all] } }\n", "allow", run("claude", true), "deny"],
  [CI, "deny", run("ci-deploy", false), "deny"],
];

test("agents: matches the run's name and widens only with presence", () => {
  for (const [agents, fallback, asker, expected] of ROWS)
    expect({ agents, fallback, asker, action: action(agents, fallback, asker) }).toEqual({
      agents,
      fallback,
      asker,
      action: expected,
    });
});

test("every protocol takes agents:", () => {
  for (const protocol of PROTOCOLS) expect(policy(CI, "escalate", protocol).blocks.size).toBe(1);
});

test("the run's name is a label of what is judged, on every part", () => {
  const request = {
    method: "GET",
    host: "x.test",
    port: 443,
    target: "/",
    headers: [],
    body: { kind: "none" as const },
  };
  const { classification } = judge(
    policy(CI, "allow"),
    ["generic"],
    request,
    classifierFor,
    run("claude", false),
  );
  expect(classification.labels.agent).toBe("claude");
  expect(judge(policy(CI, "allow"), ["generic"], request).classification.labels.agent).toBeUndefined();
});
