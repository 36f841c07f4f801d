// The parts of a release, tried with the programs that will read them: apt, dpkg, unsquashfs,
// minisign, ruby, the kernel's and qemu's loaders. A program that is not here makes its test say so
// and pass.

import { beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { programFor } from "../../packaging/release/build-release.ts";
import { compile } from "../../packaging/release/compile.ts";
import { homebrewFormula } from "../../packaging/release/formula.ts";
import { TARGETS } from "../../packaging/release/targets.ts";
import { builtBinary } from "../support/built-binary.ts";
import { findClient, runClient } from "../support/clients.ts";
import { builtVersion } from "../support/release/release-build.ts";
import { NEW_VERSION, type ReleaseHost, sharedReleaseHost } from "../support/release/release-host.ts";
import { hostileFolder } from "../support/sandbox/hostile-folder.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const isTested = process.platform === "linux";
const debian = process.arch === "x64" ? "amd64" : "arm64";
const appImage = `iddio-${process.arch === "x64" ? "x86_64" : "aarch64"}.AppImage`;
let host: ReleaseHost;

beforeAll(async () => {
  if (isTested) host = await sharedReleaseHost();
}, 600_000);

/** A test of Linux that needs these programs; without them it says so and passes. */
function withPrograms(
  programs: readonly string[],
  name: string,
  run: (paths: string[]) => Promise<unknown>,
): void {
  test(name, async () => {
    const paths = programs.map(findClient);
    if (isTested && paths.every((path) => path !== undefined)) await run(paths);
  }, 300_000);
}

const succeed = async (
  program: string,
  args: readonly string[],
  options: Parameters<typeof runClient>[2] = {},
) => {
  const { code, stdout, stderr } = await runClient(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
  return stdout;
};
const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

withPrograms(
  ["sha256sum"],
  "SHA256SUMS lists every file, and the manifest says where each is",
  async ([sha256sum = ""]) => {
    const list = readFileSync(join(host.folder, "SHA256SUMS"), "utf8");
    const sums = new Map(list.split("\n").map((line) => [line.slice(66), line.slice(0, 64)]));
    // It reads the list and one file; the sums of the others are ours below: it takes seconds for all.
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, "SHA256SUMS"), list);
    await copyFile(join(host.folder, "install.sh"), join(directory.path, "install.sh"));
    const strictly = ["--check", "--strict", "--ignore-missing", "SHA256SUMS"];
    expect(await succeed(sha256sum, strictly, { cwd: directory.path })).toBe("install.sh: OK\n");
    const { tag_name, assets } = JSON.parse(readFileSync(join(host.folder, "release.json"), "utf8"));
    expect(tag_name).toBe(NEW_VERSION);
    for (const { name, size, digest, browser_download_url } of assets) {
      expect([name, size]).toEqual([name, statSync(join(host.folder, name)).size]);
      const sum = sha256(join(host.folder, name));
      expect(digest).toBe(`sha256:${sum}`);
      if (!name.startsWith("SHA256SUMS")) expect([name, sums.get(name)]).toEqual([name, sum]);
      expect(browser_download_url).toBe(
        `https://github.com/leonardaustin/iddio/releases/download/${NEW_VERSION}/${name}`,
      );
    }
  },
);

withPrograms(
  ["minisign"],
  "minisign accepts the signature with the public key, and no other file",
  async ([minisign = ""]) => {
    const args = ["-V", "-Q", "-p", host.publicKeyPath, "-x", join(host.folder, "SHA256SUMS.minisig"), "-m"];
    expect(await succeed(minisign, [...args, join(host.folder, "SHA256SUMS")])).toBe(
      `iddio ${NEW_VERSION}\n`,
    );
    expect((await runClient(minisign, [...args, join(host.folder, "install.sh")])).code).not.toBe(0);
  },
);

test("the same input gives the same bytes, wherever it is built", async () => {
  await using directory = await temporaryDirectory();
  if (!isTested) return;
  const again = join(directory.path, "another folder", "iddio");
  await mkdir(join(directory.path, "another folder"));
  await compile({ root: PROJECT_ROOT, outfile: again, version: builtVersion() });
  expect(sha256(again)).toBe(sha256(builtBinary()));
}, 300_000);

withPrograms(
  ["dpkg-deb"],
  "the Debian package holds program, man page and completions, and no scripts",
  async ([dpkgDeb = ""]) => {
    const file = join(host.folder, `iddio_${NEW_VERSION.slice(1)}_${debian}.deb`);
    const listed = await succeed(dpkgDeb, ["--contents", file]);
    for (const path of [
      "-rwxr-xr-x root/root .* ./usr/bin/iddio",
      "-rw-r--r-- root/root .* ./usr/share/man/man1/iddio.1.gz",
      "-rw-r--r-- root/root .* ./usr/share/bash-completion/completions/iddio",
      "-rw-r--r-- root/root .* ./usr/share/zsh/vendor-completions/_iddio",
      "-rw-r--r-- root/root .* ./usr/share/fish/vendor_completions.d/iddio.fish",
    ])
      expect(listed).toMatch(new RegExp(`^${path}$`, "m"));
    expect(await succeed(dpkgDeb, ["--field", file, "Version"])).toBe(`${NEW_VERSION.slice(1)}\n`);
    await using directory = await temporaryDirectory();
    await succeed(dpkgDeb, ["--control", file, directory.path]);
    expect(existsSync(join(directory.path, "postinst"))).toBe(false);
  },
);

withPrograms(
  ["apt-get", "dpkg"],
  "apt installs the package and removes it without a trace",
  async ([apt = "", dpkg = ""]) => {
    // It changes the machine: only where the machine is CI's.
    if (
      process.env.IDDIO_REQUIRE_CLIENTS !== "1" ||
      process.getuid?.() !== 0 ||
      existsSync("/usr/bin/iddio")
    ) {
      process.stderr.write("no package is installed here: that is for CI\n");
      return;
    }
    const file = join(host.folder, `iddio_${NEW_VERSION.slice(1)}_${debian}.deb`);
    await using directory = await temporaryDirectory();
    // The trigger of man-db reads all manual pages of the machine: `setpriv` is what it begins with.
    await writeFile(join(directory.path, "setpriv"), "#!/bin/sh\n", { mode: 0o755 });
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    const options = [
      "DPkg::Lock::Timeout=120",
      `DPkg::Path=${directory.path}:/usr/sbin:/usr/bin:/sbin:/bin`,
      // The one dependency is installed: no list of all packages has to be read.
      `Dir::State::Lists=${directory.path}`,
      "Dir::Cache::pkgcache=",
      "Dir::Cache::srcpkgcache=",
    ];
    const quiet = ["-qq", "-y", ...options.flatMap((option) => ["-o", option])];
    try {
      await succeed(apt, ["install", ...quiet, "--no-install-recommends", "--allow-downgrades", file], {
        env,
      });
      expect(await succeed("/usr/bin/iddio", ["version"])).toBe(`iddio ${NEW_VERSION}\n`);
      // Only dpkg replaces files that dpkg placed.
      const upgrade = await runClient("/usr/bin/iddio", ["upgrade"], {
        env: { HOME: "/nonexistent", NODE_EXTRA_CA_CERTS: host.caPath, IDDIO_HOME: await emptyHome() },
      });
      expect([upgrade.code, upgrade.stderr]).toEqual([1, expect.stringContaining("was installed by dpkg")]);
    } finally {
      await succeed(apt, ["purge", ...quiet, "iddio"], { env });
    }
    expect(existsSync("/usr/bin/iddio")).toBe(false);
    expect((await runClient(dpkg, ["--status", "iddio"])).code).not.toBe(0);
  },
);

/** A state directory whose settings know the host, with a release that is newer. */
async function emptyHome(): Promise<string> {
  const { path } = await temporaryDirectory();
  // Its release is the crashing one: any that is later will do, nothing is downloaded.
  await Bun.write(
    join(path, "settings.yaml"),
    `approval_guard: off\nupdate_feed: ${host.feed("crashing")}\n`,
  );
  return path;
}

test("the AppImage runs without FUSE, and extracts itself", async () => {
  if (!isTested) return;
  const path = join(host.folder, appImage);
  expect(readFileSync(path).subarray(8, 11)).toEqual(Buffer.from("AI\x02"));
  expect(await succeed(path, ["version"])).toBe(`iddio ${NEW_VERSION}\n`);
  await using directory = await temporaryDirectory();
  expect(await succeed(path, ["--appimage-extract"], { cwd: directory.path })).toContain(
    "squashfs-root/AppRun",
  );
  const root = join(directory.path, "squashfs-root");
  expect(await succeed(join(root, "AppRun"), ["version"])).toBe(`iddio ${NEW_VERSION}\n`);
  expect(readFileSync(join(root, "usr/bin/iddio")).subarray(8, 11)).toEqual(Buffer.alloc(3));
  expect(readFileSync(join(root, "iddio.desktop"), "utf8")).toContain("Exec=iddio");

  const plain = await runClient(host.oldProgram, ["--appimage-extract"]);
  expect([plain.code, plain.stderr]).toEqual([2, expect.stringContaining("is for the AppImage")]);
}, 300_000);

withPrograms(
  ["unsquashfs"],
  "other tools find the file system in the AppImage",
  async ([unsquashfs = ""]) => {
    await using directory = await temporaryDirectory();
    const path = join(host.folder, appImage);
    const offset = (await succeed(path, ["--appimage-offset"])).trim();
    const target = join(directory.path, "root");
    await succeed(unsquashfs, ["-no-progress", "-offset", offset, "-dest", target, path]);
    expect(statSync(join(target, "AppRun")).mode & 0o777).toBe(0o755);
    expect(readFileSync(join(target, "usr/share/man/man1/iddio.1"), "utf8")).toStartWith(".TH IDDIO 1");
  },
);

withPrograms(
  ["ruby"],
  "ruby reads the formula, which names four archives with their checksums",
  async ([ruby = ""]) => {
    await using directory = await temporaryDirectory();
    const names = ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"].map(
      (name) => `iddio-${name}.tar.gz`,
    );
    const sums = new Map(names.map((name, index) => [name, String(index).repeat(64)]));
    const path = join(directory.path, "iddio.rb");
    await Bun.write(
      path,
      homebrewFormula({ version: NEW_VERSION, homepage: "https://x", base: "https://y", sums }),
    );
    await succeed(ruby, ["-c", path]);
    // Enough of Homebrew to evaluate it, as on an Apple processor.
    const brew = `
    class Formula
      def self.test; end
      def self.method_missing(name, *args, &block)
        puts([name, *args].join(" ")) unless args.empty?
        block.call if block && [:on_macos, :on_arm].include?(name)
      end
    end
    load ${JSON.stringify(path)}`;
    const said = await succeed(ruby, ["-e", brew]);
    expect(said).toContain("url https://y/iddio-darwin-arm64.tar.gz");
    expect(said).toContain(`sha256 ${"0".repeat(64)}`);
    expect(said).toContain(`version ${NEW_VERSION.slice(1)}`);
  },
);

/** In a folder that would run code in any program that is Bun and obeys it, and with stand-ins that it must not know. */
async function inHostileFolder(argv: readonly string[], emulation?: Readonly<Record<string, string>>) {
  await using directory = await temporaryDirectory();
  const hostile = hostileFolder(join(directory.path, "repository"));
  const env = { HOME: directory.path, IDDIO_TEST_TOOLS: hostile.bin, PATH: hostile.bin, ...emulation };
  const run = (...args: string[]) =>
    runClient("/usr/bin/env", ["-C", hostile.folder, ...argv, ...args], { env });
  const said = await run("version");
  const where = await run("policy", "validate");
  await run("install");
  // Seconds under qemu, where nothing differs any more.
  if (emulation === undefined) await run("uninstall", "--yes");
  expect(hostile.ran()).toBe("");
  // HOME and IDDIO_HOME are not what .env says.
  expect(`${where.stdout}${where.stderr}`).not.toContain("/nonexistent");
  return said.stdout;
}

test("the program that is shipped obeys nothing of its working directory and knows no stand-ins", async () => {
  if (process.platform !== "linux") return;
  await using directory = await temporaryDirectory();
  const outfile = join(directory.path, "iddio");
  await compile({ root: PROJECT_ROOT, outfile, version: NEW_VERSION, isShipped: true, hasBytecode: false });
  expect(await inHostileFolder([outfile])).toBe(`iddio ${NEW_VERSION}\n`);
  const made = readFileSync(join(PROJECT_ROOT, "packaging/release/build-release.ts"), "utf8");
  expect(made).toContain("isShipped: true");
}, 300_000);

withPrograms(["qemu-aarch64-static", "npm"], "the arm64 program runs under qemu", async ([qemu = ""]) => {
  const libraries = "/usr/aarch64-linux-gnu";
  const target = TARGETS.find(({ name }) => name === "linux-arm64");
  if (!existsSync(libraries) || target === undefined)
    return process.stderr.write(`no ${libraries}: nothing to run arm64 programs with\n`);
  await using directory = await temporaryDirectory();
  const outfile = join(directory.path, "iddio");
  const { privateKey } = host;
  const input = { root: PROJECT_ROOT, out: directory.path, version: NEW_VERSION, privateKey };
  await writeFile(outfile, await programFor(target, input), { mode: 0o755 });
  const env = { QEMU_LD_PREFIX: libraries, HOME: directory.path };
  expect(await inHostileFolder([qemu, outfile], env)).toBe(`iddio ${NEW_VERSION}\n`);
});

withPrograms(
  ["shellcheck"],
  "install.sh passes shellcheck as a POSIX script, and holds the project's key",
  async ([shellcheck = ""]) => {
    const path = join(PROJECT_ROOT, "install.sh");
    expect(await succeed(shellcheck, ["--shell=sh", path])).toBe("");
    const key = readFileSync(join(PROJECT_ROOT, "packaging/iddio-release.pub"), "utf8")
      .trim()
      .split("\n")
      .at(-1);
    expect(readFileSync(path, "utf8")).toContain(`\nPUBLIC_KEY=${key}\n`);
  },
);
