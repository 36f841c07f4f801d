// The audit log under another policy: what differs, what is classified anew, what only the row can tell, what cannot be
// decided again; and 200,000 rows take seconds.

import { expect, test } from "bun:test";
import type { Entry, EntryFields } from "../../src/model/entry.ts";
import { parsePolicy } from "../../src/policy/parse/parse.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { Replay } from "../../src/policy/replay/replay.ts";

function policyOf(rules: string): Policy {
  const parsed = parsePolicy(
    `kubectl:\n  inspect: [k.example.com]\n  groups: { read: { tiers: [observe] } }\n  rules:\n${rules}\n`,
  );
  if ("problems" in parsed) throw new Error(parsed.problems[0]?.message);
  return parsed.policy;
}

const READ = "    allow: { groups: [read] }";
const BEFORE = policyOf(READ);
const AFTER = policyOf(`${READ}\n    deny: { commands: [secrets get] }`);
const WIDER = policyOf("    allow: { groups: [read], commands: [pods delete] }");

function row(fields: EntryFields, op: Entry["op"] = "mitm"): Entry {
  return {
    timestamp_ms: 1,
    op,
    hash: "0",
    fields: { host: "k.example.com", port: 443, protocol: "kubectl", ...fields },
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
  const replay = new Replay(BEFORE, WIDER);
  for (const one of [GET_POD, DELETE_POD, DELETE_POD]) replay.add(one);
  const { changes, decided, reclassified, skipped } = replay.report();
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
  expect([decided, reclassified, skipped]).toEqual([3, 0, 0]);
});

test("a row that was taken for something else is decided by what it is taken for now, and counted", () => {
  const replay = new Replay(BEFORE, AFTER);
  replay.add(
    row({ method: "GET", path: "/api/v1/namespaces/dev/secrets/a", tier: "observe", command: "secret read" }),
  );
  expect(replay.report()).toMatchObject({
    reclassified: 1,
    changes: [{ command: "secrets get", to: "deny" }],
  });
});

test("rows whose path was cut, rows without a request and rows of other kinds are not decided", () => {
  const replay = new Replay(BEFORE, WIDER);
  const cut = `/api/v1/namespaces/dev/pods/… (4000 characters, sha256 ${"0".repeat(64)})`;
  replay.add(row({ method: "DELETE", path: cut, tier: "sensitive", command: "pods delete" }));
  replay.add(row({ reason: "no request" }, "block"));
  replay.add(row({}, "control"));
  replay.add({ ...DELETE_POD, op: "intent" });
  expect(replay.report()).toMatchObject({ decided: 0, skipped: 2, changes: [] });
});

test("200,000 rows take less than 10 seconds", () => {
  const replay = new Replay(BEFORE, WIDER);
  const started = performance.now();
  for (let number = 0; number < 200_000; number++)
    replay.add(
      row({
        method: "GET",
        path: `/api/v1/namespaces/n${number % 20_000}/pods/a`,
        tier: "observe",
        command: "pods get",
      }),
    );
  expect(replay.report().decided).toBe(200_000);
  expect(performance.now() - started).toBeLessThan(10_000);
}, 60_000);
