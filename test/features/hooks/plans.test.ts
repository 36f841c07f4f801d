// Saved plans of terraform in a hook: read without terraform, shown, approved by their bytes, and
// applied from the copy that the daemon keeps. The plans in `plans/` were written by terraform 1.x
// with its built-in provider.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hookAdapter } from "../../../src/features/hooks/agents/adapters.ts";
import { planText, readPlan } from "../../../src/host/plan/terraform-plan.ts";
import { builtBinary } from "../../support/built-binary.ts";
import { findClient } from "../../support/clients.ts";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const LIMIT_MS = 300_000;
const POLICY = `terraform:
  inspect: []
  default: escalate
  groups:
    read: { tiers: [observe] }
    admin: { tiers: [break-glass] }
  rules:
    allow: { groups: [read] }
    deny: { groups: [admin] }
`;
const PLANS = join(import.meta.dir, "plans");

let daemon: Daemon;
let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  daemon = await startDaemon({ policy: POLICY, settings: "approval_timeout: 1m" });
  folder = await temporaryDirectory();
  for (const name of ["create", "mixed", "destroy"])
    await copyFile(join(PLANS, `${name}.tfplan`), join(folder.path, `${name}.bin`));
}, LIMIT_MS);
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function ask(agent: "claude" | "codex", command: string) {
  const child = Bun.spawn([builtBinary(), "hook", agent], {
    stdin: new TextEncoder().encode(JSON.stringify(hookAdapter(agent).sample(command, folder.path))),
    stdout: "pipe",
    stderr: "pipe",
    env: { PATH: process.env.PATH ?? "", HOME: daemon.home, IDDIO_HOME: daemon.home },
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { stdout, stderr, exitCode: await child.exited };
}

const keptIn = (text: string) => /\/[^' ]+\/plans\/[0-9a-f]{64}\.tfplan/.exec(text)?.[0] ?? "";

test("a plan is read as terraform shows it", async () => {
  const read = async (name: string) => readPlan(await readFile(join(PLANS, `${name}.tfplan`)));
  expect((await read("create"))?.changes).toEqual([
    { address: "terraform_data.a", action: "create" },
    { address: "terraform_data.b", action: "create" },
  ]);
  expect((await read("mixed"))?.changes).toEqual([
    { address: "terraform_data.b", action: "delete" },
    { address: "terraform_data.a", action: "update" },
    { address: "terraform_data.c", action: "create" },
  ]);
  const destroy = await read("destroy");
  expect(destroy?.isDestroy).toBe(true);
  expect(destroy && planText(destroy, 1)).toMatch(
    /^destroys everything: 2 to delete\ndelete terraform_data\.b\nand 1 more\nSHA-256 [0-9a-f]{64}$/,
  );
});

test("what is no plan, or a damaged one, is not read; nothing throws", async () => {
  const whole = new Uint8Array(await readFile(join(PLANS, "mixed.tfplan")));
  for (const bytes of [
    new Uint8Array(0),
    new TextEncoder().encode("PK"),
    whole.subarray(0, whole.length - 30),
  ])
    expect(readPlan(bytes)).toBeUndefined();
  // Whatever one byte is changed to, a change is not lost without the plan's becoming unreadable or another action.
  for (let at = 0; at < whole.length; at += 7) {
    const changed = whole.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x41;
    expect(() => readPlan(changed)).not.toThrow();
  }
});

test(
  "is applied from the copy that is kept, after a question that shows what it changes",
  async () => {
    const first = await ask("claude", "terraform apply -input=false mixed.bin");
    const kept = keptIn(first.stdout);
    expect(first.stdout).toContain('"permissionDecision":"deny"');
    expect(kept).toStartWith(join(daemon.home, "plans"));
    expect(await readFile(kept)).toEqual(await readFile(join(folder.path, "mixed.bin")));
    const second = await ask("claude", `terraform apply -input=false ${kept}`);
    expect(second.stdout).toContain('"permissionDecision":"ask"');
    expect(second.stdout).toContain(
      "1 to delete, 1 to update, 1 to create; delete terraform_data.b; update terraform_data.a",
    );
    expect(second.stdout).toContain("(sensitive");
  },
  LIMIT_MS,
);

test(
  "is approved by its bytes: another plan under the same name is another question",
  async () => {
    const kept = keptIn((await ask("codex", "terraform apply mixed.bin")).stderr);
    const allowed = ask("codex", `terraform apply ${kept}`);
    const [approval] = await daemon.pending();
    const { approval: shown } = await daemon.control.call("approvals_show", { id: approval?.id ?? "" });
    expect(JSON.stringify(shown)).toContain("delete terraform_data.b");
    await daemon.control.call("approvals_allow", { id: approval?.id ?? "" });
    expect((await allowed).exitCode).toBe(0);
    // The file of that name now holds something else: its hash is not its name.
    Bun.spawnSync(["/bin/chmod", "644", kept]);
    await copyFile(join(folder.path, "create.bin"), kept);
    const other = await ask("codex", `terraform apply ${kept}`);
    expect(other.exitCode).toBe(2);
    expect(keptIn(other.stderr.slice(other.stderr.indexOf("run the same")))).not.toBe(kept);
  },
  LIMIT_MS,
);

test(
  "its content decides: a plan that destroys is break-glass, one that cannot be read is unknown",
  async () => {
    const destroy = await ask("claude", "terraform apply destroy.bin");
    expect(destroy.stdout).toContain("terraform.rules.deny.groups[0]");
    await writeFile(join(folder.path, "junk.bin"), "no plan");
    for (const name of ["junk.bin", "missing.bin"]) {
      const { stdout } = await ask("claude", `terraform apply ${name}`);
      expect(stdout).toContain("cannot be read");
      expect(stdout).not.toContain('"allow"');
    }
    await mkdir(join(folder.path, "infra"));
    await copyFile(join(folder.path, "destroy.bin"), join(folder.path, "infra", "p"));
    for (const command of [
      "terraform -chdir=infra apply p",
      "bash -c 'tofu apply infra/p'",
      "env A=1 terraform apply infra/p",
    ])
      expect((await ask("claude", command)).stdout, command).toContain("deny.groups[0]");
  },
  LIMIT_MS,
);

test(
  "terraform takes the copy",
  async () => {
    const terraform = findClient("terraform");
    if (terraform === undefined) return;
    const work = join(folder.path, "work");
    await mkdir(work);
    await writeFile(join(work, "main.tf"), 'resource "terraform_data" "x" { input = "1" }\n');
    const run = (...args: string[]) =>
      Bun.spawnSync([terraform, ...args], {
        cwd: work,
        stdout: "pipe",
        stderr: "pipe",
        env: { PATH: process.env.PATH ?? "", HOME: work, CHECKPOINT_DISABLE: "1" },
      });
    if (!run("init").success) return;
    expect(run("plan", "-out=p").exitCode).toBe(0);
    const { stdout } = await ask("claude", `terraform -chdir=${work} apply p`);
    const applied = run("apply", "-no-color", keptIn(stdout));
    expect(applied.stdout.toString() + applied.stderr.toString()).toContain("1 added");
  },
  LIMIT_MS,
);
