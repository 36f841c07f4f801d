// The agents that npm has, under `iddio run`, without an account: they start, and Claude Code's own
// hook machinery asks iddio, which its model's stand-in makes visible. A missing agent makes its
// test say so and pass.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { findClient } from "../../support/clients.ts";
import { noSandbox, type Sandbox, startSandbox } from "../../support/sandbox/sandbox.ts";
import { startAnthropic } from "../../support/stand-ins/anthropic.ts";

const LONG_MS = 180_000;
const POLICY = `kubectl:
  inspect: []
  default: escalate
  groups:
    admin: { tiers: [break-glass] }
  rules:
    deny: { groups: [admin] }
`;

describe.if(noSandbox() === undefined)("agents from npm", () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ policy: POLICY });
  }, LONG_MS);
  afterAll(() => sandbox[Symbol.asyncDispose](), LONG_MS);

  // The other two prove it below by what they say and do.
  test.concurrent(
    "codex starts",
    async () => {
      const program = findClient("codex");
      if (program === undefined) return;
      const { code, stdout, stderr } = await sandbox.iddio(["run", program, "--version"], {
        timeoutMs: LONG_MS,
      });
      expect([code, stdout + stderr]).toEqual([0, expect.stringMatching(/\d+\.\d+\.\d+/)]);
    },
    LONG_MS,
  );

  test.concurrent(
    "Gemini CLI starts and finds the extension that holds its hook",
    async () => {
      const program = findClient("gemini");
      if (program === undefined) return;
      const { code, stdout, stderr } = await sandbox.iddio(["run", program, "extensions", "list"], {
        timeoutMs: LONG_MS,
      });
      expect(code).toBe(0);
      expect(stdout + stderr).toContain("iddio (1.0.0)");
      expect(stdout + stderr).not.toContain("Invalid hooks");
    },
    LONG_MS,
  );

  test.concurrent(
    "Claude Code asks by its own hook: a deny arrives at the model with the rule, a harmless command runs",
    async () => {
      const program = findClient("claude");
      if (program === undefined) return;
      await using api = startAnthropic(["echo harmless-$((40 + 2))", "kubectl delete namespace prod"]);
      const flags = ["--local-port", String(api.port), "--env", "IS_SANDBOX"];
      const ran = await sandbox.iddio(
        ["run", ...flags, "--", program, "-p", "go", "--allowedTools", "Bash"],
        {
          timeoutMs: LONG_MS,
          env: { ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: `http://127.0.0.1:${api.port}` },
        },
      );
      expect([ran.code, ran.stderr, api.results]).toEqual([
        0,
        expect.anything(),
        [expect.stringContaining("harmless-42"), expect.stringContaining("kubectl.rules.deny.groups[0]")],
      ]);
      const rows = await sandbox.rowsWhen((all) => all.some(({ op }) => op === "hook"));
      expect(rows.find(({ op }) => op === "hook")?.fields).toMatchObject({
        agent: "claude",
        client: { run: "claude" },
        decision: "deny",
      });
    },
    LONG_MS,
  );
});
