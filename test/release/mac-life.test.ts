// The life of an installation on macOS, typed as a person types it: the compiled program, made for
// this system, asks stand-ins for launchctl (which drains) and security (which opens windows).
// After each step one daemon runs and the bundle is whole, also once the keychain trusts iddio's
// own CA; at the end nothing is left.

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as tls from "node:tls";
import { pemCertificates } from "../../src/text/pem-certificates.ts";
import { placeProgram } from "../support/built-binary.ts";
import { runClient } from "../support/clients.ts";
import { eventually } from "../support/eventually.ts";
import { type InstalledHome, installedHome } from "../support/installed-home.ts";
import { NEW_VERSION, OLD_VERSION, sharedReleaseHost } from "../support/release/release-host.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const LIMIT_MS = 10 * 60_000;
const STAND_INS = join(PROJECT_ROOT, "test/support/system");
const MAC_STAND_INS = `${join(PROJECT_ROOT, "test/support/system-mac")}:${STAND_INS}`;
const APPLE = tls.rootCertificates.flatMap(pemCertificates);

interface Mac extends AsyncDisposable {
  readonly at: InstalledHome;
  /** A file of the keychains' stand-in. */
  keychains(name: string): string;
  /** Arguments of every call of security that was to change something. */
  changes(): readonly string[];
  launchctl(...args: readonly string[]): Promise<number>;
  /** The daemon that answers, which is also launchd's, with a bundle that lacks nothing. */
  whole(): Promise<number>;
}

async function mac(program?: string, more: Readonly<Record<string, string>> = {}): Promise<Mac> {
  const directory = await temporaryDirectory();
  const [launchd, keychains] = [join(directory.path, "launchd"), join(directory.path, "keychains")];
  for (const folder of [launchd, keychains]) await mkdir(folder);
  await writeFile(join(keychains, "apple"), `${APPLE.join("\n")}\n`);
  const at = await installedHome({
    ...(program === undefined ? {} : { program }),
    env: {
      IDDIO_TEST_TOOLS: MAC_STAND_INS,
      IDDIO_TEST_PLATFORM: "darwin",
      FAKE_LAUNCHD: launchd,
      FAKE_KEYCHAINS: keychains,
      ...more,
    },
  });
  const launchctl = async (...args: readonly string[]) =>
    (await runClient(join(STAND_INS, "launchctl"), args, { env: at.env })).code;
  const read = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : "");
  return {
    at,
    keychains: (name) => join(keychains, name),
    changes: () =>
      read(join(keychains, "calls"))
        .split("\n")
        .filter((call) => /^(?:add|remove|delete)-/.test(call))
        .map((call) => call.split(" ", 1)[0] ?? ""),
    launchctl,
    async whole() {
      const { pid } = await at.control.call("status", {});
      expect(read(join(launchd, "pid")).trim()).toBe(String(pid));
      const held = pemCertificates(readFileSync(join(at.state, "ca-bundle.pem"), "utf8"));
      expect(held.length).toBe(APPLE.length + 1);
      return pid;
    },
    async [Symbol.asyncDispose]() {
      await at.iddio(["uninstall", "--yes"]);
      for (const name of ["supervisor", "pid"]) {
        const left = Number(read(join(launchd, name)));
        if (left > 0) process.kill(left, "SIGKILL");
      }
      await at[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

const AGENT = `gui/${process.getuid?.()}/dev.iddio.daemon`;

test.concurrent(
  "install, restart, a changed list, upgrade and uninstall",
  async () => {
    if (process.platform !== "linux")
      return void process.stderr.write("a Mac needs no stand-ins for itself\n");
    const host = await sharedReleaseHost();
    await using directory = await temporaryDirectory();
    const program = join(directory.path, "iddio");
    placeProgram(program, host.oldProgram);
    await using machine = await mac(program, { NODE_EXTRA_CA_CERTS: host.caPath });
    const { at, whole } = machine;
    await appendFile(join(at.state, "settings.yaml"), `update_feed: ${host.feed("good")}\n`);
    await writeFile(machine.keychains("dialog"), "2");

    const installed = await at.iddio(["install"]);
    expect([installed.code, installed.stderr]).toEqual([0, expect.stringContaining("in a window")]);
    expect(installed.stdout).toContain("the keychain: trusted");
    expect(machine.changes()).toEqual(["add-trusted-cert"]);
    const first = await whole();
    expect(await at.succeed(["ca", "info"])).toMatch(/\btrusted\b/);

    // The keychain trusts iddio's CA by now: what a restart makes of the roots must still be Apple's.
    expect(await machine.launchctl("kickstart", "-k", AGENT)).toBe(0);
    await eventually(
      async () => (await at.control.call("status", {}).catch(() => undefined))?.pid,
      (pid) => pid !== undefined && pid !== first,
      60_000,
    );
    const second = await whole();

    const plist = join(at.home, "Library/LaunchAgents/dev.iddio.daemon.plist");
    await appendFile(plist, "<!-- changed -->\n");
    await at.succeed(["install"]);
    const third = await whole();
    expect(third).not.toBe(second);
    // A trusted certificate is not asked for again.
    expect(machine.changes()).toEqual(["add-trusted-cert"]);

    expect((await at.control.call("status", {})).build_version).toBe(OLD_VERSION);
    expect(await at.succeed(["upgrade"])).toContain("restarted the daemon");
    expect((await at.control.call("status", {})).build_version).toBe(NEW_VERSION);
    expect(await whole()).not.toBe(third);
    // No daemon ever met the lock of another.
    expect(readFileSync(join(at.state, "daemon.stderr.log"), "utf8")).not.toContain("another iddio daemon");

    const { findings } = JSON.parse((await at.iddio(["doctor", "--json"])).stdout) as {
      findings: readonly { readonly check: string; readonly verdict: string; readonly detail: string }[];
    };
    expect(findings.filter(({ verdict }) => verdict === "fail")).toEqual([]);
    expect(findings.map(({ check }) => check)).toContain("local network");

    const said = await at.iddio(["uninstall", "--yes"]);
    expect([said.code, said.stdout]).toEqual([0, expect.stringContaining("the keychain: no longer trusted")]);
    expect(machine.changes()).toEqual(["add-trusted-cert", "remove-trusted-cert", "delete-certificate"]);
    expect(await machine.launchctl("print", AGENT)).toBe(113);
    expect(existsSync(plist)).toBe(false);
    expect(existsSync(machine.keychains("system"))).toBe(false);
    expect((await at.iddio(["uninstall", "--yes"])).code).toBe(0);
    expect(machine.changes().length).toBe(3);
  },
  LIMIT_MS,
);

test.concurrent(
  "with nobody at the screen: install ends well in the user's domain, and uninstall asks for nothing",
  async () => {
    if (process.platform !== "linux")
      return void process.stderr.write("a Mac needs no stand-ins for itself\n");
    await using machine = await mac();
    const { at } = machine;
    await writeFile(join(at.env.FAKE_LAUNCHD ?? "", "no-gui"), "125");
    await writeFile(machine.keychains("no-screen"), "");
    const { code, stdout, stderr } = await at.iddio(["install"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("not trusted: ")]);
    expect(stderr).toContain("iddio repair --trust-ca");
    expect(stderr).toContain("not when the Mac boots");
    await machine.whole();
    expect(await machine.launchctl("print", AGENT.replace("gui/", "user/"))).toBe(0);
    expect(await at.succeed(["ca", "info"])).toMatch(/\buntrusted\b/);
    const before = machine.changes();
    expect((await at.iddio(["uninstall", "--yes"])).code).toBe(0);
    expect(machine.changes()).toEqual(before);
    expect(await machine.launchctl("print", AGENT.replace("gui/", "user/"))).toBe(113);
  },
  LIMIT_MS,
);
