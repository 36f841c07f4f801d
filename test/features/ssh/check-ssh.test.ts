// doctor tells of a policy whose SSH hosts no client reaches through iddio.

import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { checkSsh } from "../../../src/features/ssh/check-ssh.ts";
import { statePaths } from "../../../src/state/paths.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

test("the configuration of clients is that of the policy, or doctor says so", async () => {
  await using directory = await temporaryDirectory();
  const paths = statePaths({ IDDIO_HOME: directory.path });
  const check = () => checkSsh({ paths, env: process.env });
  writeFileSync(paths.policy, "fly:\n  default: deny\n");
  expect((await check()).verdict).toBe("skip");
  writeFileSync(paths.policy, 'ssh:\n  inspect: ["prod.example.com", "db.example.com:2222"]\n');
  if (Bun.which("ssh") === null) return expect((await check()).verdict).toBe("fail");
  expect(await check()).toMatchObject({ verdict: "warn", fix: "iddio ssh-config" });
  mkdirSync(paths.ssh, { recursive: true });
  writeFileSync(paths.sshKnownHosts, "prod.example.com ssh-ed25519 A\n");
  expect(await check()).toMatchObject({
    verdict: "warn",
    detail: expect.stringContaining("db.example.com:2222"),
  });
  writeFileSync(paths.sshKnownHosts, "prod.example.com ssh-ed25519 A\n[db.example.com]:2222 ssh-ed25519 A\n");
  expect((await check()).verdict).toBe("ok");
});
