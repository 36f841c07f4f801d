// The proofs before every start of an agent, and what happens when the proof fails: the
// network that is not closed, the secret that shows. And the profile by which Ubuntu's AppArmor
// allows the sandbox.

import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { appArmorProfile } from "../../src/features/run/app-armor-setup.ts";
import { asMountPath, MOUNTS_ARE_OWN, PREFLIGHT } from "../../src/features/run/bridge/preflight.ts";
import { noSandbox } from "../support/sandbox/sandbox.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const LONG_MS = 120_000;
const SOURCE = join(import.meta.dir, "..", "..", "src");

/** Looks at one network namespace four times: bare, with every address its own, and with two ports served that must not be. */
const NETWORK = `
import { networkProblem } from ${JSON.stringify(join(SOURCE, "features/run/bridge/network-check.ts"))};
import { routeEverythingToLoopback } from ${JSON.stringify(join(SOURCE, "host/sandbox/libc.ts"))};
const spec = { ports: [80, 443], proxyPorts: [9443], localPorts: [] };
const said = [await networkProblem(spec)];
routeEverythingToLoopback();
said.push(await networkProblem(spec));
const tcp = Bun.listen({ hostname: "0.0.0.0", port: 22, socket: { data() {} } });
said.push(await networkProblem(spec));
tcp.stop(true);
const udp = await Bun.udpSocket({ hostname: "0.0.0.0", port: 443 });
said.push(await networkProblem(spec));
udp.close();
console.log(JSON.stringify(said.map((each) => each ?? "closed")));
process.exit(0);
`;

describe.if(noSandbox() === undefined)("the network", () => {
  test(
    "is found open when a port or QUIC is served that nobody listed, and closed otherwise",
    async () => {
      await using directory = await temporaryDirectory();
      const script = join(directory.path, "network.ts");
      await writeFile(script, NETWORK);
      const child = Bun.spawn(
        [
          ...["/usr/bin/bwrap", "--unshare-user", "--unshare-net", "--dev-bind", "/", "/"],
          ...["--cap-add", "CAP_NET_ADMIN", "--cap-add", "CAP_NET_BIND_SERVICE"],
          ...["--", process.execPath, script],
        ],
        { env: { PATH: "/usr/bin:/bin", BUN_BE_BUN: "1" }, stdout: "pipe", stderr: "inherit" },
      );
      expect(JSON.parse(await new Response(child.stdout).text())).toEqual([
        "closed",
        "closed",
        "port 22 of 192.0.2.1 is not refused",
        "UDP to port 443 of 192.0.2.1 is not refused",
      ]);
    },
    LONG_MS,
  );

  test("is found open where there is an interface beside loopback", async () => {
    const { networkProblem } = await import("../../src/features/run/bridge/network-check.ts");
    const { networkInterfaces } = await import("node:os");
    const names = Object.keys(networkInterfaces()).filter((name) => name !== "lo");
    // A machine without any network has nothing to find.
    if (names.length === 0) return;
    expect(await networkProblem({ ports: [], proxyPorts: [], localPorts: [] })).toContain(
      "it has the network interfaces",
    );
  });
});

test("a place that must not show ends the start before the agent's command", async () => {
  await using directory = await temporaryDirectory();
  const at = (name: string) => join(directory.path, name);
  for (const name of ["empty", "full"]) await mkdir(at(name));
  for (const name of ["file", "full/secret", "with space"]) await writeFile(at(name), "x");
  const start = (...secrets: string[]) => {
    const { exitCode, stdout, stderr } = Bun.spawnSync([
      ...["/bin/sh", "-c", PREFLIGHT, "iddio", ...secrets],
      ...["--", "/bin/sh", "-c", 'echo "started $1"', "sh", "--"],
    ]);
    return [exitCode, stdout.toString(), stderr.toString()];
  };
  expect(start()).toEqual([0, "started --\n", ""]);
  expect(start(at("missing"), at("empty"))).toEqual([0, "started --\n", ""]);
  for (const program of ["no-such-program", at("no such program"), "-x"]) {
    const { exitCode, stderr } = Bun.spawnSync(["/bin/sh", "-c", PREFLIGHT, "iddio", "--", program]);
    expect([exitCode, stderr.toString()]).toEqual([
      127,
      `iddio: the program '${program}' is not in the sandbox; where it is installed in a folder of yours, add: --ro <folder>\n`,
    ]);
  }
  for (const name of ["file", "full", "with space"])
    expect(start(at("empty"), at(name))).toEqual([
      126,
      "",
      `iddio: the sandbox is not closed: ${at(name)} is readable\n`,
    ]);
});

describe.if(noSandbox() === undefined)("a place in a folder that agents write", () => {
  test(
    "ends the start where something else was mounted there, or nothing, or beside it",
    async () => {
      await using directory = await temporaryDirectory();
      const at = (name: string) => join(directory.path, name);
      for (const name of ["project/.vs code", "project/.git/hooks", "project/sub", "secret"])
        await mkdir(at(name), { recursive: true });
      await writeFile(at("secret/key"), "canary");
      await symlink(at("secret"), at("project/link"));
      const start = (
        mounts: readonly (readonly [source: string, place: string])[],
        bound: readonly string[],
      ) => {
        const { exitCode, stdout, stderr } = Bun.spawnSync([
          ...["/usr/bin/bwrap", "--unshare-user", "--ro-bind", "/", "/", "--proc", "/proc"],
          ...["--bind", at("project"), at("project")],
          ...mounts.flatMap(([source, place]) => ["--ro-bind", at(source), at(place)]),
          ...["--", "/bin/sh", "-c", MOUNTS_ARE_OWN + PREFLIGHT, "iddio"],
          ...bound.map((place) => asMountPath(at(place))),
          ...["--", "--", "/bin/echo", "started"],
        ]);
        return [exitCode, stdout.toString(), /a place in the project was changed/.test(stderr.toString())];
      };
      const started = [0, "started\n", false];
      const ended = [126, "", true];
      const [git, hooks, odd] = ["project/.git", "project/.git/hooks", "project/.vs code"];
      const own = [git, git, hooks, odd].map((place) => [place, place] as const);
      expect(start([], [])).toEqual(started);
      expect(start(own, [git, hooks, odd])).toEqual(started);
      expect(start([["secret", odd]], [odd])).toEqual(ended);
      expect(start([["project/link", odd]], [odd])).toEqual(ended);
      expect(start([["project/sub", odd]], [odd])).toEqual(ended);
      expect(start([...own, ["secret", hooks]], [git, hooks, odd])).toEqual(ended);
      expect(
        start(
          [
            ["secret", git],
            ["secret", git],
          ],
          [git],
        ),
      ).toEqual(ended);
      expect(start(own, [git, hooks, odd, "project/sub"])).toEqual(ended);
      expect(start([], [odd])).toEqual(ended);
    },
    LONG_MS,
  );
});

test("AppArmor's profile names the program and gives it user namespaces, nothing else", async () => {
  const text = appArmorProfile("/usr/bin/bwrap");
  const rules = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  expect(rules).toEqual([
    "abi <abi/4.0>,",
    "include <tunables/global>",
    "profile iddio-bwrap /usr/bin/bwrap flags=(unconfined) {",
    "userns,",
    "include if exists <local/iddio-bwrap>",
    "}",
  ]);
  // Its own parser reads it, where there is one that knows user namespaces.
  if (!existsSync("/usr/sbin/apparmor_parser") || !existsSync("/etc/apparmor.d/abi/4.0")) return;
  const { exitCode } = Bun.spawnSync(["/usr/sbin/apparmor_parser", "--skip-kernel-load", "--skip-cache"], {
    stdin: Buffer.from(text),
  });
  expect(exitCode).toBe(0);
});
