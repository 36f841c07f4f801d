// Ansible as operators have it, through iddio: facts, modules that are copied and run, pipelining,
// a shared connection, files both ways. And what it must not break: the operator's own key
// exchange, whatever the way to iddio has.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Finished, findClient, runClient } from "../../support/clients.ts";
import { ALLOW_ALL, type SshWorld, startSshWorld } from "../../support/ssh/ssh-world.ts";
import { findSshTools } from "../../support/ssh/sshd.ts";

/** Longer than each program may take by itself. */
const MINUTES = 10 * 60_000;

if (findSshTools() !== undefined)
  describe("the operator's side", () => {
    test(
      "keeps OpenSSH's own key exchange, which is post-quantum",
      async () => {
        await using world = await startSshWorld({
          rules: ALLOW_ALL,
          config: "LogLevel DEBUG1",
          isWholeKeyExchange: true,
        });
        expect((await world.ssh("true")).code).toBe(0);
        const ours = /sntrup761x25519-sha512|mlkem768x25519-sha256/;
        const { stdout } = await runClient("ssh", ["-Q", "kex"]);
        if (ours.test(stdout)) expect(world.sshd.log).toMatch(/kex: algorithm: (?:sntrup761|mlkem768)x25519/);
      },
      MINUTES,
    );
  });

/** Programs in another language are known to no rule: they are allowed by name, as docs/ssh.md has it. */
const RULES = `  rules:
    allow:
      groups: [read, mutate, admin]
      commands: ["/usr/bin/python3 <path>", "/usr/bin/python3"]
`;

/** How modules and files are carried: a test's name, the host that stands for it, the host's variables, its tasks. */
const WAYS = [
  ["copies its modules by sftp and shares a connection", "sftp", "ansible_pipelining=false", 3],
  ["sends its modules on stdin", "stdin", "ansible_pipelining=true", 3],
  ["copies by scp", "scp", "ansible_pipelining=false ansible_ssh_transfer_method=scp", 2],
  ["copies by dd", "dd", "ansible_pipelining=false ansible_ssh_transfer_method=piped", 2],
] as const;

/** Ansible's own settings: it asks less often whether its workers are done, which costs it most of a second. */
const SETTINGS = `[defaults]
internal_poll_interval = 0.05
collections_scan_sys_path = false
retry_files_enabled = false
[inventory]
enable_plugins = ini
`;

const ansible = findClient("ansible-playbook");
if (findSshTools() !== undefined && ansible !== undefined)
  describe("Ansible", () => {
    let world: SshWorld;
    let finished: Finished;
    const fileOf = (way: string) => join(world.gateway.home, `${way}.bin`);
    const backOf = (way: string) => join(world.gateway.home, `${way}.back`);

    // One start for all, and no module twice in one way: starting takes Ansible seconds, and each module a part of one.
    beforeAll(async () => {
      world = await startSshWorld({ rules: RULES });
      const { home } = world.gateway;
      writeFileSync(
        join(home, "hosts"),
        `[ways]
${WAYS.map(
  ([, way, variables]) =>
    `${way} ansible_host=localhost ansible_control_path_dir=${join(home, `c-${way}`)} ${variables}\n`,
).join("")}[all:vars]
ansible_connection=ssh
ansible_python_interpreter=/usr/bin/python3
ansible_ssh_common_args='-F ${world.config}'
`,
      );
      const there = join(world.sshd.home, "{{inventory_hostname}}.bin");
      for (const [, way] of WAYS) writeFileSync(fileOf(way), randomBytes(300_000));
      // A "script" is carried as a file that is copied is, with no module beside it; cp keeps it, whatever bytes it has.
      writeFileSync(
        join(home, "book.yml"),
        `- hosts: ways
  gather_facts: false
  strategy: free
  tasks:
    - setup: {gather_subset: ["!all", "!min", "platform"]}
      register: facts
      failed_when: facts.ansible_facts.ansible_system != 'Linux'
      when: inventory_hostname == 'sftp'
    - shell: uname -s; exit 3
      register: it
      failed_when: it.rc != 3 or it.stdout != 'Linux'
      when: inventory_hostname == 'stdin'
    - copy: {src: "${fileOf("{{inventory_hostname}}")}", dest: "${there}", mode: "0640"}
      when: inventory_hostname == 'sftp'
    - script: {cmd: "${fileOf("{{inventory_hostname}}")} ${there}", executable: cp}
      when: inventory_hostname != 'sftp'
    - fetch: {src: "${there}", dest: "${backOf("{{inventory_hostname}}")}", flat: true}
`,
      );
      const settings = join(home, "ansible.cfg");
      writeFileSync(settings, SETTINGS);
      finished = await runClient(ansible, ["-i", join(home, "hosts"), join(home, "book.yml")], {
        timeoutMs: MINUTES / 2,
        env: {
          ...world.env,
          LANG: "C.UTF-8",
          ANSIBLE_NOCOLOR: "1",
          ANSIBLE_CONFIG: settings,
          ANSIBLE_LOCAL_TEMP: join(home, "ansible-local"),
        },
      });
    }, MINUTES);
    afterAll(() => world[Symbol.asyncDispose](), MINUTES);

    /** A host's line of the summary, and all that was printed when it is not as it should be. */
    const expectDone = (host: string, ok: number) => {
      const { code, stdout, stderr } = finished;
      const line = stdout.split("\n").find((each) => each.startsWith(`${host} `) && each.includes("ok="));
      const isDone = line?.includes(`ok=${ok} `) && / unreachable=0 +failed=0 /.test(line);
      expect([code, isDone ? "" : `${stdout}${stderr}`]).toEqual([0, ""]);
    };

    test("reads facts, and output and exit codes of commands", () => {
      expectDone("sftp", 3);
      expectDone("stdin", 3);
    });

    for (const [name, way, , ok] of WAYS)
      test(name, () => {
        expectDone(way, ok);
        expect(readFileSync(backOf(way)).equals(readFileSync(fileOf(way)))).toBe(true);
      });
  });
