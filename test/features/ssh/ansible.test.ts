// Ansible as operators have it, through iddio: facts, modules that are copied and run, pipelining,
// a shared connection, files both ways. And what it must not break: the operator's own key
// exchange, whatever the way to iddio has.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Finished, findClient, runClient } from "../../support/clients.ts";
import { ALLOW_ALL, type SshWorld, startSshWorld } from "../../support/ssh-world.ts";
import { findSshTools } from "../../support/sshd.ts";

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

/** How modules and files are carried: a test's name, the host that stands for it, the host's variables. */
const WAYS = [
  ["copies its modules by sftp and shares a connection", "sftp", "ansible_pipelining=false"],
  ["sends its modules on stdin", "stdin", "ansible_pipelining=true"],
  ["copies by scp", "scp", "ansible_pipelining=false ansible_ssh_transfer_method=scp"],
  ["copies by dd", "dd", "ansible_pipelining=false ansible_ssh_transfer_method=piped"],
] as const;

const ansible = findClient("ansible-playbook");
if (findSshTools() !== undefined && ansible !== undefined)
  describe("Ansible", () => {
    let world: SshWorld;
    let finished: Finished;
    const fileOf = (way: string) => join(world.gateway.home, `${way}.bin`);
    const backOf = (way: string) => join(world.gateway.home, `${way}.back`);

    // One start for all ways, and the shortest list of facts: starting takes Ansible seconds, and each task a part of one.
    beforeAll(async () => {
      world = await startSshWorld({ rules: RULES });
      const { home } = world.gateway;
      const host = (name: string, variables: string) =>
        `${name} ansible_host=localhost ansible_control_path_dir=${join(home, `c-${name}`)} ${variables}\n`;
      writeFileSync(
        join(home, "hosts"),
        `${host("facts", "ansible_pipelining=false")}[ways]
${WAYS.map(([, way, variables]) => host(way, variables)).join("")}[all:vars]
ansible_connection=ssh
ansible_python_interpreter=/usr/bin/python3
ansible_ssh_common_args='-F ${world.config}'
`,
      );
      for (const [, way] of WAYS) writeFileSync(fileOf(way), randomBytes(300_000));
      const there = join(world.sshd.home, "{{inventory_hostname}}.bin");
      writeFileSync(
        join(home, "book.yml"),
        `- hosts: facts
  gather_facts: true
  gather_subset: ["!all"]
  tasks:
    - command: uname -s
      register: it
    - assert: {that: ["it.stdout == 'Linux'", "ansible_facts.system == 'Linux'"]}
    - shell: exit 3
      register: failed
      failed_when: failed.rc != 3
- hosts: ways
  gather_facts: false
  strategy: free
  tasks:
    - copy: {src: "${fileOf("{{inventory_hostname}}")}", dest: "${there}", mode: "0640"}
    - fetch: {src: "${there}", dest: "${backOf("{{inventory_hostname}}")}", flat: true}
`,
      );
      finished = await runClient(ansible, ["-i", join(home, "hosts"), join(home, "book.yml")], {
        timeoutMs: MINUTES / 2,
        env: {
          ...world.env,
          LANG: "C.UTF-8",
          ANSIBLE_NOCOLOR: "1",
          ANSIBLE_RETRY_FILES_ENABLED: "0",
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

    test("reads facts, and output and exit codes of commands", () => expectDone("facts", 4));

    for (const [name, way] of WAYS)
      test(name, () => {
        expectDone(way, 2);
        expect(readFileSync(backOf(way)).equals(readFileSync(fileOf(way)))).toBe(true);
      });
  });
