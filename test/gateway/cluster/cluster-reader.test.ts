// The requests that iddio sends by itself to find an effect: only what is classified as harmless
// goes, whatever the policy allows, and only what the policy would let the client do. Each row says
// whether a request leaves.

import { expect, test } from "bun:test";
import { ClusterReader } from "../../../src/gateway/cluster/reader.ts";
import { OUTSIDE } from "../../../src/model/agent-label.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import type { SideRequest } from "../../../src/protocols/kubectl/effect/plan.ts";

const ALL = "{ tiers: [observe, modify, sensitive, break-glass] }";
const policyOf = (rules: string) => {
  const parsed = parsePolicy(
    `kubectl:\n  inspect: ["k.example.test"]\n  default: escalate\n  groups: { all: ${ALL}, read: { tiers: [observe] } }\n  rules: ${rules}\n`,
  );
  if (!("policy" in parsed)) throw new Error(JSON.stringify(parsed));
  return parsed.policy;
};
const POLICIES = {
  "all is allowed": policyOf("{ allow: { groups: [all] } }"),
  "a person is asked": policyOf("{ escalate: { groups: [all] } }"),
  "all is denied": policyOf("{ deny: { groups: [all] } }"),
};

const MAP = "/api/v1/namespaces/a/configmaps/one";
const body = Buffer.from('{"data":{"a":"2"}}');
const asDelete = (text: string) => ({ method: "DELETE", target: MAP, body: Buffer.from(text) });
const READS: readonly (readonly [target: string, sentWhere: readonly (keyof typeof POLICIES)[]])[] = [
  [MAP, ["all is allowed"]],
  ["/api/v1/namespaces/a/configmaps?limit=500", ["all is allowed"]],
  ["/api/v1/namespaces/a/secrets/s", []],
  ["/api/v1/namespaces/a/secrets?limit=500", []],
  ["/api/v1/namespaces/a/pods/web/exec?command=id", []],
  ["/api/v1/nodes/n/proxy/pods", []],
];
const DRY_RUNS: readonly (readonly [
  side: { method: string; target: string; body: Uint8Array },
  sentWhere: readonly (keyof typeof POLICIES)[],
])[] = [
  [{ method: "PATCH", target: `${MAP}?dryRun=All`, body }, ["all is allowed", "a person is asked"]],
  [asDelete('{"dryRun":["All"]}'), ["all is allowed", "a person is asked"]],
  // Whatever is no dry run for certain changes something.
  [{ method: "PATCH", target: MAP, body }, []],
  [{ method: "PATCH", target: `${MAP}?dryRun=`, body }, []],
  [{ method: "PATCH", target: `${MAP}?dryrun=All`, body }, []],
  [{ method: "DELETE", target: `${MAP}?dryRun=All`, body: Buffer.from('{"gracePeriodSeconds":0}') }, []],
  [asDelete("{}"), []],
  [{ method: "POST", target: "/api/v1/namespaces/a/serviceaccounts/s/token?dryRun=All", body }, []],
  [{ method: "PATCH", target: "/api/v1/namespaces/a/secrets/s?dryRun=All", body }, []],
];

const withType = (side: SideRequest): SideRequest => ({
  ...side,
  contentType: side.method === "PATCH" ? "application/merge-patch+json" : "application/json",
});

test("only harmless requests leave, and only those that the policy would let the client make", async () => {
  const sides = [
    ...READS.map(([target, where]) => ({ side: { method: "GET", target }, where })),
    ...DRY_RUNS.map(([side, where]) => ({ side, where })),
  ];
  for (const [name, policy] of Object.entries(POLICIES))
    for (const { side, where } of sides) {
      const sent: string[] = [];
      const reader = new ClusterReader({
        request: {
          async ask({ method, target }) {
            sent.push(`${method} ${target}`);
            return { status: 200, headers: [], body: Buffer.from("{}") };
          },
        },
        judged: {
          ...{ method: "PATCH", host: "k.example.test", port: 443, target: MAP, headers: [] },
          body: { kind: "none" },
        },
        ...{ sentPrefix: "", protocols: ["kubectl"], asker: OUTSIDE, policy: () => policy },
        signal: new AbortController().signal,
      });
      const reading =
        side.method === "GET" ? await reader.get(side.target) : await reader.dryRun(withType(side));
      const isSent = where.some((each) => each === name);
      expect({ name, ...side, sent, kind: reading.kind }).toEqual({
        ...{ name, ...side, sent: isSent ? [`${side.method} ${side.target}`] : [] },
        kind: isSent ? "ok" : "failed",
      });
    }
});
