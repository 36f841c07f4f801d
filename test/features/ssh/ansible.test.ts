// Ansible as operators have it, through iddio: facts, modules that are copied and run, pipelining,
// a shared connection, files both ways. And what it must not break: the operator's own key
// exchange, whatever the way to iddio has.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findClient, runClient } from "../../support/clients.ts";
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

const ansible = findClient("ansible-playbook");
if (findSshTools() !== undefined && ansible !== undefined)
  describe("Ansible", () => {
    let world: SshWorld;
    beforeAll(async () => {
      world = await startSshWorld({ rules: RULES });
    }, MINUTES);
    afterAll(() => world[Symbol.asyncDispose](), MINUTES);

    const playbook = async (text: string, env: Readonly<Record<string, string>>) => {
      const { home } = world.gateway;
      writeFileSync(join(home, "book.yml"), text);
      writeFileSync(
        join(home, "hosts"),
        `localhost ansible_host=localhost ansible_connection=ssh ansible_python_interpreter=/usr/bin/python3 ansible_ssh_common_args='-F ${world.config}'\n`,
      );
      return runClient(ansible, ["-i", join(home, "hosts"), join(home, "book.yml")], {
        timeoutMs: 100_000,
        env: {
          ...world.env,
          LANG: "C.UTF-8",
          ANSIBLE_NOCOLOR: "1",
          ANSIBLE_RETRY_FILES_ENABLED: "0",
          ANSIBLE_LOCAL_TEMP: join(home, "ansible-local"),
          ...env,
        },
      });
    };

    const succeeds = async (text: string, env: Readonly<Record<string, string>>) => {
      const { code, stdout, stderr } = await playbook(text, env);
      expect([code, code === 0 ? "" : `${stdout}${stderr}`]).toEqual([0, ""]);
    };

    // Once for all ways, and with the shortest list of facts: each task takes Ansible seconds.
    test(
      "reads facts, and output and exit codes of commands",
      () =>
        succeeds(
          `- hosts: all
  gather_facts: true
  gather_subset: ["!all"]
  tasks:
    - command: uname -s
      register: it
    - assert: {that: ["it.stdout == 'Linux'", "ansible_facts.system == 'Linux'"]}
    - shell: exit 3
      register: failed
      failed_when: failed.rc != 3
`,
          { ANSIBLE_PIPELINING: "0" },
        ),
      MINUTES,
    );

    for (const [name, env] of [
      ["copies its modules by sftp and shares a connection", { ANSIBLE_PIPELINING: "0" }],
      ["sends its modules on stdin", { ANSIBLE_PIPELINING: "1" }],
      ["copies by scp", { ANSIBLE_PIPELINING: "0", ANSIBLE_SSH_TRANSFER_METHOD: "scp" }],
      ["copies by dd", { ANSIBLE_PIPELINING: "0", ANSIBLE_SSH_TRANSFER_METHOD: "piped" }],
    ] as const)
      test(
        name,
        async () => {
          const id = name.replace(/\W+/g, "-");
          const local = join(world.gateway.home, `${id}.bin`);
          writeFileSync(local, randomBytes(300_000));
          const there = join(world.sshd.home, `${id}.bin`);
          const back = join(world.gateway.home, `${id}.back`);
          await succeeds(
            `- hosts: all
  gather_facts: false
  tasks:
    - copy: {src: ${local}, dest: ${there}, mode: "0640"}
    - fetch: {src: ${there}, dest: ${back}, flat: true}
`,
            env,
          );
          expect(readFileSync(back).equals(readFileSync(local))).toBe(true);
        },
        MINUTES,
      );
  });
