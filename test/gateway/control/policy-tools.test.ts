// The policy tools over the control API, as the console uses them: they say the same as the
// commands, change nothing, and leave the gateway time to serve.

import { expect, test } from "bun:test";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { startDaemon } from "../../support/daemon.ts";

const LIMIT_MS = 120_000;
const POLICY = `kubectl:
  inspect: [k.example.com]
  groups: { read: { tiers: [observe] }, admin: { tiers: [break-glass] } }
  rules:
    allow: { groups: [read] }
    deny: { groups: [admin] }
`;

const row = (id: string, command: string, fields: object = {}) =>
  `${JSON.stringify({
    timestamp_ms: Date.now(),
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
      command,
      labels: { namespace: "dev" },
      classifier: "v1",
      decision: "allow",
      outcome: "approved",
      approval_id: "appr_1",
      ...fields,
    },
  })}\n`;

test(
  "lint, diff, explain, replay and suggest answer what the commands print, and what is suggested can be written",
  async () => {
    await using daemon = await startDaemon({ policy: POLICY });
    const { control } = daemon;
    await appendFile(
      join(daemon.home, "audit.jsonl"),
      row("a", "services update") + row("b", "services update"),
    );

    const shadowed = POLICY.replace("{ groups: [read] }\n", "{ commands: [pods get] }\n").replace(
      "[admin] }\n",
      '[admin], commands: ["pods *"] }\n',
    );
    expect((await control.call("policy_lint", { text: shadowed })).findings[0]).toMatchObject({
      kind: "shadowed",
      line: 5,
    });
    expect(await control.call("policy_lint", {})).toEqual({ problems: [], findings: [] });
    expect(await control.call("policy_lint", { text: "kubectl: [" })).toMatchObject({
      problems: [{ severity: "error", line: 1 }],
      findings: [],
    });
    expect((await control.call("policy_lint", { text: shadowed, only_problems: true })).findings).toEqual([]);
    // Two rows of the log were asked about by the block's default; no rule has decided anything.
    expect((await control.call("policy_lint", { hits: true })).findings).toMatchObject([
      { kind: "no-hits", path: "kubectl.rules.allow.groups[0]", line: 5 },
      { kind: "no-hits", path: "kubectl.rules.deny.groups[0]", line: 6 },
    ]);

    const wider = POLICY.replace("[read]", "[read, admin]").replace("    deny: { groups: [admin] }\n", "");
    const diff = await control.call("policy_diff", { text: wider });
    expect(diff.wider).toBe(true);
    expect(diff.lines[0]).toContain("newly allowed, denied before");
    expect((await control.call("policy_diff", { text: POLICY })).lines).toEqual(["no decision differs"]);
    expect(control.call("policy_diff", { text: "kubectl: [" })).rejects.toThrow("does not load");

    const asked = { method: "PUT", host: "k.example.com", path: "/api/v1/namespaces/dev/services/a" };
    expect(await control.call("policy_explain", asked)).toMatchObject({
      decision: "escalate",
      to_allow: "to allow exactly this, list 'services update' in kubectl.rules.allow.commands",
    });
    expect(await control.call("policy_explain", { ...asked, host: "nowhere.example" })).toMatchObject({
      decision: "splice",
    });

    const replay = await control.call("policy_replay", { text: wider });
    expect(replay).toMatchObject({
      decided: 2,
      exact: 2,
      answered: 2,
      skipped: 0,
      wider: false,
      is_cut: false,
    });
    expect(await control.call("policy_replay", { text: wider, rows: 1 })).toMatchObject({ is_cut: true });

    const suggestion = await control.call("policy_suggest", {});
    expect(suggestion.rules).toMatchObject([
      { command: "services update", count: 2, scope: { name: "dev" } },
    ]);
    expect(suggestion.diff.join("\n")).toContain("+            - services update # seen 2 times");
    const { text, base_sha256 } = suggestion;
    const written = await control.call("policy_write", { text, base_sha256 });
    expect(written.effect?.[0]).toContain("newly allowed without asking");
    expect((await control.call("policy_suggest", {})).rules).toEqual([]);
    const rows = await daemon.rowsWhen((all) => all.some(({ fields }) => fields.command === "policy edit"));
    expect(rows.find(({ fields }) => fields.command === "policy edit")?.fields).toMatchObject({
      wider: true,
      effect: [expect.stringContaining("newly allowed without asking"), "the new policy lets through more"],
    });
  },
  LIMIT_MS,
);
