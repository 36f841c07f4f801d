// The audit log under another policy: a row has everything that decide looks at, so the answer is
// exact; what differs, what is taken for something else now, what cannot be decided again. How long
// it takes, `npm run bench -- policy` prints.

import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Entry, EntryFields } from "../../src/model/entry.ts";
import { decide } from "../../src/policy/decide/decide.ts";
import { parsePolicy } from "../../src/policy/parse/parse.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { isWiderReplay, Replay } from "../../src/policy/replay/replay.ts";
import { recordedRequest, rowFacts } from "../../src/policy/replay/row-facts.ts";
import { fuzzRuns } from "../support/fuzz-runs.ts";
import { blockArbitrary, classificationArbitrary } from "../support/policy/policy-arbitraries.ts";
import { compiledFrom } from "../support/policy/policy-trees.ts";

function policyOf(rules: string, host = "k.example.com"): Policy {
  const parsed = parsePolicy(
    `kubectl:\n  inspect: [${host}]\n  groups: { read: { tiers: [observe] } }\n  rules:\n${rules}\n`,
  );
  if ("problems" in parsed) throw new Error(parsed.problems[0]?.message);
  return parsed.policy;
}

const VERSION = "v26.1129.0600";
const READ = "    allow: { groups: [read] }";
const BEFORE = policyOf(READ);
const AFTER = policyOf(`${READ}\n    deny: { commands: [secrets get] }`);
const WIDER = policyOf("    allow: { groups: [read], commands: [pods delete] }");

function row(fields: EntryFields, op: Entry["op"] = "mitm"): Entry {
  return {
    timestamp_ms: 1,
    op,
    hash: "0",
    fields: { host: "k.example.com", port: 443, protocol: "kubectl", classifier: VERSION, ...fields },
  };
}

const GET_POD = row({
  method: "GET",
  path: "/api/v1/namespaces/dev/pods/a",
  tier: "observe",
  command: "pods get",
  labels: { namespace: "dev" },
});
const DELETE_POD = row({
  request_id: "r1",
  method: "DELETE",
  path: "/api/v1/namespaces/dev/pods/a",
  tier: "sensitive",
  command: "pods delete",
  labels: { namespace: "dev" },
});

test("only what the two policies decide differently is listed, the widest first, with an example", () => {
  const replay = new Replay(BEFORE, WIDER, VERSION);
  for (const one of [GET_POD, DELETE_POD, DELETE_POD]) replay.add(one);
  const { changes, decided, exact, reclassified, skipped } = replay.report();
  expect(changes).toMatchObject([
    {
      command: "pods delete",
      from: "escalate",
      to: "allow",
      count: 2,
      examples: ["r1", "r1"],
      labels: { namespace: "dev" },
    },
  ]);
  expect([decided, exact, reclassified, skipped]).toEqual([3, 3, [], 0]);
});

test("a row of an older iddio that was taken for something else is decided by what it is taken for now, and told apart", () => {
  const replay = new Replay(BEFORE, AFTER, VERSION);
  replay.add(
    row({
      classifier: "v26.0101.0000",
      method: "GET",
      path: "/api/v1/namespaces/dev/secrets/a",
      tier: "observe",
      command: "secret read",
    }),
  );
  expect(replay.report()).toMatchObject({
    reclassified: [
      {
        was: { command: "secret read", tier: "observe" },
        is: { command: "secrets get", tier: "sensitive" },
        from: "allow",
        to: "escalate",
        count: 1,
      },
    ],
    changes: [{ command: "secrets get", to: "deny" }],
  });
});

test("rows without a tier, without a request and rows of other kinds are not decided", () => {
  const replay = new Replay(BEFORE, WIDER, VERSION);
  const cut = `/api/v1/namespaces/dev/pods/… (4000 characters, sha256 ${"0".repeat(64)})`;
  replay.add(row({ method: "DELETE", path: cut, command: "pods delete" }));
  replay.add(row({ reason: "no request" }, "block"));
  replay.add(row({}, "control"));
  replay.add({ ...DELETE_POD, op: "intent" });
  expect(replay.report()).toMatchObject({ decided: 0, skipped: 2, changes: [] });
});

test("a cut path changes nothing, because the row has the facts", () => {
  const replay = new Replay(BEFORE, WIDER, "v27.0101.0000");
  const cut = `/api/v1/namespaces/dev/pods/… (4000 characters, sha256 ${"0".repeat(64)})`;
  replay.add(row({ method: "DELETE", path: cut, tier: "sensitive", command: "pods delete" }));
  expect(replay.report()).toMatchObject({
    decided: 1,
    exact: 1,
    changes: [{ to: "allow" }],
    reclassified: [],
  });
});

test("a row for many refusals counts as many, and one that has not all they had cannot be decided", () => {
  const replay = new Replay(BEFORE, WIDER, VERSION);
  replay.add(row({ tier: "sensitive", command: "pods delete", repeated: 40 }, "block"));
  replay.add({ ...row({ tier: "sensitive", repeated: 7, classifier: undefined }, "block") });
  expect(replay.report()).toMatchObject({ decided: 40, skipped: 7, changes: [{ count: 40 }] });
});

test("a command line of a hook is decided again", () => {
  const replay = new Replay(BEFORE, WIDER, "v27.0101.0000");
  const fields = { host: "shell of claude", port: 0, method: "RUN", path: "kubectl delete pod a" };
  replay.add(row({ ...fields, tier: "sensitive", command: "pods delete" }, "hook"));
  expect(replay.report()).toMatchObject({ decided: 1, changes: [{ from: "escalate", to: "allow" }] });
});

test("rows of an older iddio, and answers of people, are counted", () => {
  const replay = new Replay(BEFORE, WIDER, VERSION);
  replay.add(row({ tier: "modify", command: "pods create", classifier: undefined, approval_id: "appr_1" }));
  expect(replay.report()).toMatchObject({ decided: 1, exact: 0, answered: 1 });
});

test("a host that the candidate no longer looks into passes unread, which is the widest change", () => {
  const replay = new Replay(BEFORE, policyOf(READ, "other.example.com"), VERSION);
  for (const one of [GET_POD, DELETE_POD]) replay.add(one);
  replay.add({ ...row({ host: "other.example.com" }, "passthrough") });
  const report = replay.report();
  expect(report.changes.map(({ to }) => to)).toEqual(["splice", "splice"]);
  expect(report.changes.every(isWiderReplay)).toBe(true);
  expect(report.newlyInspected).toBe(1);
});

test("a row gives the decision that the request itself gets, whatever it was, under any policy", () => {
  let differing = 0;
  fc.assert(
    fc.property(
      blockArbitrary,
      blockArbitrary,
      classificationArbitrary,
      fc.boolean(),
      (one, two, asked, may) => {
        const [before, after] = [compiledFrom({ gcloud: one }), compiledFrom({ gcloud: two })];
        if ("problems" in before || "problems" in after) return;
        const { protocol, tier, command, labels } = asked;
        const fields = { protocol, tier, command, labels, ...rowFacts(asked, may, VERSION) };
        const [line] = [JSON.stringify(fields)];
        const read = recordedRequest(JSON.parse(line));
        if (read === undefined) throw new Error("the row cannot be read");
        expect(read.mayWiden).toBe(may);
        for (const { policy } of [before, after])
          expect(decide(policy, read.classification, read.mayWiden)).toMatchObject({
            action: decide(policy, asked, may).action,
            rule: decide(policy, asked, may).rule,
          });
        const replay = new Replay(before.policy, after.policy, VERSION);
        replay.add({ timestamp_ms: 1, op: "mitm", hash: "0", fields: JSON.parse(line) });
        const { from, to } = {
          from: decide(before.policy, asked, may).action,
          to: decide(after.policy, asked, may).action,
        };
        expect(replay.report().changes).toMatchObject(from === to ? [] : [{ from, to, count: 1 }]);
        if (from !== to) differing += 1;
      },
    ),
    { numRuns: fuzzRuns(500) },
  );
  expect(differing).toBeGreaterThan(50);
}, 120_000);

test("a row that somebody edited is no row, and never throws", () => {
  for (const change of [
    { labels: 7 },
    { aliases: "x" },
    { parts: [{ tier: "no such" }] },
    { parts: {} },
    { unnamed_scopes: [1] },
    { tier: 3 },
    { protocol: "nothing" },
    { command: null },
    { parts_left_out: true },
  ])
    expect(recordedRequest({ ...DELETE_POD.fields, ...(change as object) })).toBeUndefined();
});
