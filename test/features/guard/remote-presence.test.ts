// The limits of an answer from elsewhere: a table over who answers, the tier, and the level that
// the guard reaches by itself.

import { expect, test } from "bun:test";
import type { GuardReport } from "../../../src/api/daemon-reports.ts";
import type { RemoteKind } from "../../../src/api/principal.ts";
import { remotePresence } from "../../../src/features/guard/remote-presence.ts";
import type { Level } from "../../../src/model/level.ts";
import type { TierOrUnknown } from "../../../src/model/tier.ts";

const DIGEST = "d".repeat(64);

function present(
  kind: RemoteKind,
  tier: TierOrUnknown,
  { level = "L0" as Level, problem = "", method = "approvals_allow", input = {} as object } = {},
) {
  const asked = { id: "appr_1", rule: "", ask: { digest: DIGEST, operation: { tier } } };
  const request = {
    method,
    effect: "decide",
    caller: { kind },
    input: { id: "appr_1", digest: DIGEST, ...input },
    isForRoot: false,
    proof: undefined,
  } as const;
  const report = {
    guard: "session",
    level,
    why: "",
    ...(problem ? { problem } : {}),
  } as unknown as GuardReport;
  return () => remotePresence(kind, request, asked as never, report);
}

const ROWS: readonly { kind: RemoteKind; may: readonly TierOrUnknown[] }[] = [
  { kind: "slack", may: ["observe", "modify", "sensitive"] },
  { kind: "webhook", may: ["observe", "modify"] },
  { kind: "control-plane", may: ["observe", "modify", "sensitive", "break-glass", "unknown"] },
];

for (const { kind, may } of ROWS)
  test(`an answer by ${kind} lets through ${may.join(", ")} and nothing else`, () => {
    for (const tier of ["observe", "modify", "sensitive", "break-glass", "unknown"] as const)
      if (may.includes(tier))
        expect(present(kind, tier)()).toMatchObject({ level: kind === "control-plane" ? "L4" : "L1" });
      else expect(present(kind, tier), tier).toThrow("its tier is");
  });

test("an answer from elsewhere is about the one request that was shown", () => {
  for (const { kind } of ROWS) {
    expect(present(kind, "modify", { input: { digest: "other" } })).toThrow("another request");
    expect(present(kind, "modify", { input: { digest: undefined } })).toThrow("another request");
    expect(present(kind, "modify", { input: { for_ms: 60_000 } })).toThrow("one request only");
    expect(present(kind, "modify", { input: { rest_of_command: true } })).toThrow("one request only");
    expect(present(kind, "modify", { method: "settings_set" })).toThrow("only answers waiting approvals");
    expect(present(kind, "modify", { problem: "it is damaged" })).toThrow("it is damaged");
  }
});

test("where the guard reaches more than L1 by itself, Slack and webhooks would lower it", () => {
  for (const kind of ["slack", "webhook"] as const) {
    expect(present(kind, "modify", { level: "L1" })).not.toThrow();
    expect(present(kind, "modify", { level: "L3" })).toThrow("worth L1");
  }
  expect(present("control-plane", "modify", { level: "L3" })()).toMatchObject({ factor: "central" });
});
