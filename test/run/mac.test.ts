// `iddio run` on macOS, as far as another system can tell: the profile for sandbox-exec is read
// back and asked what it allows, and the rest is tried with a stand-in that does what sandbox-exec
// does to a command line. No Mac took part.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { MAC } from "../../src/features/run/mac/check-on-mac.ts";
import { type MacView, macProfile } from "../../src/features/run/mac/mac-profile.ts";
import { withoutSecret } from "../../src/features/run/mac/token-port.ts";
import type { Profile } from "../../src/features/run/profile.ts";
import { startInBsdInfo } from "../../src/host/process/process-start.ts";
import { quoted, renderSbpl } from "../../src/host/sandbox/sbpl.ts";
import type { Entry } from "../../src/model/entry.ts";
import { noSandbox, type Sandbox, startSandbox } from "../support/sandbox/sandbox.ts";
import { allows, parseSbpl, type Request } from "../support/sandbox/sbpl.ts";

const LONG_MS = 120_000;
const HOME = "/Users/ana";
const PROJECT = `${HOME}/code/a "quoted" (project)`;
const OWN = `${HOME}/.iddio/run-homes/claude/home`;
const TMP = `${HOME}/.iddio/runs/run_1/tmp`;
const VIEW: MacView = {
  port: 50123,
  localPorts: [5432],
  terminals: ["/dev/ttys004"],
  readable: [`${HOME}/.gitconfig`, `${HOME}/.iddio/ca.crt`],
  writable: [PROJECT, OWN, TMP],
  projects: [PROJECT, TMP],
  allowed: [],
  readOnly: [`${PROJECT}/.git/config`, `${PROJECT}/.git/hooks`],
  fixed: [`${PROJECT}/.git`],
  secrets: [`${HOME}/.ssh`, `${HOME}/.aws`, `${HOME}/.iddio/ca.key`, `${HOME}/.iddio/iddio.sock`],
  isStrict: false,
  usesKeychain: false,
};

const read = (path: string): Request => ({ operation: "file-read-data", path });
const write = (path: string): Request => ({ operation: "file-write-create", path });
const connect = (remote: string): Request => ({ operation: "network-outbound", remote });
const service = (name: string): Request => ({ operation: "mach-lookup", name });

const ALLOWED: Readonly<Record<string, Request>> = {
  "a program of the system": read("/usr/bin/git"),
  "a file of the project": read(`${PROJECT}/src/main.ts`),
  "a new file in the project": write(`${PROJECT}/src/new.ts`),
  "its own settings": write(`${OWN}/.claude/settings.json`),
  "its temporary folder": write(`${TMP}/x`),
  "git's objects and references": write(`${PROJECT}/.git/refs/heads/new`),
  "what the profile shows": read(`${HOME}/.gitconfig`),
  "the run's own port": connect("localhost:50123"),
  "a port that it was given": connect("localhost:5432"),
  "a server of its own": { operation: "network-bind", local: "localhost:3000" },
  "a unix socket of its own": connect(`unix:${TMP}/server.sock`),
  "/dev/null": { operation: "file-write-data", path: "/dev/null" },
  "its own terminal": { operation: "file-read-data", path: "/dev/ttys004" },
  "the size of its own terminal": { operation: "file-ioctl", path: "/dev/ttys004", command: "1074295912" },
  "a terminal that it made itself": {
    operation: "file-write-data",
    path: "/dev/ttys009",
    extension: "com.apple.sandbox.pty",
  },
  "certificates, verified by the system": service("com.apple.trustd.agent"),
  "signals to its own processes": { operation: "signal", target: "same-sandbox" },
};
const REFUSED: Readonly<Record<string, Request>> = {
  "the person's keys": read(`${HOME}/.ssh/id_ed25519`),
  "the person's cloud credentials": read(`${HOME}/.aws/credentials`),
  "anything else in the home directory": read(`${HOME}/Documents/letter.txt`),
  "the agent settings of the person": write(`${HOME}/.claude/settings.json`),
  "start-up files of the shell": write(`${HOME}/.zshrc`),
  "programs that start at login": write(`${HOME}/Library/LaunchAgents/x.plist`),
  "the key of the authority": read(`${HOME}/.iddio/ca.key`),
  "the policy": read(`${HOME}/.iddio/policy.yaml`),
  "the control socket": connect(`unix:${HOME}/.iddio/iddio.sock`),
  "docker's socket": connect("unix:/private/var/run/docker.sock"),
  "the ssh agent": connect("unix:/private/tmp/com.apple.launchd.x/Listeners"),
  "a folder beside the project": read(`${HOME}/code/a "quoted" (project) 2/.env`),
  "the repository's configuration": write(`${PROJECT}/.git/config`),
  "the repository's hooks": write(`${PROJECT}/.git/hooks/post-checkout`),
  "moving the repository away": { operation: "file-write-unlink", path: `${PROJECT}/.git` },
  "moving the project away": { operation: "file-write-unlink", path: PROJECT },
  "a configuration of a repository of its own": write(`${PROJECT}/sub/.git/config`),
  "a file that direnv would run": write(`${PROJECT}/.envrc`),
  "the same in another case": write(`${PROJECT}/.ENVRC`),
  "an editor's tasks, in any folder": write(`${PROJECT}/deep/er/.vscode/tasks.json`),
  "an editor's tasks, to be moved in from the temporary folder": write(`${TMP}/x/.vscode/tasks.json`),
  "the daemon's port": connect("localhost:9443"),
  "another port of loopback": connect("localhost:2375"),
  "the Internet": connect("192.0.2.1:443"),
  "name look-ups": connect("unix:/private/var/run/mDNSResponder"),
  "the keychain": service("com.apple.SecurityServer"),
  "starting programs outside by the system": service("com.apple.coreservices.launchservicesd"),
  "the clipboard": service("com.apple.pasteboard.1"),
  "typing into the terminal": { operation: "file-ioctl", path: "/dev/ttys004", command: "2147578994" },
  "typing into a terminal of its own": {
    operation: "file-ioctl",
    path: "/dev/ttys009",
    command: "2147578994",
    extension: "com.apple.sandbox.pty",
  },
  "what is typed in another window": read("/dev/ttys001"),
  "writing into another window": { operation: "file-write-data", path: "/dev/ttys001" },
  "the settings of another window's terminal": { operation: "file-ioctl", path: "/dev/ttys001" },
  "signals to other processes": { operation: "signal", target: "others" },
  "looking at other processes": { operation: "process-info*", target: "others" },
  "arguments and environments of other processes": { operation: "sysctl-read", name: "kern.procargs2.1" },
};

describe("the profile for sandbox-exec", () => {
  const rules = parseSbpl(macProfile(VIEW));

  test("refuses whatever it does not list", () => {
    expect(rules[1]).toEqual(["deny", "default"]);
    expect(allows(rules, { operation: "nothing-known" })).toBe(false);
  });
  for (const [what, request] of Object.entries(ALLOWED))
    test(`allows ${what}`, () => expect(allows(rules, request)).toBe(true));
  for (const [what, request] of Object.entries(REFUSED))
    test(`refuses ${what}`, () => expect(allows(rules, request)).toBe(false));

  test("the keychain and the system's verification are the profile's to say", () => {
    const other = parseSbpl(macProfile({ ...VIEW, isStrict: true, usesKeychain: true }));
    expect(allows(other, service("com.apple.SecurityServer"))).toBe(true);
    expect(allows(other, service("com.apple.trustd.agent"))).toBe(false);
  });
  test("--rw gives one control file back", () => {
    const given = parseSbpl(macProfile({ ...VIEW, allowed: [`${PROJECT}/.vscode`] }));
    expect(allows(given, write(`${PROJECT}/.vscode/tasks.json`))).toBe(true);
    expect(allows(given, write(`${PROJECT}/.envrc`))).toBe(false);
  });
  test("a path cannot end what it stands in", () => {
    const path = '/a") (allow default) ("\\';
    expect(parseSbpl(renderSbpl([["deny", "default", ["subpath", quoted(path)]]]))).toEqual([
      ["deny", "default", ["subpath", { text: path }]],
    ]);
    expect(() => renderSbpl([["subpath", quoted("/a\n(allow default)")]])).toThrow("control characters");
  });
});

test("a connection needs the run's secret, once, and the daemon does not see it", () => {
  const basic = (text: string) => `Proxy-Authorization: Basic ${btoa(text)}`;
  const head = (...fields: string[]) =>
    ["CONNECT a:443 HTTP/1.1", "Host: a:443", ...fields, "", ""].join("\r\n");
  expect(withoutSecret(head(basic("run:s")), "s")).toBe(head());
  expect(withoutSecret(head(basic("run:s").toLowerCase()), "s")).toBeUndefined();
  for (const wrong of [
    head(),
    head(basic("run:t")),
    head(basic("x:s")),
    head(basic("run:s"), basic("run:s")),
  ])
    expect(withoutSecret(wrong, "s")).toBeUndefined();
});

test("--check reads what the probe says: everything refused is L2 (macOS), anything else is not", () => {
  const profile = { strict: false, keychain: true } as Profile;
  const said = (files: string) => `Signals: no\nFiles: ${files}\nNetwork: no\nNames: no\nStart: no\n`;
  const holds = (text: string) => MAC.probed(text, profile).every((row) => row.holds);
  expect([holds(said("no")), holds(said("yes")), holds("")]).toEqual([true, false, false]);
  expect(MAC.probed("", profile).find(({ what }) => what === "keychain")?.found).toContain("OPEN");
  expect(MAC.level).toBe("L2 (macOS)");
});

test("the start of a process is read from macOS's own record", () => {
  const bytes = new Uint8Array(136);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, 2, true);
  view.setBigUint64(120, 1_790_000_000n, true);
  view.setBigUint64(128, 42n, true);
  expect(startInBsdInfo(bytes)).toBe(1_790_000_000_000_042);
  view.setUint32(4, 5, true);
  expect(startInBsdInfo(bytes)).toBeUndefined();
});

describe.if(noSandbox() === undefined)("a run with a stand-in for sandbox-exec", () => {
  let sandbox: Sandbox;
  let script: string;

  beforeAll(async () => {
    sandbox = await startSandbox();
    await sandbox.serve("a.seen.example");
    const helper = join(sandbox.home, "sandbox-exec");
    await sandbox.write(
      helper,
      `#!/bin/sh
[ "$1" = -f ] && [ -r "$2" ] || exit 99
cp "$2" profile.sb; shift 2
# It closes nothing: told so, it takes the places of secrets out of what is looked at.
if [ -e closed ]; then
  a=$1 b=$2 c=$3 d=$4; shift 4
  while [ "$1" != -- ]; do shift; done
  exec "$a" "$b" "$c" "$d" "$@"
fi
exec "$@"
`,
      0o755,
    );
    script = join(sandbox.home, "run.ts");
    const source = (path: string) => JSON.stringify(join(import.meta.dir, "..", "..", "src", path));
    await sandbox.write(
      script,
      `import { runOnMac } from ${source("features/run/mac/run-on-mac.ts")};
import { ControlClient } from ${source("api/client.ts")};
import { statePaths } from ${source("state/paths.ts")};
import { checkRun } from ${source("features/run/check/check-run.ts")};
import { MAC } from ${source("features/run/mac/check-on-mac.ts")};
import { Output } from ${source("cli/kit/output.ts")};
const paths = statePaths(process.env);
const options = { command: process.argv.slice(2), profile: "shell", name: undefined, readOnly: [], writable: [], env: [], publish: [], localPorts: [], keepHome: false, withPresence: false, bestEffort: false };
const programs = { sandboxExec: ${JSON.stringify(helper)}, connect: "/none" };
const context = { paths, env: process.env, daemon: new ControlClient(paths.socket), note: console.error };
const start = (context, options) => runOnMac(context, options, programs);
const isCheck = options.command[0] === "--check";
const helper = async () => [{ what: "sandbox-exec", holds: true, found: programs.sandboxExec }];
process.exit(
  isCheck
    ? await checkRun({ ...context, output: new Output({}), flags: { has: () => false } }, { ...options, command: [] }, start, { ...MAC, helper })
    : await start(context, options),
);
`,
    );
  }, LONG_MS);
  afterAll(() => sandbox[Symbol.asyncDispose](), LONG_MS);

  const started = (...args: string[]) =>
    sandbox.outside([process.execPath, script, ...args], { env: { BUN_BE_BUN: "1" } });
  const inside = (text: string) => started("/bin/sh", "-c", text);

  test(
    "reaches the gateway with the secret only, as the run, in a home of its own",
    async () => {
      const get = "curl -sS -o /dev/null -w '%{http_code} ' https://a.seen.example/";
      await sandbox.write(join(sandbox.project, "closed"), "");
      const { code, stdout, stderr } = await inside(
        `${get}; p=$(echo "$HTTPS_PROXY" | sed 's/run:[0-9a-f]*@//'); https_proxy=$p HTTPS_PROXY=$p ${get} 2>/dev/null; echo "$HOME"; exit 7`,
      );
      expect([code, stderr]).toEqual([7, ""]);
      expect(stdout).toBe(`200 000 ${join(sandbox.state, "run-homes", "shell", "home")}\n`);
      const isRequest = ({ op, fields }: Entry) => op === "mitm" && fields.host === "a.seen.example";
      const rows = await sandbox.rowsWhen((all) => all.some(isRequest));
      expect(rows.find(isRequest)?.fields.client?.run).toBe("sh");
      expect(parseSbpl(await Bun.file(join(sandbox.project, "profile.sb")).text()).length).toBeGreaterThan(
        10,
      );
      expect(existsSync(join(sandbox.state, "runs", "sh"))).toBe(false);
    },
    LONG_MS,
  );

  test(
    "--check tells what it finds open: the stand-in closes nothing",
    async () => {
      const { code, stdout } = await started("--check");
      const rows = Object.fromEntries(
        stdout.split("\n").map((line) => line.match(/^(.+?) {2,}(yes|NO) /)?.slice(1, 3) ?? ["", ""]),
      );
      expect(rows).toMatchObject({
        "sandbox-exec": "yes",
        gateway: "yes",
        secrets: "yes",
        processes: "NO",
        keychain: "yes",
        level: "NO",
      });
      expect(code).toBe(1);
    },
    LONG_MS,
  );

  test(
    "does not start when a secret is readable",
    async () => {
      await rm(join(sandbox.project, "closed"), { force: true });
      const { code, stderr } = await inside("echo started");
      expect([code, stderr]).toEqual([126, expect.stringContaining("the sandbox is not closed")]);
    },
    LONG_MS,
  );
});
