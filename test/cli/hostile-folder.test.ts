// Every command, typed in a folder that an agent has prepared and with look-alikes of the system's
// programs first on PATH: nothing of it runs, and the output is what it is in an empty folder.

import { expect, test } from "bun:test";
import { chmodSync, chownSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { COMMANDS } from "../../src/cli/registry.ts";
import { builtBinary } from "../support/built-binary.ts";
import { COMPILED_ONCE, runClient } from "../support/clients.ts";
import { startGatewayProcess } from "../support/gateway.ts";
import { installedHome } from "../support/installed-home.ts";
import { hostileFolder } from "../support/sandbox/hostile-folder.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

/** One line a command, or more; what a command needs to get past its usage. */
const LINES: readonly (readonly string[])[] = [
  "approval list",
  "approval show a_1",
  "approval allow a_1",
  "approval deny a_1 --reason no",
  "approval grants list",
  "approval grants revoke grant_1",
  "approval watch",
  "audit show",
  "audit tail",
  "ca info",
  "ca trust-ca",
  "ca untrust-ca",
  "classify batch",
  "classify cli -- kubectl delete pod x",
  "classify http GET https://api.github.com/user",
  "completion bash",
  "decide GET api.github.com /user",
  "detector list",
  "detector clear",
  "detector promote x.example.com",
  "doctor",
  "doctor --json",
  "events",
  "gateway --start",
  "get-proxy-mode",
  "help",
  "inspect summary",
  "inspect add generic x.example.com",
  "inspect remove generic x.example.com",
  "install --print-unit",
  "install --no-service --no-trust-ca",
  "kubeconfig",
  "man",
  "observe start --duration 1m",
  "observe status",
  "observe show",
  "observe stop",
  "observe clear --yes",
  "pin x.example.com",
  "pinned",
  "unpin x.example.com",
  "policy show",
  "policy validate",
  "policy schema",
  "policy reload",
  "policy edit",
  "policy explain GET https://api.github.com/user",
  "policy test",
  "policy diff a.yaml b.yaml",
  "policy check",
  "policy lint",
  "policy replay a.yaml",
  "hook claude",
  "hooks install claude",
  "hooks doctor claude",
  "hooks uninstall claude",
  "guard status",
  "guard enroll totp",
  "guard replace",
  "guard remove",
  "guard recovery",
  "run ls",
  "run stop x",
  "run profiles",
  "run --check",
  "run quarantine",
  "run restore x",
  "ssh-config",
  "ssh-proxy localhost 22 x",
  "mcp add x https://127.0.0.1:9/mcp",
  "mcp run true",
  "mcp install claude",
  "mcp uninstall claude",
  "mcp list",
  "mcp review x",
  "mcp bind x kubectl",
  "mcp forget x",
  "policy suggest",
  "console --help",
  "console sessions",
  "console revoke x",
  "credentials add github x true",
  "credentials add google x true",
  "credentials add aws x true",
  "credentials add kubernetes x",
  "credentials list",
  "credentials env",
  "credentials test x",
  "credentials revoke x",
  "credentials remove x",
  "audit verify",
  "forward list",
  "forward add x https://127.0.0.1:9/none",
  "forward test x",
  "forward rotate x",
  "forward remove x",
  "fleet status",
  "fleet sync",
  "fleet leave",
  "enroll https://127.0.0.1:9 --token idet_acme_0123456789abcdef",
  "notify list",
  "notify add x https://127.0.0.1:9/none",
  "notify test x",
  "notify rotate x",
  "notify remove x",
  "repair --dry-run",
  "set-proxy-mode enforce",
  "settings get",
  "settings set log_level info",
  "settings reload",
  "shell-init",
  "status",
  "status --quiet",
  "status --json",
  "uninstall --dry-run",
  "update status",
  "server --help",
  "server migrate --help",
  "server tenant set --help",
  "server tenant list --help",
  "server token --help",
  "server key rotate --help",
  "server key list --help",
  "server key retire --help",
  "server epoch --help",
  "server export --help",
  "session list",
  "session show x",
  "session replay x",
  "session follow x",
  "session export x",
  "session end x",
  "undo list",
  "undo show x",
  "undo apply x",
  "undo clear",
  "update check",
  "update apply",
  "upgrade --check",
  "upstream list",
  "upstream add x.example.com",
  "upstream remove x.example.com",
  "version",
  "__complete --index 1 -- iddio",
].map((line) => line.split(" "));

const NOBODY = 65_534;

/** The answer of half of the lines when there is no daemon, wherever they are typed. */
const IS_DOWN = `N

Error: dial unix <folder>/iddio.sock: connect: no such file or directory
hint: the daemon is not running; start it with: iddio gateway
`;

/** These print what is in the program, whether there is a daemon or not. */
const IN_PROGRAM = / --help$|^(?:help|man|version|shell-init|completion bash|policy schema|__complete .*)$/;

/** These go on until they are told to stop; what they say at first is enough. */
const ENDLESS = /^(?:approval watch|audit tail|classify batch|events)/;

/** Replaces the parts that differ from run to run: numbers, times, ids, the folder itself. */
function steady(text: string, folders: readonly string[]): string {
  let steady = text;
  for (const folder of folders) steady = steady.replaceAll(folder, "<folder>");
  return steady
    .replaceAll(/(?:[0-9A-F]{2}:){31}[0-9A-F]{2}/g, "F")
    .replaceAll(/whsec_\S+/g, "S")
    .replaceAll(/\b(?:\d+[dhms])+\b/g, "T")
    .replaceAll(/\b[0-9a-f]{6,}\b|\d+/g, "N")
    .replaceAll(/ +/g, " ");
}

test("the list has every command", () => {
  const listed = LINES.map((words) => words.join(" "));
  const missing = COMMANDS.map(({ name }) => name).filter(
    // Commands that iddio itself starts and nobody types.
    (name) =>
      name !== "run-bridge" &&
      name !== "ssh-session" &&
      !listed.some((line) => line === name || line.startsWith(`${name} `)),
  );
  expect(missing).toEqual([]);
});

interface Typed {
  readonly cwd: string;
  readonly path: string;
  readonly isUp: boolean;
  readonly ran: () => string;
  readonly uid: number | undefined;
  /** Lines that are left out. */
  readonly without?: ReadonlySet<string>;
}

/** The output of every line when typed in `cwd`, in a home of its own, by line. */
async function said({ cwd, path, isUp, ran, uid, without }: Typed): Promise<ReadonlyMap<string, string>> {
  await using directory = await temporaryDirectory();
  const settings = "update_feed: https://127.0.0.1:9/none\n";
  await using up = isUp
    ? await startGatewayProcess({ settings, ...(uid === undefined ? {} : { uid }) })
    : undefined;
  const home = up?.home ?? directory.path;
  if (uid !== undefined) chownSync(home, uid, uid);
  const as =
    uid === undefined ? [] : ["/usr/bin/setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
  const env = {
    HOME: home,
    IDDIO_HOME: home,
    XDG_RUNTIME_DIR: join(home, "none"),
    PATH: path,
    ...COMPILED_ONCE,
  };
  const answers = new Map<string, string>();
  for (const args of LINES) {
    const line = args.join(" ");
    // Without a daemon `gateway` would be one, and the rest of the list is about there being none.
    if (!isUp && (line.startsWith("gateway") || IN_PROGRAM.test(line))) continue;
    if (without?.has(line)) continue;
    const [program = "", ...words] = [...as, builtBinary(), ...args];
    const timeoutMs = ENDLESS.test(line) ? 1_000 : 30_000;
    const { code, stdout, stderr } = await runClient(program, words, { env, cwd, timeoutMs });
    expect([line, ran()]).toEqual([line, ""]);
    answers.set(line, steady(`${code}\n${stdout}\n${stderr}`, [home, path, cwd]));
  }
  return answers;
}

for (const isUp of [false, true])
  test(`nothing of a hostile folder runs or changes the output, the daemon ${isUp ? "up" : "down"}`, async () => {
    await using directory = await temporaryDirectory();
    const hostile = hostileFolder(join(directory.path, "repository"));
    const empty = join(directory.path, "empty");
    mkdirSync(empty);
    // With the daemon up it is a user who is not root, in a folder that is the agent's: laptops have no other.
    const uid = isUp && process.getuid?.() === 0 && existsSync("/usr/bin/setpriv") ? NOBODY : undefined;
    chmodSync(directory.path, 0o755);
    // A program that runs there must be able to leave its mark.
    if (uid !== undefined)
      for (const each of [empty, hostile.folder]) Bun.spawnSync(["chown", "-R", `${uid}:${uid}`, each]);
    const fair = { cwd: empty, path: "/usr/bin:/bin", isUp, ran: hostile.ran, uid };
    const path = `${hostile.bin}:.:node_modules/.bin:/usr/bin:/bin`;
    const [tried, whole] = await Promise.all([
      said({ ...fair, cwd: hostile.folder, path }),
      isUp ? said(fair) : undefined,
    ]);
    const down = [...tried].filter(([, answer]) => answer === IS_DOWN).map(([line]) => line);
    if (isUp) expect(down).toEqual([]);
    const expected = whole ?? (await said({ ...fair, without: new Set(down) }));
    expect([...tried].filter(([line]) => !down.includes(line))).toEqual([...expected]);
  }, 300_000);

test("install, doctor and uninstall as a service start no look-alike, and the daemon gets none of the unsafe variables", async () => {
  await using directory = await temporaryDirectory();
  const hostile = hostileFolder(join(directory.path, "repository"));
  await using at = await installedHome();
  // preload.ts leaves a mark when anything loads it; a daemon that is Bun would not answer at all.
  const env = {
    ...at.env,
    PATH: `${hostile.bin}:${at.env.PATH}`,
    BUN_INSPECT_PRELOAD: join(hostile.folder, "preload.ts"),
  };
  for (const args of [["install"], ["doctor"], ["repair"], ["uninstall", "--yes"]])
    expect((await at.iddio(args, { env })).code).toBe(0);
  expect(hostile.ran()).toBe("");
}, 300_000);
