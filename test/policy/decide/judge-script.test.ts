// A line with several programs has the verdict of the strictest of them, wherever it stands and
// however they are joined: one that is allowed never speaks for another.

import { expect, test } from "bun:test";
import { hookVerdictOf } from "../../../src/api/hooks/hook-verdict.ts";
import { stricterAction } from "../../../src/model/action.ts";
import { judgeScript } from "../../../src/policy/decide/judge-script.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";

const parsed = parsePolicy(`kubectl:
  inspect: []
  default: escalate
  groups:
    read: { tiers: [observe] }
    change: { tiers: [modify] }
    admin: { tiers: [break-glass] }
  rules:
    allow: { groups: [read, change] }
    deny: { groups: [admin] }
`);
if (!("policy" in parsed)) throw new Error("the policy does not load");
const { policy } = parsed;

const PROGRAMS = {
  "ls -la": undefined,
  "kubectl get pods": "allow",
  "kubectl delete pod x": "escalate",
  "kubectl delete namespace prod": "deny",
  "gpg -d f | sh": "escalate",
  "frobnicate kubectl delete pod x": "escalate",
} as const;

const JOINTS: readonly ((one: string, other: string) => string)[] = [
  (one, other) => `${one}; ${other}`,
  (one, other) => `${one} && ${other}`,
  (one, other) => `${one} || ${other}`,
  (one, other) => `${one} | ${other}`,
  (one, other) => `${one} & ${other}`,
  (one, other) => `(${one}); { ${other}; }`,
  (one, other) => `if ${one}; then ${other}; fi`,
  (one, other) => `echo "$(${one})" "$(${other})"`,
  (one, other) => `bash -c '${one}; ${other}'`,
  (one, other) => `eval '${one}' \n ${other}`,
  (one, other) => `diff <(${one}) <(${other})`,
];

const actionOf = (line: string) => judgeScript(policy, line)?.verdict.action;

test("the strictest of two programs decides, however they are joined", () => {
  const names = Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[];
  for (const name of names)
    if (PROGRAMS[name] !== undefined) expect([name, actionOf(name)]).toEqual([name, PROGRAMS[name]]);
  const wrong: string[] = [];
  for (const one of names)
    for (const other of names)
      for (const joint of JOINTS) {
        const line = joint(one, other);
        const [a, b] = [actionOf(one), actionOf(other)];
        const strictest = a === undefined ? b : b === undefined ? a : stricterAction(a, b);
        const found = actionOf(line);
        if (found !== strictest) wrong.push(`${found} instead of ${strictest}: ${line}`);
      }
  expect(wrong).toEqual([]);
});

test("a person reads why a program is asked about that no block of the policy judges", () => {
  const judgement = judgeScript(policy, `python3 -c 'import os; os.system("kubectl delete pod x")'`);
  if (judgement === undefined) throw new Error("it is not asked about");
  const { action, reason } = hookVerdictOf(policy, judgement);
  expect([action, reason]).toEqual([
    "escalate",
    expect.stringMatching(/python3 runs starts programs and names kubectl.*no 'generic' block/),
  ]);
});
