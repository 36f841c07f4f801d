// Connections that the host carries on (`ssh -W`, which `-J` is made of, and `-L`): judged by where
// they lead, recorded, refused in words. And the key that a client is shown: signed by iddio's own
// authority.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Socket } from "bun";
import { authorityOf, certify, hostKeyOf } from "../../../src/features/ssh/host-key.ts";
import { type SshWorld, startSshWorld } from "../../support/ssh/ssh-world.ts";
import { findSshTools } from "../../support/ssh/sshd.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const MINUTES = 10 * 60_000;

test("a certificate is one that OpenSSH reads, for these names alone", async () => {
  const keygen = Bun.which("ssh-keygen");
  if (keygen === null) return;
  await using directory = await temporaryDirectory();
  const [key, authority] = [await hostKeyOf(directory.path), await authorityOf(directory.path)];
  const blob = certify(key, authority, ["prod.example.com", "prod"], Date.now());
  const file = join(directory.path, "cert.pub");
  writeFileSync(file, `ssh-ed25519-cert-v01@openssh.com ${blob.toString("base64")}\n`);
  const shown = Bun.spawnSync([keygen, "-L", "-f", file]);
  const text = shown.stdout.toString();
  expect([shown.exitCode, text]).toEqual([0, expect.stringContaining("host certificate")]);
  expect(text).toMatch(/Principals:\s+prod\.example\.com\s+prod\s+Critical Options: \(none\)/);
  expect(key.publicKey).not.toBe(authority.publicKey);
});

if (findSshTools() !== undefined)
  describe("a connection that is carried on", () => {
    let world: SshWorld;
    const echo = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket: Socket, bytes: Uint8Array) {
          socket.write(Buffer.from(Buffer.from(bytes).toString().toUpperCase()));
        },
        end: (socket: Socket) => void socket.end(),
      },
      allowHalfOpen: true,
    } as never);

    beforeAll(async () => {
      world = await startSshWorld({
        rules: `  rules:
    allow: {groups: [read], commands: ["direct-tcpip 127.0.0.1:${echo.port}"]}
`,
      });
    }, MINUTES);
    afterAll(async () => {
      echo.stop(true);
      await world[Symbol.asyncDispose]();
    }, MINUTES);

    test(
      "goes where a rule names the place, with a row and a recording",
      async () => {
        const { code, stdout, stderr } = await world.ssh(undefined, {
          options: ["-W", `127.0.0.1:${echo.port}`],
          input: "hello",
        });
        expect([code, stdout, stderr]).toEqual([0, "HELLO", ""]);
        const rows = await world.gateway.rowsWhen((all) =>
          all.some(({ op, fields }) => op === "ssh" && fields.method === "FORWARD"),
        );
        const row = rows.find(({ op, fields }) => op === "ssh" && fields.method === "FORWARD");
        expect(row?.fields).toMatchObject({
          command: "direct-tcpip",
          path: `direct-tcpip 127.0.0.1:${echo.port}`,
          tier: "break-glass",
          decision: "allow",
          bytes_in: 5,
          bytes_out: 5,
        });
        const listed = JSON.parse((await world.gateway.run(["session", "list", "--json"])).stdout);
        expect(listed).toContainEqual(
          expect.objectContaining({ id: row?.fields.recording, content: "metadata", state: "ended" }),
        );
      },
      MINUTES,
    );

    test(
      "goes nowhere else unless a person says so, and the client reads why not",
      async () => {
        const held = world.start(undefined, { options: ["-W", "127.0.0.1:1"] });
        await world.gateway.deny("not there");
        const { code, stderr } = await held.finished;
        expect(code).not.toBe(0);
        expect(stderr).toContain("administratively prohibited: iddio: a person denied 'direct-tcpip'");
        expect(stderr).toContain("not there");
        const strange = await world.ssh(undefined, { options: ["-W", "a;b:1"] });
        expect(strange.code).not.toBe(0);
        expect(strange.stderr).toContain("not plain");
      },
      MINUTES,
    );

    test(
      "the client knows iddio by its authority, or by its key where it knows no certificates",
      async () => {
        const known = readFileSync(join(world.gateway.home, "ssh", "known_hosts"), "utf8").split("\n");
        const file = join(world.gateway.home, "some_hosts");
        const reach = async (lines: readonly string[], more: readonly string[] = []) => {
          writeFileSync(file, `${lines.join("\n")}\n`);
          const options = ["-o", `UserKnownHostsFile=${file}`, "-o", "GlobalKnownHostsFile=none"];
          return (await world.ssh("seq 1 5000", { options: [...options, ...more] })).code;
        };
        const signed = known.filter((line) => line.startsWith("@cert-authority "));
        const plain = known.filter((line) => /^\S+ ssh-ed25519 /.test(line));
        expect([signed.length, plain.length]).toEqual([1, 1]);
        // New keys in the middle of a session are signed as the first ones were.
        expect(await reach(signed, ["-o", "RekeyLimit=1K"])).toBe(0);
        expect(await reach(plain, ["-o", "HostKeyAlgorithms=ssh-ed25519"])).toBe(0);
        expect(await reach([])).toBe(255);
        // Signed by nobody that is known.
        const other = signed.map((line) =>
          line.replace(/ssh-ed25519 \S+/, plain[0]?.split(" ").slice(1).join(" ") ?? ""),
        );
        expect(await reach(other)).toBe(255);
      },
      MINUTES,
    );
  });
