// The contract of each agent, against the compiled program: what it is sent, byte for byte, and
// what it must answer. A row is an agent, what its user's policy says, and the answer in that
// agent's own shape.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CANARY } from "../../../src/features/hooks/agents/adapter.ts";
import { HOOK_ADAPTERS, hookAdapter } from "../../../src/features/hooks/agents/adapters.ts";
import type { AgentName } from "../../../src/model/agent-name.ts";
import { builtBinary } from "../../support/built-binary.ts";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const POLICY = `kubectl:
  inspect: []
  default: escalate
  groups:
    read: { tiers: [observe] }
    admin: { tiers: [break-glass] }
  rules:
    allow: { groups: [read] }
    deny: { groups: [admin] }
`;
const READ = "kubectl get pods -n dev";
const CHANGE = "kubectl delete pod api -n dev";
const DENIED = "kubectl delete namespace prod";
const LIMIT_MS = 300_000;

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ policy: POLICY, settings: "approval_timeout: 1m" });
}, LIMIT_MS);
afterAll(() => daemon[Symbol.asyncDispose]());

async function hook(agent: string, input: string, home = daemon.home) {
  const child = Bun.spawn([builtBinary(), "hook", agent], {
    stdin: new TextEncoder().encode(input),
    stdout: "pipe",
    stderr: "pipe",
    env: { PATH: process.env.PATH ?? "", HOME: home, IDDIO_HOME: home },
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { stdout, stderr, exitCode: await child.exited };
}

const ask = (agent: AgentName, command: string, home?: string) =>
  hook(agent, JSON.stringify(hookAdapter(agent).sample(command, "/tmp")), home);

const DENY_TEXT =
  "iddio refused this command because of 'kubectl delete namespace prod': delete changes namespaces: a namespace with all that is in it; tier break-glass (group 'admin') is denied (break-glass, rule kubectl.rules.deny.groups[0]); no allow overrides the deny in line 9";
const ASK_TEXT =
  "iddio: a person must decide about 'kubectl delete pod api -n dev': delete removes; no rule matches, and the default is escalate (sensitive, rule kubectl.default); to allow exactly this, list 'pods delete' in kubectl.rules.allow.commands. To go on: show its changes first: kubectl delete … --dry-run=server";
const json = (value: object) => ({ stdout: `${JSON.stringify(value)}\n`, stderr: "", exitCode: 0 });
const flat = (kind: string, text: string) =>
  json({ permissionDecision: kind, permissionDecisionReason: text });
const nested = (kind: string, text: string) =>
  json({
    hookSpecificOutput: {
      hookEventName: "PreToolUse",
      permissionDecision: kind,
      permissionDecisionReason: text,
    },
  });

const NOTHING = { stdout: "", stderr: "", exitCode: 0 };
const EMPTY = json({});

/** Each agent's form of silence, of a deny and, where it has one, of a question. */
const GOLDEN = {
  claude: { silent: NOTHING, deny: nested("deny", DENY_TEXT), ask: nested("ask", ASK_TEXT) },
  codex: { silent: NOTHING, deny: { stdout: "", stderr: `${DENY_TEXT}\n`, exitCode: 2 }, ask: undefined },
  gemini: { silent: EMPTY, deny: json({ decision: "deny", reason: DENY_TEXT }), ask: undefined },
  copilot: { silent: NOTHING, deny: flat("deny", DENY_TEXT), ask: flat("ask", ASK_TEXT) },
  cursor: {
    silent: EMPTY,
    deny: json({ permission: "deny", user_message: DENY_TEXT, agent_message: DENY_TEXT }),
    ask: json({ permission: "ask", user_message: ASK_TEXT, agent_message: ASK_TEXT }),
  },
  opencode: {
    silent: json({ decision: "none" }),
    deny: json({ decision: "deny", reason: DENY_TEXT }),
    ask: undefined,
  },
} as const;

for (const adapter of HOOK_ADAPTERS) {
  const { agent, title } = adapter;
  const golden = GOLDEN[agent];

  test(
    `${title}: what the policy allows, and what no protocol knows, gets no opinion`,
    async () => {
      expect(await ask(agent, READ)).toEqual(golden.silent);
      expect(await ask(agent, "ls -la && npm test")).toEqual(golden.silent);
      expect(adapter.blocks(await ask(agent, READ))).toBe(false);
    },
    LIMIT_MS,
  );

  test(
    `${title}: what the policy denies is denied with its rule`,
    async () => {
      expect(await ask(agent, DENIED)).toEqual(golden.deny);
      expect(adapter.blocks(await ask(agent, `ls; bash -c '${DENIED}'`))).toBe(true);
      expect(adapter.blocks(await ask(agent, `source <(echo ${DENIED})`))).toBe(true);
    },
    LIMIT_MS,
  );

  test(
    `${title}: what a person must decide is asked by the agent, or held where it cannot ask`,
    async () => {
      if (golden.ask !== undefined) return expect(await ask(agent, CHANGE)).toEqual(golden.ask);
      const allowed = ask(agent, CHANGE);
      const [first] = await daemon.pending();
      expect(first).toMatchObject({
        host: `shell of ${agent}`,
        method: "RUN",
        path: CHANGE,
        tier: "sensitive",
      });
      await daemon.control.call("approvals_allow", { id: first?.id ?? "" });
      expect(await allowed).toEqual(golden.silent);
      const refused = ask(agent, CHANGE);
      const [second] = await daemon.pending();
      await daemon.control.call("approvals_deny", { id: second?.id ?? "", reason: "not today" });
      const reply = await refused;
      expect(adapter.blocks(reply)).toBe(true);
      expect(reply.stdout + reply.stderr).toContain("not today");
    },
    LIMIT_MS,
  );

  test(
    `${title}: a mistake of any kind is this agent's deny`,
    async () => {
      for (const input of ["", "no JSON", "[]", "null", "7", "{}"])
        expect({ input, blocked: adapter.blocks(await hook(agent, input)) }).toEqual({
          input,
          blocked: true,
        });
      expect(adapter.blocks(await ask(agent, CANARY))).toBe(true);
      await using broken = await temporaryDirectory();
      await writeFile(join(broken.path, "policy.yaml"), "kubectl: [");
      expect(adapter.blocks(await ask(agent, READ, broken.path))).toBe(true);
      expect(adapter.blocks(await ask(agent, "ls $(echo x)", broken.path))).toBe(true);
      // A command that concerns no policy needs none.
      expect(await ask(agent, "ls", broken.path)).toEqual(golden.silent);
    },
    LIMIT_MS,
  );

  test(
    `${title}: without a daemon the policy on disk judges`,
    async () => {
      await using home = await temporaryDirectory();
      await writeFile(join(home.path, "policy.yaml"), POLICY);
      expect(await ask(agent, READ, home.path)).toEqual(golden.silent);
      expect(await ask(agent, DENIED, home.path)).toEqual(golden.deny);
      if (golden.ask !== undefined) expect(await ask(agent, CHANGE, home.path)).toEqual(golden.ask);
      else expect(adapter.blocks(await ask(agent, CHANGE, home.path))).toBe(true);
    },
    LIMIT_MS,
  );
}

test(
  "an agent that leaves withdraws its question",
  async () => {
    const child = Bun.spawn([builtBinary(), "hook", "codex"], {
      stdin: new TextEncoder().encode(JSON.stringify(hookAdapter("codex").sample(CHANGE, "/tmp"))),
      env: { HOME: daemon.home, IDDIO_HOME: daemon.home },
      stdout: "ignore",
      stderr: "ignore",
    });
    await daemon.pending();
    child.kill();
    const rows = await daemon.rowsWhen((all) =>
      all.some(({ op, fields }) => op === "hook" && fields.outcome === "withdrawn"),
    );
    expect(rows.at(-1)?.fields).toMatchObject({ agent: "codex", command: "pods delete" });
  },
  LIMIT_MS,
);

test(
  "secrets in a command line are in no row and no answer",
  async () => {
    const secret = "hunter2-very-secret-value";
    const reply = await ask("claude", `kubectl delete namespace prod --token=${secret}`);
    expect(reply.stdout).toContain("deny");
    expect(reply.stdout).not.toContain(secret);
    expect(JSON.stringify(await daemon.rows())).not.toContain(secret);
  },
  LIMIT_MS,
);
