// `iddio policy test` as CI and an editor use it: its exit code, its report for CI, and that a saved
// file is tried again. And that what `policy suggest --apply` has written counts as wider, for which
// the daemon asks for presence.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { POLICY_METHODS } from "../../../src/api/methods/policy.ts";
import type { Entry } from "../../../src/model/entry.ts";
import { knownNames } from "../../../src/policy/compare/catalogue.ts";
import { isNarrowerPolicy } from "../../../src/policy/compare/narrower.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import { Observations } from "../../../src/policy/suggest/observations.ts";
import { suggest } from "../../../src/policy/suggest/suggest.ts";
import { PROJECT_ROOT } from "../../support/source-files.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const LIMIT_MS = 110_000;
const POLICY = `kubectl:
  inspect: ["*.example.com"]
  groups: { read: { tiers: [observe] }, admin: { tiers: [break-glass] } }
  rules:
    allow: { groups: [read] }
    deny: { groups: [admin] }
`;
const reads = (action: string) => `- note: 'agents "read" <pods> & more'
  given: { argv: kubectl get pods }
  want: { action: ${action} }
- note: and delete none
  given: { argv: kubectl delete pod a }
  want: { action: escalate }
`;

let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  folder = await temporaryDirectory();
  await writeFile(join(folder.path, "policy.yaml"), POLICY);
});
afterAll(() => folder[Symbol.asyncDispose]());

function start(...args: readonly string[]) {
  const words = [
    process.execPath,
    join(PROJECT_ROOT, "src/main.ts"),
    "policy",
    "test",
    "--policy",
    "policy.yaml",
  ];
  return Bun.spawn([...words, ...args], {
    cwd: folder.path,
    env: { PATH: process.env.PATH ?? "", HOME: folder.path, IDDIO_HOME: join(folder.path, "state") },
    stdout: "pipe",
    stderr: "inherit",
  });
}

describe("policy test", () => {
  test(
    "tells a failed case by its exit code, and to CI by a report",
    async () => {
      for (const [action, code, failures] of [
        ["allow", 0, 0],
        ["deny", 1, 1],
      ] as const) {
        await writeFile(join(folder.path, "policy.test.yaml"), reads(action));
        const child = start("--junit", "report.xml");
        expect([action, await child.exited]).toEqual([action, code]);
        const report = await Bun.file(join(folder.path, "report.xml")).text();
        expect(report).toContain(`<testsuites tests="2" failures="${failures}">`);
        expect(report).toContain('name="agents &quot;read&quot; &lt;pods&gt; &amp; more" line="1"');
        expect(report.split("<testcase ")).toHaveLength(3);
        expect(report.split("<failure message=")).toHaveLength(1 + failures);
        if (failures > 0)
          expect(report).toMatch(
            /<failure message="wanted deny, got allow">because [^<]*line 5\)<\/failure>/,
          );
      }
    },
    LIMIT_MS,
  );

  test(
    "tries the cases again when a file is replaced",
    async () => {
      await writeFile(join(folder.path, "policy.test.yaml"), reads("allow"));
      const child = start("--watch");
      const late = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS - 20_000);
      let said = "";
      for await (const bytes of child.stdout) {
        said += new TextDecoder().decode(bytes);
        if (said.includes("1 failed")) break;
        // It watches before it tries the first time, so what is saved now is not missed.
        if (!said.includes("2 passed")) continue;
        await writeFile(join(folder.path, "saved"), reads("deny"));
        await rename(join(folder.path, "saved"), join(folder.path, "policy.test.yaml"));
      }
      clearTimeout(late);
      child.kill("SIGINT");
      await child.exited;
      expect(said).toMatch(
        /2 passed, 0 failed\n(?:.*\n)*FAILED policy\.test\.yaml:1: [\s\S]*1 passed, 1 failed\n/,
      );
    },
    LIMIT_MS,
  );
});

test(
  "what suggest --apply has written is never proven narrower, so it needs presence",
  () => {
    const parsed = parsePolicy(POLICY);
    if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
    const observations = new Observations(parsed.policy);
    for (const id of ["1", "2", "3"]) observations.add(row(id));
    const { text } = suggest(parsed.policy, observations.all, knownNames, () => "2026-11-29");
    expect(text).toContain("- services update");
    const { effect, narrows } = POLICY_METHODS.policy_write;
    const before = {
      mode: "enforce",
      isNarrowerPolicy: (after: string) => isNarrowerPolicy(POLICY, after),
    } as const;
    const state = { ...before, isNarrowerSetting: () => true };
    expect(effect).toBe("change");
    expect(narrows?.proof?.(state, { text })).toBe(false);
    expect(narrows?.proof?.(state, { text: POLICY.replace("observe", "modify") })).toBe(false);
    expect(
      narrows?.proof?.(state, { text: POLICY.replace("[admin]", "[admin], commands: [pods get]") }),
    ).toBe(true);
  },
  LIMIT_MS,
);

function row(id: string): Entry {
  return {
    timestamp_ms: Number(id),
    op: "mitm",
    hash: id,
    fields: {
      request_id: id,
      host: "k.example.com",
      port: 443,
      method: "PUT",
      path: "/api/v1/namespaces/dev/services/a",
      protocol: "kubectl",
      tier: "modify",
      command: "services update",
      labels: { namespace: "dev" },
      classifier: "v1",
      decision: "escalate",
      outcome: "approved",
      status: 200,
    },
  } as unknown as Entry;
}
