// The configuration that ssh reads: for the policy's hosts and no others, as ssh itself understands
// it.

import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { knownHostsText, runConfigText, sshConfigText } from "../../../src/features/ssh/config-file.ts";
import { type InspectEntry, parseInspectEntry } from "../../../src/match/inspect-entry.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const entry = (text: string): InspectEntry => {
  const parsed = parseInspectEntry(text, 22, true);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.entry;
};

const PLACES = {
  program: ["/opt/iddio/iddio"],
  home: undefined,
  known: "/home/me/.iddio/ssh/known_hosts",
  warnsOfKeys: false,
  ordersCiphers: false,
  passesConnections: true,
};

describe("known hosts", () => {
  test("name each entry and nothing beyond it", () => {
    const lines = knownHostsText(
      [
        "prod.example.com",
        "*.dev.example.com:2222",
        "10.1.2.0/23",
        "192.168.0.0/16",
        "any.example.com:*",
      ].map(entry),
      { authority: "ssh-ed25519 CA", key: "ssh-ed25519 KEY" },
    );
    const namesOf = (end: string, start = "") =>
      lines
        .trim()
        .split("\n")
        .filter((line) => line.endsWith(` ${end}`))
        .map((line) => line.slice(start.length, -end.length - 1));
    expect(namesOf("ssh-ed25519 CA", "@cert-authority ")).toEqual(namesOf("ssh-ed25519 KEY"));
    expect(namesOf("ssh-ed25519 KEY")).toEqual([
      "prod.example.com",
      "[*.dev.example.com]:2222",
      "10.1.2.*",
      "10.1.3.*",
      "192.168.*.*",
      "any.example.com",
      "[any.example.com]:*",
    ]);
  });
});

const ssh = Bun.which("ssh");
if (ssh !== null)
  test("ssh goes through iddio for these hosts only, and not when iddio itself asks", async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "config");
    writeFileSync(
      file,
      sshConfigText(["prod.example.com", "*.dev.example.com", "root@only.example.com"].map(entry), PLACES),
    );
    const asked = (host: string, env: Record<string, string> = {}, more: readonly string[] = []) =>
      Bun.spawnSync(
        [
          ssh,
          "-F",
          file,
          "-G",
          ...more,
          ...(host.includes("@") ? ["-l", host.split("@")[0] ?? "", host.split("@")[1] ?? ""] : [host]),
        ],
        {
          env: { PATH: process.env.PATH ?? "", HOME: directory.path, ...env },
        },
      ).stdout.toString();
    for (const host of ["prod.example.com", "a.dev.example.com", "root@only.example.com"]) {
      const answer = asked(host);
      expect(answer).toContain("proxycommand /opt/iddio/iddio ssh-proxy %h %p %n");
      expect(answer).toContain("proxyusefdpass yes");
      expect(answer).toContain("controlmaster false");
      expect(answer).toContain("userknownhostsfile /home/me/.iddio/ssh/known_hosts");
      expect(asked(host, { IDDIO_SSH_UPSTREAM: "1" })).not.toMatch(/ssh-proxy|proxyusefdpass yes/);
    }
    // A program that knows nothing of passing a connection must not be waited for in vain.
    for (const more of [["-o", "ProxyCommand=nc %h %p"], ["-oproxycommand nc %h %p"]])
      expect(asked("prod.example.com", {}, more)).not.toContain("proxyusefdpass yes");
    for (const host of ["other.example.com", "prod.example.com.evil.test", "me@only.example.com"])
      expect(asked(host)).not.toContain("ssh-proxy");
  });

test("the quick cipher comes first where ssh can say so", () => {
  const text = sshConfigText([entry("prod.example.com")], { ...PLACES, ordersCiphers: true });
  expect(text).toContain("  Ciphers ^aes128-gcm@openssh.com");
});

test("inside a run it holds the key and the operator's words for hosts", () => {
  const text = runConfigText([entry("prod.example.com")], { known: "/k", warnsOfKeys: false }, [
    { name: "prod", host: "prod.example.com", port: 22, user: "deploy" },
  ]);
  expect(text).toContain("Host prod\n  HostName prod.example.com\n  Port 22\n  User deploy\n");
  expect(text).toContain('Match host "prod.example.com"\n  UserKnownHostsFile /k\n');
  expect(text).not.toContain("ProxyCommand");
});
