// An agent's hook inside a run: it reaches the daemon by the run's own channel, and nothing else of
// the control API is there. The hook's files are part of the sandbox, so that an agent cannot take
// them away.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { METHODS } from "../../../src/api/methods.ts";
import { hookAdapter } from "../../../src/features/hooks/agents/adapters.ts";
import type { AgentName } from "../../../src/model/agent-name.ts";
import { eventually } from "../../support/eventually.ts";
import { noSandbox, type Sandbox, startSandbox } from "../../support/sandbox/sandbox.ts";

const LONG_MS = 120_000;
const POLICY = `kubectl:
  inspect: []
  default: escalate
  agents:
    - names: ["ci-*"]
      rules: { deny: { groups: [change] } }
  groups:
    read: { tiers: [observe] }
    change: { tiers: [sensitive] }
    admin: { tiers: [break-glass] }
  rules:
    allow: { groups: [read] }
    deny: { groups: [admin] }
terraform:
  inspect: []
  default: escalate
`;
const CHANGE = "kubectl delete pod api -n dev";

describe.if(noSandbox() === undefined)("a hook in a run", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox({ policy: POLICY });
  }, LONG_MS);

  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
  }, LONG_MS);

  const question = (agent: AgentName, command: string) =>
    `printf '%s' '${JSON.stringify(hookAdapter(agent).sample(command, "/tmp")).replaceAll("'", "'\\''")}' | iddio hook ${agent}`;
  const held = () =>
    eventually(
      async () =>
        (await sandbox.control.call("approvals_list", {})).approvals.find(({ method }) => method === "RUN"),
      (found) => found !== undefined,
    );

  test(
    "is judged by the policy in force, and its rows carry the run",
    async () => {
      const flags = ["--name", "asker"];
      const denied = await sandbox.inside(question("claude", "kubectl delete namespace prod"), { flags });
      expect(hookAdapter("claude").blocks({ stdout: denied.stdout, stderr: "", exitCode: 0 })).toBe(true);
      expect(denied.stdout).toContain("kubectl.rules.deny.groups[0]");
      expect(await sandbox.inside(question("claude", "kubectl get pods"), { flags })).toMatchObject({
        stdout: "",
      });
      const rows = await sandbox.rowsWhen((all) => all.some(({ op }) => op === "hook"));
      expect(
        rows.find(({ op, fields }) => op === "hook" && fields.decision === "deny")?.fields,
      ).toMatchObject({
        agent: "claude",
        client: { run: "asker", run_id: expect.stringMatching(/^run_/) },
      });
    },
    LONG_MS,
  );

  test(
    "waits for a person where the agent cannot ask, and is withdrawn when it leaves",
    async () => {
      await using program = sandbox.start([
        "run",
        "--name",
        "waiter",
        "--",
        "/bin/sh",
        "-c",
        question("codex", CHANGE),
      ]);
      const approval = await held();
      expect(approval).toMatchObject({
        path: CHANGE,
        client: { run: "waiter" },
        labels: { agent: "waiter" },
      });
      await sandbox.control.call("approvals_allow", { id: approval?.id ?? "" });
      expect(await program.finished).toMatchObject({ code: 0, stdout: "", stderr: "" });
      await using leaver = sandbox.start([
        "run",
        "--name",
        "leaver",
        "--",
        "/bin/sh",
        "-c",
        `timeout 600 sh -c "$(cat <<'END'\n${question("codex", CHANGE)}\nEND\n)" & until [ -e leave ]; do sleep 0.1; done; kill $!; wait; true`,
      ]);
      await held();
      await sandbox.write(join(sandbox.project, "leave"), "");
      await leaver.finished;
      await sandbox.rowsWhen((all) =>
        all.some(({ op, fields }) => op === "hook" && fields.outcome === "withdrawn"),
      );
    },
    LONG_MS,
  );

  test(
    "is judged by `agents:` as well",
    async () => {
      const { stdout } = await sandbox.inside(question("claude", CHANGE), { flags: ["--name", "ci-7"] });
      expect(stdout).toContain('"permissionDecision":"deny"');
      expect((await sandbox.inside(question("claude", CHANGE))).stdout).toContain(
        '"permissionDecision":"ask"',
      );
    },
    LONG_MS,
  );

  test(
    "survives a restart of the daemon; while there is none, nobody can be asked",
    async () => {
      const ask = question("codex", CHANGE);
      const script = `until [ -e down ]; do sleep 0.1; done; ${ask}; echo code=$?; touch asked; until [ -e up ]; do sleep 0.1; done; for i in 1 2 3 4 5 6 7 8; do ${question("codex", "kubectl delete namespace prod")} 2>&1 | grep -q groups && echo back && exit; sleep 0.5; done`;
      await using program = sandbox.start(["run", "--name", "survivor", "--", "/bin/sh", "-c", script]);
      await eventually(
        async () =>
          (await sandbox.control.call("runs_list", {})).runs.find(({ name }) => name === "survivor"),
        (run) => run?.pid !== undefined,
      );
      await sandbox.kill();
      await sandbox.write(join(sandbox.project, "down"), "");
      await eventually(
        async () => existsSync(join(sandbox.project, "asked")),
        (asked) => asked,
      );
      await sandbox.restart();
      await sandbox.write(join(sandbox.project, "up"), "");
      const { stdout, stderr } = await program.finished;
      expect(stdout).toBe("code=2\nback\n");
      expect(stderr).toContain("nobody can be asked");
    },
    LONG_MS,
  );

  test(
    "held: every other method of the control API, by hand and by the command line",
    async () => {
      const calls = Object.entries(METHODS)
        .filter(([, entry]) => !("isForRuns" in entry && entry.isForRuns))
        .map(
          ([name, { verb, path }]) =>
            `-s -o /dev/null -m 5 -w '${name} %{http_code}\\n' -X ${verb} ${verb === "POST" ? "-d '{}'" : ""} http://127.0.0.1:9443${path}`,
        );
      const { stdout } = await sandbox.inside(
        `curl ${calls.join(" --next ")}; iddio approval list; iddio approval allow x; iddio settings set approval_guard=off; iddio policy reload; iddio run ls`,
      );
      const codes = stdout.split("\n").filter((line) => /^\w+ \d+$/.test(line));
      expect(codes.length).toBe(calls.length);
      // Refused for who asks, or for the shape of the input; never done.
      expect(codes.filter((line) => !/ (?:403|400)$/.test(line))).toEqual([]);
      const { stderr } = await sandbox.inside("iddio approval list; iddio run ls");
      expect(stderr.match(/a caller of the kind 'run' may not call/g)).toHaveLength(2);
    },
    LONG_MS,
  );

  test(
    "shows a saved plan of terraform as a copy that the agent cannot change",
    async () => {
      const plan = await readFile(
        join(import.meta.dir, "../..", "features", "hooks", "plans", "mixed.tfplan"),
      );
      await writeFile(join(sandbox.project, "p.bin"), plan, { mode: 0o644 });
      const ask = question("claude", "terraform apply p.bin").replaceAll("/tmp", sandbox.project);
      const { stdout } = await sandbox.inside(
        `${ask}; cd /run/iddio/plans; f=$(ls); cmp $f ${sandbox.project}/p.bin && echo same; echo evil > $f || rm -f $f || mv $f x || echo kept`,
      );
      expect(stdout).toMatch(/\/run\/iddio\/plans\/[0-9a-f]{64}\.tfplan/);
      expect(stdout).toContain("same\nkept\n");
    },
    LONG_MS,
  );

  test(
    "is part of the sandbox: read-only, whatever the agent leaves in its place",
    async () => {
      const { home, project } = sandbox;
      await mkdir(join(home, ".codex"), { recursive: true });
      const flags = ["--profile", "codex"];
      const file = "~/.codex/hooks.json";
      const first = await sandbox.inside(
        `cat ${file}; echo evil > ${file} || echo kept; rm -f ${file} 2>/dev/null || echo kept; mv ~/.codex ~/x 2>/dev/null || echo kept; touch ~/.codex/config.toml && echo writable`,
        { flags },
      );
      expect(first.stdout).toContain("/run/iddio/iddio hook codex");
      expect(first.stdout.match(/^kept$/gm)).toHaveLength(3);
      expect(first.stdout).toContain("writable");
      // A link in its place, left by an agent in its own copy, is not followed and does not stop the next run.
      const plugins = "~/.config/opencode/plugins";
      const opencode = { flags: ["--profile", "opencode"] };
      await sandbox.inside("true", opencode);
      await sandbox.inside(`rm -rf ~/.config/opencode/x; mkdir ~/.config/opencode/x; true`, opencode);
      const second = await sandbox.inside(`cat ${plugins}/iddio.js | head -1`, opencode);
      expect(second.stdout).toContain("Asks iddio before a command runs");
      expect(existsSync(join(home, ".codex", "hooks.json"))).toBe(false);
      expect(existsSync(join(project, "hooks.json"))).toBe(false);
    },
    LONG_MS,
  );

  test(
    "is named to Claude Code and Gemini CLI beside their own settings",
    async () => {
      const bin = join(sandbox.project, "bin");
      await mkdir(bin, { mode: 0o755 });
      await sandbox.write(join(bin, "claude"), '#!/bin/sh\necho "$@"; cat "$2"\n', 0o755);
      await sandbox.write(
        join(bin, "gemini"),
        "#!/bin/sh\ncat ~/.gemini/extensions/iddio/*.json ~/.gemini/extensions/iddio/hooks/hooks.json\n",
        0o755,
      );
      const claude = await sandbox.iddio(["run", join(bin, "claude"), "-p", "hello"]);
      expect(claude.stdout).toContain("--settings /run/iddio/hook-settings.json -p hello\n");
      expect(claude.stdout).toContain("/run/iddio/iddio hook claude");
      const gemini = await sandbox.iddio(["run", join(bin, "gemini")]);
      expect(gemini.stdout).toContain("/run/iddio/iddio hook gemini");
    },
    LONG_MS,
  );
});
