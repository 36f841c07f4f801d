// From a curl line to a service that keeps itself up to date: install.sh, upgrade and update
// against a local release host with the real artifacts, whole and broken. systemctl is a stand-in
// that really starts the daemon.

import { beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { appendFile, chmod, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { placeProgram } from "../support/built-binary.ts";
import { type Finished, findClient, runClient } from "../support/clients.ts";
import { eventually } from "../support/eventually.ts";
import { type InstalledHome, installedHome } from "../support/installed-home.ts";
import { testsSideBySide } from "../support/lanes.ts";
import {
  CRASHING_VERSION,
  NEW_VERSION,
  OLD_VERSION,
  type ReleaseHost,
  sharedReleaseHost,
  type Variant,
} from "../support/release/release-host.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const isTested = process.platform === "linux";
let host: ReleaseHost;

beforeAll(async () => {
  if (isTested) host = await sharedReleaseHost();
}, 600_000);
const beside = testsSideBySide(2);

/** A test of Linux; elsewhere it says so and passes. */
function onLinux(name: string, run: () => Promise<unknown>, define: typeof beside = beside): void {
  define(
    name,
    async () => {
      if (isTested) await run();
      else process.stderr.write("releases are tested on Linux\n");
    },
    900_000,
  );
}

interface Download {
  readonly result: Finished;
  readonly folder: string;
  readonly scratch: string;
}

/** Runs the release's install.sh, as `curl … | sh` would have it. */
async function install(
  home: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Download> {
  const scratch = join(home, "tmp");
  await mkdir(scratch, { recursive: true });
  const sh = findClient("dash") ?? "/bin/sh";
  const result = await runClient(sh, ["-s", "--", ...args], {
    input: readFileSync(join(host.folder, "install.sh")),
    env: { HOME: home, TMPDIR: scratch, CURL_CA_BUNDLE: host.caPath, ...env },
  });
  return { result, folder: join(home, ".local/bin"), scratch };
}

onLinux("install.sh puts the program of the release where nothing was", async () => {
  await using at = await temporaryDirectory();
  const { result, folder, scratch } = await install(at.path, [
    "--base",
    host.base("good"),
    "--version",
    NEW_VERSION,
  ]);
  expect([result.code, result.stderr]).toEqual([0, ""]);
  expect(result.stdout).toContain("checksum is right");
  expect(result.stdout).toContain("iddio install");
  if (Bun.which("minisign") !== null)
    expect(result.stdout).toContain(`signature is right: iddio ${NEW_VERSION}`);
  const { stdout } = await runClient(join(folder, "iddio"), ["version"]);
  expect(stdout).toBe(`iddio ${NEW_VERSION}\n`);
  expect(readdirSync(folder)).toEqual(["iddio"]);
  expect(readdirSync(scratch)).toEqual([]);

  const other = await install(at.path, ["--base", host.base("light"), "--dir", join(at.path, "else where")]);
  expect(other.result.code).toBe(0);
  expect(existsSync(join(at.path, "else where", "iddio"))).toBe(true);
});

onLinux("install.sh leaves what was there when anything is wrong with the release", async () => {
  await using at = await temporaryDirectory();
  const folder = join(at.path, ".local/bin");
  await mkdir(folder, { recursive: true });
  await Bun.write(join(folder, "iddio"), "what was there");
  const cases: readonly (readonly [Variant | "nowhere", string, readonly string[]])[] = [
    ["tampered", "is damaged", []],
    ["cut", "cannot download", []],
    ["nowhere", "cannot download", []],
    ["linked", "not hold a program but a link", []],
    ["to-http", "cannot download", []],
    ["light", "v00.0000.0000", ["--version", "v00.0000.0000"]],
    ...(Bun.which("minisign") === null ? [] : ([["wrong-signature", "signature", []]] as const)),
  ];
  for (const [variant, said, args] of cases) {
    const { result, scratch } = await install(at.path, ["--base", host.base(variant as Variant), ...args]);
    expect([variant, result.code]).toEqual([variant, 1]);
    expect(result.stderr).toContain(said);
    expect(result.stderr).toContain("hint:");
    expect(readdirSync(folder)).toEqual(["iddio"]);
    expect(readFileSync(join(folder, "iddio"), "utf8")).toBe("what was there");
    expect(readdirSync(scratch)).toEqual([]);
  }
  const usage = await install(at.path, ["--colour"]);
  expect([usage.result.code, usage.result.stderr]).toEqual([2, expect.stringContaining("--help")]);
  const plain = await install(at.path, ["--base", "http://mirror.example.com"]);
  expect([plain.result.code, plain.result.stderr]).toEqual([2, expect.stringContaining("is not https")]);
});

onLinux("install.sh checks the signature by openssl where minisign is missing, and else stops", async () => {
  await using at = await temporaryDirectory();
  const bin = join(at.path, "bin");
  await mkdir(bin);
  for (const name of readdirSync("/usr/bin"))
    if (!["minisign", "openssl", "iddio"].includes(name))
      await symlink(join("/usr/bin", name), join(bin, name));
  const base = (variant: Variant) => ["--base", host.base(variant), "--dir", join(at.path, "to")];
  const without = { PATH: bin };
  const stopped = await install(at.path, base("light"), without);
  expect([stopped.result.code, stopped.result.stderr]).toEqual([1, expect.stringContaining("--unsigned")]);
  expect(existsSync(join(at.path, "to"))).toBe(false);
  expect((await install(at.path, [...base("light"), "--unsigned"], without)).result.code).toBe(0);
  if (!existsSync("/usr/bin/openssl")) return;
  await symlink("/usr/bin/openssl", join(bin, "openssl"));
  const good = await install(at.path, base("light"), without);
  expect([good.result.code, good.result.stdout]).toEqual([
    0,
    expect.stringContaining(`signature is right: iddio ${NEW_VERSION}`),
  ]);
  const wrong = await install(at.path, [...base("wrong-signature"), "--unsigned"], without);
  expect([wrong.result.code, wrong.result.stderr]).toEqual([1, expect.stringContaining("signature")]);
  // The installed program is later than the release: it stays unless the version is named.
  const later = join(at.path, "to", "iddio");
  await Bun.write(later, "#!/bin/sh\necho iddio v99.0101.0000\n");
  await chmod(later, 0o755);
  const older = await install(at.path, base("light"), without);
  expect([older.result.code, older.result.stderr]).toEqual([1, expect.stringContaining("is newer")]);
  const named = await install(at.path, [...base("light"), "--version", NEW_VERSION], without);
  expect(named.result.stdout).toContain(`iddio ${NEW_VERSION} replaces iddio v99.0101.0000`);
});

onLinux("install.sh follows redirects by GNU wget too, but none to plain http", async () => {
  await using at = await temporaryDirectory();
  if (!Bun.spawnSync(["sh", "-c", "wget --version | grep -q GNU"]).success)
    return void process.stderr.write("no GNU wget here: it is not tried\n");
  const bin = join(at.path, "bin");
  await mkdir(bin);
  for (const name of readdirSync("/usr/bin"))
    if (!["curl", "iddio"].includes(name)) await symlink(join("/usr/bin", name), join(bin, name));
  // GNU wget has no variable for an authority of one's own but its start file.
  await Bun.write(join(at.path, ".wgetrc"), `ca_certificate = ${host.caPath}\n`);
  const by = (variant: Variant) =>
    install(at.path, ["--base", host.base(variant), "--dir", join(at.path, "to")], { PATH: bin });
  const plain = await by("to-http");
  expect([plain.result.code, plain.result.stderr]).toEqual([1, expect.stringContaining("is not https")]);
  const moved = await by("moved");
  expect([moved.result.code, moved.result.stderr]).toEqual([0, ""]);
  expect(existsSync(join(at.path, "to", "iddio"))).toBe(true);
});

/** Runs a shell line with a small disk at `path`; undefined where we may not mount one. */
async function onSmallDisk(
  path: string,
  megabytes: number,
  line: string,
  env: Readonly<Record<string, string>>,
): Promise<Finished | undefined> {
  await mkdir(path, { recursive: true });
  const script = `mount -t tmpfs -o size=${megabytes}m,mode=700 tmpfs '${path}' || exit 99; ${line}`;
  const result = await runClient("/usr/bin/unshare", ["-m", "sh", "-c", script], { env });
  if (result.code !== 99 && !result.stderr.includes("unshare failed")) return result;
  process.stderr.write("no disk may be mounted here: a full one is not tried\n");
  return undefined;
}

onLinux("a full disk leaves no half-installed program behind", async () => {
  await using at = await temporaryDirectory();
  const folder = join(at.path, "small");
  await Bun.write(join(at.path, "install.sh"), readFileSync(join(host.folder, "install.sh")));
  const line = `sh '${join(at.path, "install.sh")}' --base '${host.base("large")}' --dir '${folder}'; code=$?; ls -A '${folder}'; exit $code`;
  const env = { HOME: at.path, CURL_CA_BUNDLE: host.caPath, PATH: process.env.PATH ?? "" };
  const result = await onSmallDisk(folder, 20, line, env);
  if (result === undefined) return;
  expect(result.code).toBe(1);
  expect(result.stderr).toContain("is the disk full");
  expect(result.stdout.trim().split("\n").at(-1)).toBe("checksum is right");
});

/** A home with the old version installed as a service that looks for releases of this variant. */
async function oldHome(variant: Variant): Promise<{ at: InstalledHome; program: string }> {
  const directory = await temporaryDirectory();
  const program = join(directory.path, "iddio");
  placeProgram(program, host.oldProgram);
  const at = await installedHome({ program, env: { NODE_EXTRA_CA_CERTS: host.caPath } });
  await appendFile(join(at.state, "settings.yaml"), `update_feed: ${host.feed(variant)}\n`);
  await at.succeed(["install"]);
  const dispose = at[Symbol.asyncDispose].bind(at);
  const all = async () => {
    await dispose();
    await directory[Symbol.asyncDispose]();
  };
  return { at: { ...at, [Symbol.asyncDispose]: all }, program };
}

const running = async (at: InstalledHome) => (await at.control.call("status", {})).build_version;
const versionOf = async (path: string) => (await runClient(path, ["version"])).stdout.trim();

onLinux("upgrade replaces program and daemon by the release, and the service runs it", async () => {
  const { at: home, program } = await oldHome("good");
  await using at = home;
  expect(await at.succeed(["upgrade", "--check"])).toBe(
    `iddio ${NEW_VERSION} is available; this is ${OLD_VERSION}\n`,
  );
  const daemon = join(at.state, "bin/iddio-daemon");
  const dry = await at.succeed(["upgrade", "--dry-run"]);
  expect(dry).toContain(`would replace ${program}\nwould replace ${daemon}\n`);
  expect(await running(at)).toBe(OLD_VERSION);
  const said = await at.succeed(["upgrade"]);
  expect(said).toContain("verified: signature and checksum");
  expect(await running(at)).toBe(NEW_VERSION);
  expect([await versionOf(program), await versionOf(daemon)]).toEqual([
    `iddio ${NEW_VERSION}`,
    `iddio ${NEW_VERSION}`,
  ]);
  expect(readdirSync(join(at.state, "bin"))).toEqual(["iddio-daemon"]);
  expect(existsSync(join(at.state, "updates"))).toBe(false);
  expect(await at.succeed(["upgrade"])).toBe(`iddio ${NEW_VERSION} is the latest\n`);
  const { code, stdout } = await at.iddio(["doctor"]);
  expect([code, code === 0 ? "" : stdout]).toEqual([0, ""]);
});

onLinux("upgrade changes nothing when anything is wrong with the release", async () => {
  const { at: home, program } = await oldHome("good");
  await using at = home;
  const { pid } = await at.control.call("status", {});
  for (const [variant, said] of [
    ["tampered", "the checksum of"],
    ["wrong-signature", "the signature was made with another key"],
    ["old-signature", `the signature is for 'iddio ${OLD_VERSION}'`],
    ["cut", "was cut off"],
  ] as const) {
    await Bun.write(
      join(at.state, "settings.yaml"),
      `proxy_listen: 127.0.0.1:0\napproval_guard: off\nupdate_feed: ${host.feed(variant)}\n`,
    );
    const { code, stderr } = await at.iddio(["upgrade"]);
    expect([variant, code]).toEqual([variant, 1]);
    expect(stderr).toContain(said);
    expect(existsSync(join(at.state, "updates"))).toBe(false);
  }
  const full = await onSmallDisk(join(at.state, "updates"), 20, `'${program}' upgrade`, at.env);
  if (full !== undefined)
    expect([full.code, full.stderr]).toEqual([1, expect.stringContaining("the disk is full")]);
  expect(await versionOf(program)).toBe(`iddio ${OLD_VERSION}`);
  expect((await at.control.call("status", {})).pid).toBe(pid);
});

onLinux("a new version that crashes at its start is rolled back", async () => {
  const { at: home, program } = await oldHome("crashing");
  await using at = home;
  const { code, stderr } = await at.iddio(["upgrade"]);
  expect(code).toBe(1);
  expect(stderr).toContain(`${CRASHING_VERSION} did not come up, ${OLD_VERSION} is back`);
  expect(stderr).toContain("cannot start");
  expect(
    await eventually(
      () => running(at).catch(() => ""),
      (version) => version !== "",
    ),
  ).toBe(OLD_VERSION);
  expect(await versionOf(program)).toBe(`iddio ${OLD_VERSION}`);
  expect(await versionOf(join(at.state, "bin/iddio-daemon"))).toBe(`iddio ${OLD_VERSION}`);

  // The daemon does it by itself as well, and remembers why.
  const applied = await at.iddio(["update", "apply"]);
  expect([applied.code, applied.stderr]).toEqual([
    1,
    expect.stringContaining(`${CRASHING_VERSION} did not come up`),
  ]);
  expect(await running(at)).toBe(OLD_VERSION);
  const status = JSON.parse(await at.succeed(["update", "status", "--json"]));
  expect([status.state, status.version]).toEqual(["failed", CRASHING_VERSION]);
});

onLinux("of two upgrades at once one does it and the other says so", async () => {
  const { at: home, program } = await oldHome("slow");
  await using at = home;
  const both = await Promise.all([at.iddio(["upgrade"]), at.iddio(["upgrade"])]);
  expect(both.map(({ code }) => code).sort()).toEqual([0, 1]);
  expect(both.map(({ stderr }) => stderr).join("")).toContain("another upgrade is running");
  expect(await running(at)).toBe(NEW_VERSION);
  expect(await versionOf(program)).toBe(`iddio ${NEW_VERSION}`);
});

// It counts questions, so nobody else may ask meanwhile.
onLinux(
  "the daemon updates itself: check, apply, restart",
  async () => {
    const { at: home } = await oldHome("good");
    await using at = home;
    expect(await at.succeed(["update", "status"])).toContain("idle");
    const found = JSON.parse(await at.succeed(["update", "check", "--json"]));
    expect([found.state, found.version, found.current_version]).toEqual([
      "available",
      NEW_VERSION,
      OLD_VERSION,
    ]);
    // Asked again at once the feed is not; forced it is.
    const count = () => host.asked.filter((path) => path.startsWith("/good/release.json")).length;
    const before = count();
    await at.succeed(["update", "check"]);
    expect(count()).toBe(before);
    await at.succeed(["update", "check", "--force"]);
    expect(count()).toBe(before + 1);
    expect(await at.succeed(["update", "apply"])).toBe(`updated: ${OLD_VERSION} -> ${NEW_VERSION}\n`);
    expect(await running(at)).toBe(NEW_VERSION);
    expect(await versionOf(join(at.state, "bin/iddio-daemon"))).toBe(`iddio ${NEW_VERSION}`);
    expect(readdirSync(at.state).filter((name) => name.includes("previous") || name === "updates")).toEqual(
      [],
    );
  },
  test,
);
