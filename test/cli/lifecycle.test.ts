// install, doctor, repair and uninstall, with the compiled program in a home of its own. systemctl
// is a stand-in that really starts the daemon; everything else is as a user has it.

import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { appendFile, chmod, mkdir, rename, rm, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { builtBinary } from "../support/built-binary.ts";
import { runClient } from "../support/clients.ts";
import { type InstalledHome, installedHome } from "../support/installed-home.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";

interface Finding {
  readonly check: string;
  readonly verdict: string;
  readonly detail: string;
  readonly fix?: string;
}

async function doctor(
  at: InstalledHome,
): Promise<{ healthy: boolean; failed: string[]; findings: Finding[] }> {
  const { stdout, code } = await at.iddio(["doctor", "--json"]);
  const { healthy, findings } = JSON.parse(stdout) as { healthy: boolean; findings: Finding[] };
  expect(code).toBe(healthy ? 0 : 1);
  const failed = findings.filter(({ verdict }) => verdict === "fail").map(({ check }) => check);
  return { healthy, failed, findings };
}

interface Repaired {
  readonly repairs: string[];
  readonly left: string[];
  readonly findings: Finding[];
}

/** Findings without their details, which name times and sizes. */
const steady = (findings: readonly Finding[]) =>
  findings.map(({ check, verdict, fix }) => ({ check, verdict, fix }));

/** uninstall's words about shells that are routed, and about the line that routes the next ones. */
const ROUTED = `type in each
eval "$(iddio shell-init --unset)"
and take the line 'eval "$(iddio shell-init)"' out`;

const pidOf = async (at: InstalledHome) => (await at.control.call("status", {})).pid;

test("install makes binary, state, unit and a running daemon; again, it changes nothing", async () => {
  await using at = await installedHome();
  const first = await at.succeed(["install"]);
  expect(first).toContain("the default policy");
  expect(first).toContain("up, pid");
  for (const [name, mode] of [
    ["", 0o700],
    ["bin/iddio-daemon", 0o755],
    ["ca.crt", 0o644],
    ["ca.key", 0o600],
    ["ca-bundle.pem", 0o644],
    ["policy.yaml", 0o600],
    ["install_mode", 0o600],
    ["audit.jsonl", 0o600],
    ["iddio.sock", 0o600],
  ] as const)
    expect([name, statSync(join(at.state, name)).mode & 0o777]).toEqual([name, mode]);
  expect(readFileSync(join(at.state, "install_mode"), "utf8")).toBe("per_user\n");
  expect(readFileSync(at.unit, "utf8")).toBe(await at.succeed(["install", "--print-unit"]));

  const pid = await pidOf(at);
  const again = await at.succeed(["install"]);
  expect(again).toContain("there already");
  expect(await pidOf(at)).toBe(pid);
  expect(at.calls().filter((call) => call.includes(" restart ")).length).toBe(1);

  // A unit of an older iddio is rendered again, and a policy that was edited stays.
  await writeFile(at.unit, "[Service]\nExecStart=/bin/false\n");
  await appendFile(join(at.state, "policy.yaml"), "# mine\n");
  await at.succeed(["install"]);
  expect(await pidOf(at)).not.toBe(pid);
  expect(readFileSync(join(at.state, "policy.yaml"), "utf8")).toEndWith("# mine\n");
}, 180_000);

test("uninstall leaves the audit log and strangers' files, with --keep-data the whole state", async () => {
  await using at = await installedHome();
  await at.succeed(["install"]);
  const asked = await at.iddio(["uninstall"]);
  expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining("iddio uninstall --yes")]);
  expect(await pidOf(at)).toBeGreaterThan(0);

  const after = await at.iddio(["uninstall", "--keep-data", "--yes"]);
  expect([after.code, after.stderr]).toEqual([0, expect.stringContaining(ROUTED)]);
  expect(existsSync(at.unit)).toBe(false);
  expect((await at.iddio(["status", "--quiet"])).code).toBe(1);
  const kept = readdirSync(at.state).sort();
  for (const name of ["audit.jsonl", "ca.crt", "ca.key", "policy.yaml", "settings.yaml", "state.db"])
    expect(kept).toContain(name);
  for (const name of ["bin", "install_mode", "iddio.sock"]) expect(kept).not.toContain(name);

  await at.succeed(["install"]);
  await writeFile(join(at.state, "notes.txt"), "a stranger's");
  const { stdout: said, stderr: noted } = await at.iddio(["uninstall", "--yes"]);
  expect(noted).toContain(ROUTED);
  expect(readdirSync(at.state).sort()).toEqual(["audit.jsonl", "notes.txt"]);
  expect(said).toContain(`kept    ${join(at.state, "notes.txt")}`);
  expect((await at.iddio(["uninstall", "--yes"])).code).toBe(0);
}, 180_000);

test("what cannot be installed says what to do instead, and has written nothing", async () => {
  await using at = await installedHome();
  const bare = { PATH: "/usr/bin:/bin", IDDIO_TEST_TOOLS: "", XDG_RUNTIME_DIR: "/nonexistent" };
  const { code, stderr } = await at.iddio(["install"], { env: bare });
  expect(code).toBe(1);
  expect(stderr).toContain("systemd");
  expect(stderr).toContain("iddio install --no-service");
  expect(stderr).toContain("iddio gateway");
  expect(readdirSync(at.state)).toEqual(["settings.yaml"]);

  const notIddio = await at.iddio(["install", "--daemon-path", "/bin/true"]);
  expect([notIddio.code, notIddio.stderr]).toEqual([
    1,
    expect.stringContaining("'/bin/true' is not an iddio"),
  ]);

  expect((await at.iddio(["install", "--no-service"])).code).toBe(0);
  expect(existsSync(at.unit)).toBe(false);
  const { failed, findings } = await doctor(at);
  expect(failed).toEqual(["daemon"]);
  expect(findings.find(({ check }) => check === "daemon")?.fix).toBe("iddio gateway");
}, 180_000);

test("a daemon that was started by hand is not fought over", async () => {
  await using at = await installedHome();
  const gateway = Bun.spawn([builtBinary(), "gateway"], { env: at.env, stderr: "pipe", stdout: "ignore" });
  await gateway.stderr.getReader().read();
  const { code, stderr } = await at.iddio(["install"]);
  expect([code, stderr]).toEqual([1, expect.stringContaining(`stop it first: kill ${gateway.pid}`)]);
  // Uninstalling, which is to leave nothing behind, does end it.
  expect(await at.succeed(["uninstall", "--yes"])).toContain(`stopped the daemon (pid ${gateway.pid})`);
  await gateway.exited;
}, 180_000);

const DAMAGES: readonly (readonly [
  what: string,
  check: string,
  damage: (at: InstalledHome) => Promise<unknown>,
])[] = [
  ["no policy", "policy", ({ state }) => rm(join(state, "policy.yaml"))],
  [
    "a policy that does not load",
    "policy",
    ({ state }) => writeFile(join(state, "policy.yaml"), "kubectl: ["),
  ],
  [
    "settings that do not load",
    "settings",
    ({ state }) => writeFile(join(state, "settings.yaml"), "colour: red\n"),
  ],
  ["no certificate", "ca", ({ state }) => rm(join(state, "ca.crt"))],
  ["a key cut short", "ca", ({ state }) => truncate(join(state, "ca.key"), 20)],
  ["no bundle", "bundle", ({ state }) => rm(join(state, "ca-bundle.pem"))],
  ["an empty bundle", "bundle", ({ state }) => truncate(join(state, "ca-bundle.pem"), 0)],
  ["no binary", "binary", ({ state }) => rm(join(state, "bin/iddio-daemon"))],
  ["a binary cut short", "binary", ({ state }) => truncatedCopy(join(state, "bin/iddio-daemon"))],
  ["no unit", "unit", ({ unit }) => rm(unit)],
  ["a unit that somebody edited", "unit", ({ unit }) => appendFile(unit, "Nice=5\n")],
  ["no marker", "install mode", ({ state }) => rm(join(state, "install_mode"))],
  ["a daemon that was stopped", "service", ({ env }) => systemctl(env, "stop")],
  ["no socket", "daemon", ({ state }) => rm(join(state, "iddio.sock"))],
];

/** Each is found and set back by itself, whatever the others are. */
const MODES: readonly (readonly [name: string, check: string, wrong: number, right: string])[] = [
  ["ca.key", "files", 0o644, "0600"],
  ["", "state directory", 0o755, "0700"],
  ["ca.crt", "files", 0o600, "0644"],
  ["iddio.sock", "socket", 0o666, "0600"],
];

/** The running file cannot be written to; another one can be put in its place. */
async function truncatedCopy(path: string): Promise<void> {
  await writeFile(`${path}.cut`, readFileSync(path).subarray(0, 100_000), { mode: 0o755 });
  await rename(`${path}.cut`, path);
}

function systemctl(env: Readonly<Record<string, string>>, verb: string) {
  return runClient(
    join(PROJECT_ROOT, "test/support/system/systemctl"),
    ["--user", verb, "iddio-daemon.service"],
    { env },
  );
}

test("doctor finds every damage, repair --dry-run changes nothing, repair fixes it", async () => {
  await using at = await installedHome();
  await at.succeed(["install"]);
  expect((await doctor(at)).failed).toEqual([]);
  const repaired = async (what: string, checks: readonly string[], withDoctor = false) => {
    const dry = JSON.parse((await at.iddio(["repair", "--dry-run", "--json"])).stdout) as Repaired;
    // Both look by the same function and print what it finds: after one damage doctor is asked as well.
    if (withDoctor) expect(steady((await doctor(at)).findings)).toEqual(steady(dry.findings));
    const failed = dry.findings.filter(({ verdict }) => verdict === "fail").map((each) => each.check);
    expect([what, failed]).toEqual([what, expect.arrayContaining([...checks])]);
    for (const { verdict, fix } of dry.findings)
      if (verdict === "fail" || verdict === "warn") expect(fix).toBeString();
    const { code, stdout, stderr } = await at.iddio(["repair", "--json"]);
    expect([what, code, code === 0 ? "" : stdout + stderr]).toEqual([what, 0, ""]);
    // It still finds all of it to repair: the dry run has changed nothing.
    const { repairs, left } = JSON.parse(stdout) as Repaired;
    expect(repairs).not.toEqual([]);
    expect([what, dry.repairs, dry.left]).toEqual([what, repairs, left]);
    return repairs;
  };
  for (const [name, , wrong] of MODES) await chmod(join(at.state, name), wrong);
  const set = await repaired(
    "modes",
    MODES.map(([, check]) => check),
    true,
  );
  const wanted = MODES.map(([name, , , right]) => `set the mode of ${join(at.state, name)} to ${right}`);
  expect(set.sort()).toEqual(wanted.sort());
  for (const [what, check, damage] of DAMAGES) {
    await damage(at);
    await repaired(what, [check]);
  }
  expect((await doctor(at)).failed).toEqual([]);
  expect(await at.succeed(["repair"])).toBe("");

  await chmod(join(at.state, "ca.key"), 0o644);
  const dry = await at.succeed(["repair", "--dry-run"]);
  expect(dry).toBe(`would set the mode of ${join(at.state, "ca.key")} to 0600\n`);
  expect((await doctor(at)).failed).toEqual(["files"]);
  const json = JSON.parse(await at.succeed(["repair", "--json"])) as { repairs: string[]; healthy: boolean };
  expect([json.repairs.length, json.healthy]).toEqual([1, true]);
}, 600_000);

test("what a person must fix is left for a person", async () => {
  await using at = await installedHome();
  await at.succeed(["install"]);
  await systemctl(at.env, "stop");
  // Without a daemon nobody knows which policy was meant.
  await writeFile(join(at.state, "policy.yaml"), "kubectl: [");
  for (const flag of ["--dry-run", ""]) {
    const { code, stderr } = await at.iddio(["repair", ...(flag === "" ? [] : [flag])]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("left for you:")]);
  }
  const dry = await at.iddio(["repair", "--dry-run", "--json"]);
  const real = await at.iddio(["repair", "--json"]);
  expect(dry.code).toBe(real.code);
  expect((JSON.parse(dry.stdout) as Repaired).left).toEqual((JSON.parse(real.stdout) as Repaired).left);
  expect((JSON.parse(dry.stdout) as Repaired).left).toContain("policy");
  expect(readFileSync(join(at.state, "policy.yaml"), "utf8")).toBe("kubectl: [");
}, 180_000);

test("a port that another program has taken is said", async () => {
  await using at = await installedHome();
  await at.succeed(["install", "--no-service"]);
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { port: number };
  await writeFile(join(at.state, "settings.yaml"), `proxy_listen: 127.0.0.1:${port}\napproval_guard: off\n`);
  const { findings } = await doctor(at);
  other.close();
  expect(findings.find(({ check }) => check === "port")?.detail).toContain("another program listens");
}, 180_000);

test("where nothing is installed, doctor says so and nothing else", async () => {
  await using at = await installedHome();
  await rm(at.state, { recursive: true });
  const { findings } = await doctor(at);
  expect(findings.map(({ check, fix }) => [check, fix])).toEqual([["state directory", "iddio install"]]);
  // A directory that is there for another reason is not touched either.
  await mkdir(at.state, { mode: 0o700 });
  expect((await doctor(at)).failed).toContain("policy");
}, 180_000);
