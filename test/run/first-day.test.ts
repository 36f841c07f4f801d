// A day's work of an agent in `iddio run`, each step with the real programs: a login whose token
// stays, a server that the person opens in a browser, git commit and push, npm install. What of
// this did not work would have people turn the sandbox off.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { findClient } from "../support/clients.ts";
import { eventually } from "../support/eventually.ts";
import { answerGit, makeBareRepository } from "../support/programs/git-server.ts";
import { noSandbox, type Sandbox, startSandbox } from "../support/sandbox/sandbox.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const LONG_MS = 180_000;

/** The part of `claude` that the sandbox sees; the real one needs an account for its login. */
const STAND_IN = `#!/bin/sh
set -e
[ "$1" = --settings ] && shift 2
case "$1" in
  login) curl -sS -d code=1234 https://login.seen.example/token > ~/.claude/.credentials.json; echo "logged in" ;;
  whoami) cat ~/.claude/.credentials.json ;;
  *) eval "$1" ;;
esac
`;

describe.if(noSandbox() === undefined && findClient("git") !== undefined)("a day with an agent", () => {
  let sandbox: Sandbox;
  let served: Awaited<ReturnType<typeof temporaryDirectory>>;
  let claude: string;

  beforeAll(async () => {
    served = await temporaryDirectory();
    makeBareRepository(served.path, "work.git");
    const tarball = await tinyPackage(served.path);
    sandbox = await startSandbox({
      answers: async (path, host, request) => {
        if (host.startsWith("git.")) return answerGit(served.path, request);
        if (path === "/token") return new Response("token-of-the-login\n");
        if (path === "/tiny.tgz") return new Response(tarball);
        if (path === "/tiny")
          return Response.json({
            name: "tiny",
            "dist-tags": { latest: "1.0.0" },
            versions: {
              "1.0.0": {
                name: "tiny",
                version: "1.0.0",
                dist: {
                  tarball: "https://npm.seen.example/tiny.tgz",
                  integrity: `sha512-${new Bun.CryptoHasher("sha512").update(tarball).digest("base64")}`,
                },
              },
            },
          });
        return undefined;
      },
    });
    for (const name of ["git", "npm", "login"]) await sandbox.serve(`${name}.seen.example`);
    await mkdir(join(sandbox.home, "bin"));
    claude = join(sandbox.home, "bin", "claude");
    await sandbox.write(claude, STAND_IN, 0o755);
    const git = (...args: string[]) => sandbox.outside(["git", ...args]);
    await git("init", "-q", "-b", "main");
    await git("config", "user.email", "ana@example.com");
    await git("config", "user.name", "Ana");
    // Her key is not in the sandbox; commits there are not signed.
    await git("config", "commit.gpgSign", "true");
    await git("remote", "add", "origin", "https://git.seen.example/work.git");
  }, LONG_MS);
  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
    await served[Symbol.asyncDispose]();
  }, LONG_MS);

  const agent = (command: string, ...flags: string[]) =>
    sandbox.iddio(["run", ...flags, claude, command], {
      timeoutMs: LONG_MS,
    });

  test(
    "a login goes through the gateway, and its token is there in the next run and not outside",
    async () => {
      expect((await agent("login")).stdout).toBe("logged in\n");
      expect((await agent("whoami")).stdout).toBe("token-of-the-login\n");
      expect(existsSync(join(sandbox.home, ".claude", ".credentials.json"))).toBe(false);
    },
    LONG_MS,
  );

  test(
    "commit and push, and a clone of what was pushed",
    async () => {
      const { code, stderr } = await agent(
        "echo hello > file.txt; git add file.txt; git commit -qm first; git push -q origin HEAD; git switch -qc topic; echo more >> file.txt; git commit -qam second; git push -q",
      );
      expect([code, stderr]).toEqual([0, ""]);
      const log = Bun.spawnSync(["git", "-C", join(served.path, "work.git"), "log", "--format=%s", "topic"], {
        env: {
          ...process.env,
          GIT_CONFIG_COUNT: "1",
          GIT_CONFIG_KEY_0: "safe.directory",
          GIT_CONFIG_VALUE_0: "*",
        },
      });
      expect(log.stdout.toString()).toBe("second\nfirst\n");
      const clone = await agent(
        "git clone -q -b topic https://git.seen.example/work.git /tmp/clone; cat /tmp/clone/file.txt",
      );
      expect(clone.stdout).toBe("hello\nmore\n");
      const rows = await sandbox.rows();
      expect(rows.filter(({ fields }) => fields.host === "git.seen.example").length).toBeGreaterThan(2);
    },
    LONG_MS,
  );

  test(
    "npm install, and the package is used",
    async () => {
      if (findClient("npm") === undefined) return;
      await sandbox.write(join(sandbox.project, "package.json"), '{"name":"work","version":"1.0.0"}\n');
      const { code, stdout, stderr } = await agent(
        "npm install --silent --no-audit --no-fund --registry https://npm.seen.example/ tiny && node -p 'require(\"tiny\")'",
      );
      expect([code, stdout.trim()], stderr).toEqual([0, "tiny works"]);
      expect(existsSync(join(sandbox.project, "node_modules", "tiny", "index.js"))).toBe(true);
    },
    LONG_MS,
  );

  for (const host of ["127.0.0.1", "::1", "::"])
    test(
      `a development server on ${host} is opened from outside, also by a browser that waits for it from the start`,
      async () => {
        if (findClient("node") === undefined) return;
        const free = net.createServer();
        await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
        const { port } = free.address() as net.AddressInfo;
        await new Promise((resolve) => free.close(resolve));
        const script = `node -e 'require("node:http").createServer((_, a) => a.end("the page")).listen(${port}, "${host}")'`;
        await using server = sandbox.start([
          "run",
          "--name",
          "server",
          "--publish",
          String(port),
          claude,
          script,
        ]);
        const page = await eventually(
          () =>
            fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(20_000) })
              .then((answer) => answer.text())
              .catch(() => ""),
          (text) => text !== "",
          LONG_MS,
        );
        expect(page).toBe("the page");
        await sandbox.iddio(["run", "stop", "server"]);
        await server.finished;
      },
      LONG_MS,
    );
});

/** A package that npm installs. */
async function tinyPackage(folder: string): Promise<Uint8Array> {
  const files = {
    "package/package.json": '{"name":"tiny","version":"1.0.0","main":"index.js"}\n',
    "package/index.js": 'module.exports = "tiny works";\n',
  };
  for (const [path, text] of Object.entries(files)) await Bun.write(join(folder, path), text);
  const { stdout } = Bun.spawnSync(["tar", "-cz", "-C", folder, ...Object.keys(files)]);
  return new Uint8Array(stdout);
}
