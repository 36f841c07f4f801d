// Faults: garbage on the wire, a killed daemon, a slow reader, a client that leaves, many bytes. No
// fault of one connection reaches another, nothing is carried out for nobody, and memory stays
// bounded.

import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { makeHostKey } from "../../../src/features/ssh/host-key.ts";
import { refusalPacket, SftpFrames, SftpReader } from "../../../src/wire/sftp/packets.ts";
import { eventually } from "../../support/eventually.ts";
import { ALLOW_ALL, type SshWorld, startSshWorld } from "../../support/ssh/ssh-world.ts";
import { findSshTools } from "../../support/ssh/sshd.ts";

const MINUTES = 10 * 60_000;

/** Environment of a process; empty for one that has ended. */
function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}

/** Opens a tunnel as ssh-proxy does and ends it once iddio has greeted; resolves with what came until it closed. */
function raw(world: SshWorld, pieces: readonly (string | Uint8Array)[]): Promise<Buffer> {
  const { port } = world.sshd;
  return new Promise((resolve) => {
    const seen: Uint8Array[] = [];
    const socket = connect(world.gateway.port, "127.0.0.1", () => {
      socket.write(`CONNECT localhost:${port} HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
      for (const piece of pieces) socket.write(piece);
    });
    socket.on("data", (bytes: Uint8Array) => {
      seen.push(bytes);
      if (Buffer.concat(seen).includes("SSH-2.0-iddio")) socket.end();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(Buffer.concat(seen)));
    socket.setTimeout(20_000, () => socket.destroy());
  });
}

describe("packets of SFTP", () => {
  test("come out whole whatever the pieces, and a length that is too long ends it", () => {
    const packets = [refusalPacket(7, "no"), refusalPacket(8, "x".repeat(3000))];
    const all = Buffer.concat(packets);
    for (const size of [1, 2, 3, 5, 7, 100, 4000]) {
      const frames = new SftpFrames();
      const out: Buffer[] = [];
      for (let at = 0; at < all.length; at += size)
        out.push(...frames.push(all.subarray(at, at + size)).map((each) => Buffer.from(each)));
      expect(out.map((each) => each.toString("hex"))).toEqual(packets.map((each) => each.toString("hex")));
    }
    const long = new SftpFrames();
    expect(long.push(Buffer.from([0xff, 0xff, 0xff, 0xff, 1]))).toEqual([]);
    expect(long.problem).toContain("4294967295");
  });

  test("a short packet is over, and never read past its end", () => {
    for (let run = 0; run < 2000; run++) {
      const reader = new SftpReader(randomBytes(5 + (run % 20)));
      for (let each = 0; each < 6; each++)
        [() => reader.number(), () => reader.big(), () => reader.text()][(run + each) % 3]?.();
      expect(typeof reader.isOver).toBe("boolean");
    }
  });
});

test.concurrent("a key of our own is one that OpenSSH reads", async () => {
  const keygen = Bun.which("ssh-keygen");
  if (keygen === null) return;
  const { privateKey, publicKey } = makeHostKey();
  const path = join((await import("node:fs")).mkdtempSync("/tmp/iddio-key-"), "key");
  await Bun.write(path, privateKey);
  (await import("node:fs")).chmodSync(path, 0o600);
  const { stdout } = Bun.spawnSync([keygen, "-y", "-P", "", "-f", path]);
  expect(stdout.toString().trim().split(" ").slice(0, 2).join(" ")).toBe(publicKey);
});

if (findSshTools() !== undefined)
  describe("a fault of one connection is no other's", () => {
    test.concurrent(
      "garbage of every sort ends its own connection, and the next one works",
      async () => {
        await using world = await startSshWorld();
        const hello = "SSH-2.0-OpenSSH_9.2\r\n";
        const packet = (payload: Uint8Array) => {
          const padding = 8 - ((payload.length + 5) % 8) + 8;
          const head = Buffer.alloc(5);
          head.writeUInt32BE(payload.length + padding + 1, 0);
          head[4] = padding;
          return Buffer.concat([head, payload, Buffer.alloc(padding)]);
        };
        const attacks: (readonly (string | Uint8Array)[])[] = [
          ["SSH-1.5-old\r\n"],
          ["SSH-2.0-x\r\n", randomBytes(4096)],
          [hello, Buffer.from([0xff, 0xff, 0xff, 0xff]), randomBytes(64)],
          [hello, Buffer.from([0, 0, 0, 0])],
          [hello, packet(Buffer.from([20])), packet(randomBytes(200))],
          // Terrapin's way: messages before the keys are there.
          [hello, packet(Buffer.from([2, 0, 0, 0, 0])), packet(Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 0, 0]))],
          [hello, packet(Buffer.concat([Buffer.from([50]), randomBytes(40)]))],
          [hello, packet(Buffer.concat([Buffer.from([90]), randomBytes(40)]))],
          [`SSH-${"a".repeat(70_000)}`],
          ["GET / HTTP/1.1\r\n\r\n"],
          [Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0])],
        ];
        for (let each = 0; each < 40; each++) {
          const noise = randomBytes(1 + ((each * 37) % 600));
          attacks.push([hello, packet(Buffer.concat([Buffer.from([each * 5]), noise]))]);
        }
        await Promise.all(attacks.map((each) => raw(world, each)));
        const { code, stdout } = await world.ssh("uname -s");
        expect([code, stdout]).toEqual([0, "Linux\n"]);
        expect(readFileSync(join(world.gateway.home, "iddio.log"), "utf8")).not.toContain(
          "connection failed",
        );
      },
      MINUTES,
    );

    test.concurrent(
      "another user of the machine does not get the operator's keys",
      async () => {
        if (process.getuid?.() !== 0 || Bun.which("setpriv") === null) return;
        await using world = await startSshWorld();
        const script = `exec 3<>/dev/tcp/127.0.0.1/${world.gateway.port}; printf 'CONNECT localhost:${world.sshd.port} HTTP/1.1\\r\\nHost: localhost:${world.sshd.port}\\r\\n\\r\\nSSH-2.0-x\\r\\n' >&3; timeout 20 cat <&3`;
        const child = Bun.spawn(
          ["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups", "bash", "-c", script],
          { stdout: "pipe", stderr: "ignore" },
        );
        const answer = await new Response(child.stdout).text();
        expect(answer).not.toContain("SSH-2.0-iddio");
        const rows = await world.gateway.rowsWhen((all) => all.some(({ op }) => op === "block"));
        expect(rows.find(({ op }) => op === "block")?.fields.reason).toContain(
          "only the user who runs iddio",
        );
      },
      MINUTES,
    );

    test.concurrent(
      "a killed daemon ends sessions, their programs and what they run",
      async () => {
        await using world = await startSshWorld({ rules: ALLOW_ALL });
        const running = world.start("sleep 1001");
        const long = world.start("sleep 1002");
        const children = () =>
          Bun.spawnSync(["pgrep", "-f", world.sshd.operatorConfig])
            .stdout.toString()
            .split("\n")
            .filter(Boolean).length;
        await eventually(
          async () => children(),
          (count) => count >= 2,
          120_000,
        );
        await world.gateway.kill("SIGKILL");
        expect((await running.finished).code).toBe(255);
        expect((await long.finished).code).toBe(255);
        await eventually(
          async () => children(),
          (count) => count === 0,
          120_000,
        );
      },
      MINUTES,
    );

    test.concurrent(
      "a reader that stands still holds the other side back, and memory stays bounded",
      async () => {
        await using world = await startSshWorld({ rules: ALLOW_ALL });
        const said = join(world.gateway.home, "said");
        // The reader is a shell that waits for a line: the runtime's own pipes are read ahead, whoever asks.
        const reader = Bun.spawn(
          [
            "sh",
            "-c",
            `exec 3<&0; ssh -F ${world.config} localhost 'head -c 100000000 /dev/zero' < /dev/null 2> ${said} | { read line <&3; wc -c; }`,
          ],
          {
            env: { PATH: process.env.PATH ?? "", ...world.env },
            stdin: "pipe",
            stdout: "pipe",
            stderr: "ignore",
          },
        );
        const session = await eventually(
          async () =>
            Bun.spawnSync(["pgrep", "-f", "iddio ssh-session"])
              .stdout.toString()
              .split("\n")
              .filter(Boolean)
              .map(Number)
              .find((pid) => environmentOf(pid).includes(world.gateway.home)) ?? 0,
          (pid) => pid > 0,
        );
        const memory = () =>
          Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${session}/status`, "utf8"))?.[1] ?? 0) / 1024;
        const sent = () =>
          Bun.spawnSync(["pgrep", "-xf", "head -c 100000000 /dev/zero"])
            .stdout.toString()
            .split("\n")
            .filter(Boolean)
            .map((pid) =>
              Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1] ?? 0),
            )[0] ?? 0;
        // Nothing is read for a while: what does not go on must not pile up. It stands once no more is sent.
        let before = 0;
        await eventually(
          async () => {
            await Bun.sleep(1_000);
            const now = sent();
            const isStill = now === before && now > 0;
            before = now;
            return isStill;
          },
          (isStill) => isStill,
        );
        expect(sent()).toBeLessThan(50_000_000);
        expect(memory()).toBeLessThan(300);
        reader.stdin.write("go on\n");
        reader.stdin.end();
        const octets = (await new Response(reader.stdout).text()).trim();
        expect([octets, readFileSync(said, "utf8")]).toEqual(["100000000", ""]);
        expect(await reader.exited).toBe(0);
      },
      MINUTES,
    );

    test.concurrent(
      "a user that the policy does not list for the host does not get in",
      async () => {
        await using world = await startSshWorld({ entryUser: "somebody" });
        // The configuration leads only that user's sessions through iddio; an agent may go there by itself.
        const { code, stderr } = await world.ssh("uname -a", {
          options: [
            "-o",
            `ProxyCommand=${world.gatewayProgram} ssh-proxy %h %p`,
            "-o",
            `UserKnownHostsFile=${join(world.gateway.home, "ssh", "known_hosts")}`,
          ],
        });
        expect([code, stderr]).toEqual([126, expect.stringContaining("for other users than tester")]);
      },
      MINUTES,
    );

    test.concurrent(
      "the operator's jump host leads the way",
      async () => {
        await using world = await startSshWorld({ rules: ALLOW_ALL, isJumpHost: true });
        const { code, stdout } = await world.ssh("printenv SSH_CONNECTION");
        expect(code).toBe(0);
        expect(stdout).toContain("127.0.0.1");
        expect(world.sshd.log.match(/Accepted publickey/g)?.length).toBe(2);
      },
      MINUTES,
    );
  });
