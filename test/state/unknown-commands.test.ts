// A rule that can never match keeps a change of the policy from coming into force, and never a
// daemon from starting: what is in force already must not be taken away for a rule that did
// nothing.

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { statePaths } from "../../src/state/paths.ts";
import { PolicyStore } from "../../src/state/policy-store.ts";

const root = mkdtempSync(join(tmpdir(), "iddio-unknown-commands-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const denying = (...commands: readonly string[]) =>
  `kubectl:\n  inspect: [example.com]\n  rules:\n    deny: { commands: ${JSON.stringify(commands)} }\n`;

test("a daemon starts with one, an edit beside it is taken, a new one is not", async () => {
  const paths = statePaths({ IDDIO_HOME: mkdtempSync(join(root, "home-")) });
  writeFileSync(paths.policy, denying("secrets"));
  const store = await PolicyStore.open(paths);
  try {
    expect(store.current.text).toBe(denying("secrets"));

    writeFileSync(paths.policy, denying("secrets", "pods delete"));
    expect((await store.reload(true)).kind).toBe("loaded");
    expect(store.warnings.map(({ message }) => message)).toEqual([
      "'secrets' is not an operation of kubectl, so the rule never applies",
    ]);

    writeFileSync(paths.policy, denying("secrets", "pods delete", "configmaps"));
    const failed = await store.reload(true);
    expect(failed).toMatchObject({ kind: "failed" });
    expect(store.reloadProblem).toContain("'configmaps' is not an operation of kubectl");
    expect(store.current.text).toBe(denying("secrets", "pods delete"));

    writeFileSync(paths.policy, denying("pods delete", "delete pod"));
    expect((await store.reload(true)).kind).toBe("loaded");
    expect(store.warnings).toEqual([]);
    expect(store.reloadProblem).toBeUndefined();
  } finally {
    store.close();
  }
}, 120_000);
