// The policy's verdicts on a session and how the client hears of them: holds, refusals,
// forwardings, files. And the rulings about SSH: secrets of the operator's configuration, the tier
// of a terminal, the names under which a host counts.

import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "../../../src/features/ssh/session/ask-ssh.ts";
import {
  configArguments,
  HARD_OPTIONS,
  upstreamArguments,
} from "../../../src/features/ssh/session/upstream-arguments.ts";
import { classifyWish } from "../../../src/protocols/ssh/classify-wish.ts";
import { isPlainHost, isPlainUser } from "../../../src/protocols/ssh/target.ts";
import { runClient } from "../../support/clients.ts";
import { ALLOW_ALL, startSshWorld } from "../../support/ssh/ssh-world.ts";
import { findSshTools } from "../../support/ssh/sshd.ts";

const MINUTES = 10 * 60_000;
const TARGET = { program: "/usr/bin/ssh", config: undefined, name: "prod", port: 22, user: "deploy" };

describe("ruling 25: the operator's ssh", () => {
  const works = [
    { kind: "command", command: "-oProxyCommand=evil", pty: false },
    { kind: "shell", pty: true },
    { kind: "subsystem", name: "sftp" },
    { kind: "connect", host: "db", port: 5432 },
  ] as const;

  test("every start has every hard option, and -- before the host", () => {
    for (const work of works) {
      const argv = upstreamArguments(TARGET, work);
      for (const option of RULED) expect([work.kind, argv.includes(option)]).toEqual([work.kind, true]);
      expect(argv[argv.indexOf("--") + 1]).toBe("prod");
      expect(argv.slice(0, argv.indexOf("--")).join(" ")).not.toContain("evil");
    }
    for (const option of RULED) expect(HARD_OPTIONS).toContain(option);
  });

  test("a host or user that ssh or a shell could read otherwise is refused", () => {
    for (const host of [
      "-oProxyCommand=x",
      "a b",
      "a;id",
      "$(id)",
      "a\nb",
      "",
      "a`id`",
      "%h",
      "a'b",
      "-x",
      ".",
      "a/b",
      "u@h",
    ])
      expect([host, isPlainHost(host)]).toEqual([host, false]);
    for (const user of ["-l", "a b", "$(id)", "a;b", "", "a\nb", "a'b", "%r", "a@b"])
      expect([user, isPlainUser(user)]).toEqual([user, false]);
    for (const host of ["prod", "prod.example.com", "10.0.0.1", "fe80::1", "::1", "a-b_c"])
      expect([host, isPlainHost(host)]).toEqual([host, true]);
    expect(() => upstreamArguments({ ...TARGET, name: "-oProxyCommand=x" }, works[0])).toThrow();
    expect(() => upstreamArguments({ ...TARGET, user: "$(id)" }, works[0])).toThrow();
  });

  test("a configuration that throws known hosts away is no configuration", () => {
    expect(readConfig("hostname a\nport 22\nuserknownhostsfile /dev/null\n", TARGET).problem).toContain(
      "/dev/null",
    );
    expect(readConfig("hostname A\nport 22\nuserknownhostsfile /x/known\n", TARGET)).toEqual({
      host: "a",
      port: 22,
      user: "deploy",
    });
  });

  if (findSshTools() !== undefined)
    test.concurrent(
      "wins over a hostile configuration, as ssh itself says",
      async () => {
        await using world = await startSshWorld();
        const config = join(world.gateway.home, "hostile");
        writeFileSync(config, HOSTILE(world.gateway.home));
        const argv = configArguments({ ...TARGET, program: "ssh", config });
        const { stdout } = await runClient("ssh", argv.slice(1), { env: world.env });
        const values = new Map(
          stdout.split("\n").map((line) => [line.split(" ")[0] ?? "", line.split(" ").slice(1).join(" ")]),
        );
        expect({
          forwardagent: values.get("forwardagent"),
          clearallforwardings: values.get("clearallforwardings"),
          permitlocalcommand: values.get("permitlocalcommand"),
          controlmaster: values.get("controlmaster"),
          controlpath: values.get("controlpath"),
          remotecommand: values.get("remotecommand"),
          stricthostkeychecking: values.get("stricthostkeychecking"),
          batchmode: values.get("batchmode"),
          escapechar: values.get("escapechar"),
          tunnel: values.get("tunnel"),
        }).toEqual({
          forwardagent: "no",
          clearallforwardings: "yes",
          permitlocalcommand: "no",
          controlmaster: "false",
          controlpath: undefined,
          remotecommand: undefined,
          stricthostkeychecking: "true",
          batchmode: "yes",
          escapechar: "none",
          tunnel: "false",
        });
      },
      MINUTES,
    );
});

const RULED = [
  "EscapeChar=none",
  "ClearAllForwardings=yes",
  "ForwardAgent=no",
  "ForwardX11=no",
  "Tunnel=no",
  "PermitLocalCommand=no",
  "RemoteCommand=none",
  "ControlMaster=no",
  "ControlPath=none",
  "StrictHostKeyChecking=yes",
  "UpdateHostKeys=no",
  "BatchMode=yes",
  "GSSAPIDelegateCredentials=no",
  "NoHostAuthenticationForLocalhost=no",
];

const HOSTILE = (home: string) => `Host *
  ForwardAgent yes
  ForwardX11 yes
  LocalForward 127.0.0.1:1 127.0.0.1:2
  PermitLocalCommand yes
  LocalCommand touch ${home}/pwned
  RemoteCommand id
  ControlMaster auto
  ControlPath ${home}/cm
  StrictHostKeyChecking no
  UpdateHostKeys yes
  EscapeChar ~
  Tunnel yes
`;

describe("ruling 26: a terminal", () => {
  test("makes the smallest read as risky as a shell", () => {
    const shell = classifyWish({ kind: "shell" }).classification.tier;
    expect(shell).toBe("sensitive");
    for (const command of [
      "uname -a",
      "journalctl -u nginx",
      "systemctl status nginx",
      "git log",
      "touch /tmp/x",
    ]) {
      expect(classifyWish({ kind: "exec", command, pty: true }).classification.tier).toBe("sensitive");
      expect(classifyWish({ kind: "exec", command, pty: false }).classification.tier).not.toBe("sensitive");
    }
    expect(classifyWish({ kind: "exec", command: "sudo id", pty: true }).classification.tier).toBe(
      "break-glass",
    );
    expect(classifyWish({ kind: "exec", command: "./x", pty: true }).classification.tier).toBe("unknown");
  });
});

if (findSshTools() !== undefined) {
  describe("ruling 26: the name of a host", () => {
    test.concurrent(
      "an alias is judged as the host that it leads to, and leads only to hosts of the policy",
      async () => {
        await using world = await startSshWorld({
          operator: "Host other\n  HostName 127.0.0.1\nHost elsewhere\n  HostName 192.0.2.1\n",
          rules: `  hosts:
    - names: ["127.0.0.1"]
      rules:
        deny: {groups: [read, mutate, admin]}
${ALLOW_ALL}`,
        });
        // By its name and by what it resolves to: the strictest verdict is that of the address.
        const direct = await world.ssh("uname -a");
        expect([direct.code, direct.stderr]).toEqual([126, expect.stringContaining("hosts[0]")]);
        const { port } = world.sshd;
        const via = (name: string) =>
          runClient(
            "ssh",
            [
              "-F",
              world.config,
              "-o",
              `ProxyCommand=${world.gatewayProgram} ssh-proxy localhost ${port} ${name}`,
              "localhost",
              "uname -a",
            ],
            { env: world.env },
          );
        const refused = await via("elsewhere");
        expect([refused.code, refused.stderr]).toEqual([
          126,
          expect.stringContaining("does not list 192.0.2.1"),
        ]);
        expect((await via("other")).code).toBe(126);
      },
      MINUTES,
    );
  });

  describe("the host's key", () => {
    test.concurrent(
      "an unknown or changed one is refused with what a person can do",
      async () => {
        await using world = await startSshWorld();
        const known = readFileSync(world.sshd.knownHosts, "utf8");
        writeFileSync(world.sshd.knownHosts, "");
        const unknown = await world.ssh("uname -a");
        expect(unknown.code).toBe(255);
        expect(unknown.stderr).toContain(`trust it with: ssh -p ${world.sshd.port} localhost`);
        expect(readFileSync(world.sshd.knownHosts, "utf8")).toBe("");
        const other = readFileSync(`${world.sshd.identity}.pub`, "utf8").split(" ").slice(0, 2).join(" ");
        writeFileSync(world.sshd.knownHosts, `[localhost]:${world.sshd.port} ${other}\n`);
        const changed = await world.ssh("uname -a");
        expect([changed.code, changed.stderr]).toEqual([
          255,
          expect.stringContaining("is not the one that is known"),
        ]);
        writeFileSync(world.sshd.knownHosts, known);
        expect((await world.ssh("uname -a")).code).toBe(0);
      },
      MINUTES,
    );

    test.concurrent(
      "certificates of hosts count, and a revoked key does not",
      async () => {
        await using world = await startSshWorld({ hasCertificate: true });
        expect((await world.ssh("uname -a")).code).toBe(0);
        const known = readFileSync(world.sshd.knownHosts, "utf8");
        expect(known).toStartWith("@cert-authority ");
        writeFileSync(world.sshd.knownHosts, known.replace(/^@cert-authority/gm, "@revoked"));
        expect((await world.ssh("uname -a")).code).toBe(255);
      },
      MINUTES,
    );
  });

  describe("a person decides", () => {
    test.concurrent(
      "what is held says so, runs once it is allowed, and tells an agent why it was denied",
      async () => {
        await using world = await startSshWorld();
        const file = join(world.sshd.home, "made");
        const held = world.start(`touch ${file}`);
        const approval = await world.gateway.approve();
        expect(approval).toMatchObject({
          protocol: "ssh",
          tier: "modify",
          command: `touch ${file}`,
          labels: { host: "localhost", user: "tester" },
        });
        const finished = await held.finished;
        expect([finished.code, existsSync(file)]).toEqual([0, true]);
        expect(finished.stderr).toContain(`iddio approval allow ${approval.id}`);

        const other = world.start(`rm -r ${file}`);
        await world.gateway.deny("keep it");
        const denied = await other.finished;
        expect(denied.code).toBe(126);
        expect(denied.stderr).toContain("a person denied");
        expect(denied.stderr).toContain("keep it");
        expect(existsSync(file)).toBe(true);
        const rows = await world.gateway.rowsWhen((all) =>
          all.some(({ fields }) => fields.outcome === "denied"),
        );
        expect(rows.some(({ op, fields }) => op === "intent" && fields.command === `touch ${file}`)).toBe(
          true,
        );
      },
      MINUTES,
    );

    test.concurrent(
      "what its client does not wait for is withdrawn and never runs",
      async () => {
        await using world = await startSshWorld();
        const file = join(world.sshd.home, "never");
        const held = world.start(`touch ${file}`);
        await world.gateway.held();
        await held.stop();
        await world.gateway.rowsWhen((all) => all.some(({ fields }) => fields.outcome === "withdrawn"));
        expect(existsSync(file)).toBe(false);
      },
      MINUTES,
    );

    test.concurrent(
      "what is denied by the policy is refused at once, with the rule",
      async () => {
        await using world = await startSshWorld();
        const { code, stdout, stderr } = await world.ssh("sudo id");
        expect([code, stdout]).toEqual([126, ""]);
        expect(stderr).toContain("iddio refused");
        expect(stderr).toContain("break-glass");
        expect(stderr).toContain("ssh.rules.deny");
        // A shell may do anything: it waits for a person, and does not begin when that person says no.
        const terminal = world.start(undefined, { options: ["-tt"], input: "id\nexit\n" });
        await world.gateway.deny("no shell");
        const ended = await terminal.finished;
        expect(ended.code).not.toBe(0);
        expect(ended.stdout).not.toContain("uid=");
      },
      MINUTES,
    );

    test.concurrent(
      "one yes to an upload counts for the rest of its folder, and for nothing else",
      async () => {
        await using world = await startSshWorld();
        const there = join(world.sshd.home, "drop", "in");
        mkdirSync(there, { recursive: true });
        await runClient("chmod", ["-R", "777", join(world.sshd.home, "drop")]);
        for (const name of ["a", "b", "c"]) writeFileSync(join(world.gateway.home, name), name);
        const batch = ["a", "b", "c"]
          .map((name) => `put ${join(world.gateway.home, name)} ${there}/${name}`)
          .join("\n");
        const sending = runClient("sftp", ["-F", world.config, "-b", "-", "localhost"], {
          env: world.env,
          input: `${batch}\nrm ${world.sshd.home}/x\n`,
        });
        const first = await world.gateway.approve();
        expect(first.command).toBe("sftp upload");
        const second = await world.gateway.held(({ id }) => id !== first.id);
        expect(second.command).toBe("sftp remove");
        await world.gateway.run(["approval", "deny", second.id]);
        const { code, stderr } = await sending;
        expect(code).not.toBe(0);
        expect(stderr).toContain("a person denied 'sftp remove'");
        for (const name of ["a", "b", "c"]) expect(readFileSync(join(there, name), "utf8")).toBe(name);
        const rows = await world.gateway.rowsWhen((all) => all.filter(({ op }) => op === "ssh").length >= 4);
        const upload = rows.find(({ op, fields }) => op === "ssh" && String(fields.path).endsWith("/a"));
        expect(upload?.fields).toMatchObject({
          bytes_in: 1,
          sha256: "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
        });
      },
      MINUTES,
    );
  });

  describe("what is never carried", () => {
    test.concurrent(
      "forwardings of every kind are refused and recorded",
      async () => {
        await using world = await startSshWorld();
        const local = await world.ssh("uname -a", { options: ["-W", "127.0.0.1:1"] });
        expect(local.code).not.toBe(0);
        const remote = await world.ssh("uname -a", {
          options: ["-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:1"],
        });
        expect(remote.code).not.toBe(0);
        const socket = await world.ssh("uname -a", {
          options: ["-o", "ExitOnForwardFailure=yes", "-R", "/tmp/iddio-x:127.0.0.1:1"],
        });
        expect(socket.code).not.toBe(0);
        const agent = Bun.spawn(["ssh-agent", "-d"], { stdout: "pipe", stderr: "ignore", env: world.env });
        const line = new TextDecoder().decode((await agent.stdout.getReader().read()).value);
        const path = /SSH_AUTH_SOCK=([^;]+);/.exec(line)?.[1] ?? "";
        const forwarded = await world.ssh("printenv PATH", { options: ["-A"], env: { SSH_AUTH_SOCK: path } });
        agent.kill();
        expect(forwarded.code).toBe(0);
        const rows = await world.gateway.rowsWhen(
          (all) => all.filter(({ fields }) => fields.method === "FORWARD").length >= 4,
        );
        const kinds = rows
          .filter(({ fields }) => fields.method === "FORWARD")
          .map(({ fields }) => [fields.command, fields.tier, fields.outcome]);
        for (const kind of ["direct-tcpip", "tcpip-forward", "streamlocal-forward", "auth-agent"])
          expect(kinds).toContainEqual([kind, "break-glass", "refused"]);
      },
      MINUTES,
    );

    test.concurrent(
      "variables that are not on the list do not arrive",
      async () => {
        await using world = await startSshWorld({ config: "AcceptEnv *", rules: ALLOW_ALL });
        const { stdout } = await world.ssh("printenv", {
          options: ["-o", "SendEnv=LANG EVIL LD_PRELOAD"],
          env: { LANG: "C.UTF-8", EVIL: "x", LD_PRELOAD: "/nowhere.so" },
        });
        expect(stdout).toContain("LANG=C.UTF-8");
        expect(stdout).not.toContain("EVIL");
        expect(stdout).not.toContain("LD_PRELOAD");
      },
      MINUTES,
    );
  });
}
