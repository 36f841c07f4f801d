// Two policies in force: whatever both say, the verdict is never milder than either; what only the
// control plane may allow is told as such; a policy that is too old allows nothing above observe.

import { expect, test } from "bun:test";
import { stricterAction } from "../../../src/model/action.ts";
import type { Classification } from "../../../src/model/classification.ts";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { decide } from "../../../src/policy/decide/decide.ts";
import { routeOf } from "../../../src/policy/decide/route.ts";
import { trustsServer } from "../../../src/policy/decide/trusts-server.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import type { CentralPolicy, Policy } from "../../../src/policy/policy.ts";

const TEXTS = [
  "generic:\n  default: allow\n",
  "generic:\n  default: escalate\n",
  "generic:\n  default: deny\n",
  "generic:\n  default: deny\n  groups: { read: { tiers: [observe] } }\n  rules: { allow: { groups: [read] } }\n",
  "generic:\n  default: allow\n  groups: { bad: { tiers: [sensitive, break-glass] } }\n  rules: { deny: { groups: [bad] } }\n",
  "generic:\n  default: allow\n  groups: { some: { commands: ['POST /x'] } }\n  rules: { escalate: { groups: [some] } }\n",
  "kubectl:\n  default: allow\n",
];
const TIERS: readonly TierOrUnknown[] = ["observe", "modify", "sensitive", "break-glass", "unknown"];

function parsed(text: string): Policy {
  const result = parsePolicy(text);
  if (!("policy" in result)) throw new Error(JSON.stringify(result.problems));
  return result.policy;
}

function both(local: string, central: string, more: Partial<CentralPolicy> = {}): Policy {
  return {
    ...parsed(local),
    central: { policy: parsed(central), tiers: new Set(), isStale: false, ...more },
  };
}

function asked(tier: TierOrUnknown, parts?: readonly Classification[]): Classification {
  const one = {
    protocol: "generic",
    tier,
    command: "POST /x",
    aliases: [],
    labels: {},
    reason: "",
  } as unknown as Classification;
  return parts === undefined ? one : { ...one, parts };
}

test("the verdict of two policies is the stricter one, for every pair of policies and every tier", () => {
  for (const local of TEXTS)
    for (const central of TEXTS)
      for (const tier of TIERS)
        for (const ask of [asked(tier), asked("break-glass", [asked(tier), asked("observe")])]) {
          const verdict = decide(both(local, central), ask);
          const [own, theirs] = [decide(parsed(local), ask), decide(parsed(central), ask)];
          expect(verdict.action).toBe(stricterAction(own.action, theirs.action));
          if (verdict.action !== own.action) expect(verdict.rule).toStartWith("central:");
        }
});

test("an escalation of a central tier is the control plane's, and so is one with a part of such a tier", () => {
  const policy = both(TEXTS[1] ?? "", TEXTS[0] ?? "", { tiers: new Set<TierOrUnknown>(["sensitive"]) });
  expect(decide(policy, asked("sensitive")).isCentral).toBe(true);
  expect(decide(policy, asked("modify", [asked("sensitive")])).isCentral).toBe(true);
  expect(decide(policy, asked("modify")).isCentral).toBeUndefined();
});

test("a central policy that is too old allows nothing above observe, and denies as before", () => {
  const allow = both(TEXTS[0] ?? "", TEXTS[0] ?? "", { isStale: true });
  expect(TIERS.map((tier) => decide(allow, asked(tier)).action)).toEqual([
    "allow",
    "escalate",
    "escalate",
    "escalate",
    "escalate",
  ]);
  expect(decide(both(TEXTS[0] ?? "", TEXTS[2] ?? "", { isStale: true }), asked("modify")).action).toBe(
    "deny",
  );
});

test("a host that only the central policy names has a route, and a server counts as trusted by both only", () => {
  const mcp = (trusted: string) => `mcp:\n  default: escalate\n${trusted}`;
  const hosts = both(TEXTS[0] ?? "", "github:\n  inspect: ['api.example.com']\n  default: deny\n");
  expect(routeOf(hosts, { host: "api.example.com", port: 443 })?.protocol).toBe("github");
  const trusting = mcp("  trust_annotations: [files]\n");
  expect(trustsServer(both(trusting, trusting), "files")).toBe(true);
  expect(trustsServer(both(trusting, mcp("")), "files")).toBe(false);
});
