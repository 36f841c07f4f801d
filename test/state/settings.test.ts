// settings.yaml: what each setting takes, what is said about what it does not take, and hot reload.

import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../src/model/user-error.ts";
import { type StatePaths, statePaths } from "../../src/state/paths.ts";
import {
  DEFAULT_SETTINGS,
  editSettings,
  parseSettings,
  SETTING_NAMES,
  type SettingName,
} from "../../src/state/settings/settings.ts";
import { type SettingsChange, SettingsStore } from "../../src/state/settings/settings-store.ts";

const root = mkdtempSync(join(tmpdir(), "iddio-settings-"));
const stores: SettingsStore[] = [];
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("a setting takes", () => {
  const good: [SettingName, string, unknown][] = [
    ["proxy_listen", "0.0.0.0:0", "0.0.0.0:0"],
    ["proxy_listen", '"[::1]:9443"', "[::1]:9443"],
    ["proxy_listen", "localhost:8080", "localhost:8080"],
    ["log_level", "debug", "debug"],
    ["default_mode", "observe", "observe"],
    ["default_mode", "off", "off"],
    ["default_mode", "false", "off"],
    ["telemetry_opt_in", "true", true],
    ["telemetry_opt_in", '"false"', false],
    ["approval_timeout", "5m", "5m"],
    ["approval_timeout", "1h30m", "1h30m"],
    ["audit_passthrough", "off", "off"],
    ["detector", "generic", "generic"],
    ["detector_ttl", "90s", "90s"],
    ["classify_body_limit", "1MiB", 1_048_576],
    ["classify_body_limit", "512 KiB", 524_288],
    ["classify_body_limit", "65536", 65_536],
    ["classify_body_limit", "2MB", 2_000_000],
    ["classify_body_limit", "0", 0],
    ["audit_failure", "open", "open"],
    ["upstream_proxy", "http://user:pw@proxy.corp:3128", "http://user:pw@proxy.corp:3128"],
    ["upstream_proxy", '""', ""],
    ["upstream_proxy", "", ""],
    ["upstream_no_proxy", ".corp, 10.0.0.0/8", ".corp,10.0.0.0/8"],
    ["upstream_no_proxy", "[a.corp, b.corp]", "a.corp,b.corp"],
    ["approval_guard", "off", "off"],
  ];
  for (const [name, written, value] of good)
    test(`${name}: ${written}`, () => {
      expect(parseSettings(`${name}: ${written}\n`)).toEqual({
        settings: { ...DEFAULT_SETTINGS, [name]: value } as never,
      });
    });
});

describe("a setting refuses, and says what it takes,", () => {
  const bad: [SettingName, string, RegExp][] = [
    ["proxy_listen", "9443", /an address and port such as 127\.0\.0\.1:9443, not 9443/],
    ["proxy_listen", "127.0.0.1:70000", /an address and port/],
    ["proxy_listen", "::1:9443", /an address and port/],
    ["log_level", "verbose", /one of debug, info, warn, error, not 'verbose'/],
    ["default_mode", "on", /one of off, passthrough, observe, enforce/],
    ["telemetry_opt_in", "maybe", /true or false/],
    ["approval_timeout", "30", /a duration such as 30s/],
    ["approval_timeout", "0s", /a duration/],
    ["approval_timeout", "-5s", /a duration/],
    ["approval_timeout", "", /a duration .*not null/],
    ["classify_body_limit", "1GiB", /at most 64MiB/],
    ["classify_body_limit", "65MiB", /at most 64MiB/],
    ["classify_body_limit", "-1", /a size/],
    ["classify_body_limit", "1.5", /a size/],
    ["audit_failure", "[open]", /one of closed, open, not \["open"\]/],
    ["upstream_proxy", "proxy.corp:3128", /a URL such as/],
    ["upstream_proxy", "socks5://proxy.corp", /a URL such as/],
    ["upstream_proxy", "http://proxy.corp/path", /a URL such as/],
    ["upstream_no_proxy", "7", /hosts separated by commas/],
    ["approval_guard", "on", /one of off, session, totp, passkey/],
  ];
  for (const [name, written, wanted] of bad)
    test(`${name}: ${written}`, () => {
      const parsed = parseSettings(`${name}: ${written}\n`);
      expect("problems" in parsed && parsed.problems).toEqual([expect.stringMatching(wanted)]);
    });
});

describe("a document", () => {
  for (const text of ["", "\n", "# nothing\n", "---\n", "{}\n"])
    test(`${JSON.stringify(text)} is the defaults`, () => {
      expect(parseSettings(text)).toEqual({ settings: DEFAULT_SETTINGS });
    });

  const bad: [string, string, number][] = [
    ["with several mistakes reports them all", "log_level: x\ndetector: y\nno_such: 1\n__proto__: 1\n", 4],
    ["with a key twice", "log_level: info\nlog_level: warn\n", 1],
    ["that is a list", "- a\n", 1],
    ["that is not YAML", "a: [\n", 1],
    ["that is huge", "#".repeat(70_000), 1],
  ];
  for (const [what, text, count] of bad)
    test(`${what} does not load`, () => {
      const parsed = parseSettings(text);
      expect("problems" in parsed && parsed.problems.length).toBe(count);
    });

  test("names what is known when a name is not", () => {
    const parsed = parseSettings("proxy_listn: 1\n");
    for (const name of SETTING_NAMES) expect(JSON.stringify(parsed)).toContain(name);
  });

  test("keeps comments and layout when one setting is edited", () => {
    const text = "# mine\nlog_level: info # why\n\n# second\ndetector_ttl: 2h\n";
    expect(editSettings(text, "log_level", "debug")).toBe(text.replace("info", "debug"));
    expect(editSettings(text, "audit_failure", "open")).toBe(`${text}audit_failure: open\n`);
    expect(editSettings("", "audit_failure", "open")).toBe("audit_failure: open\n");
  });
});

describe("the store", () => {
  async function opened(
    text?: string,
  ): Promise<{ store: SettingsStore; paths: StatePaths; changes: SettingsChange[] }> {
    const paths = statePaths({ IDDIO_HOME: mkdtempSync(join(root, "home-")) });
    if (text !== undefined) writeFileSync(paths.settings, text);
    const store = await SettingsStore.open(paths);
    stores.push(store);
    const changes: SettingsChange[] = [];
    store.onChange((change) => changes.push(change));
    return { store, paths, changes };
  }
  const next = (store: SettingsStore) => new Promise<SettingsChange>((resolve) => store.onChange(resolve));

  test("has defaults for everything when there is no file", async () => {
    expect((await opened()).store.current).toEqual(DEFAULT_SETTINGS);
  });

  test("does not start with a file that is wrong", async () => {
    const error = await opened("log_level: x\ndetector: y\n").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(
      /settings\.yaml': line 1: 'log_level' must .*; line 2: 'detector' must /,
    );
    expect((error as UserError).hint).toContain("correct the file");
  });

  test("sees an edit, keeps the last good one, and sees that it was repaired", async () => {
    const { store, paths, changes } = await opened("log_level: warn\n");
    let change = next(store);
    writeFileSync(paths.settings, "log_level: debug\n");
    await change;
    expect(store.current.log_level).toBe("debug");
    change = next(store);
    writeFileSync(paths.settings, "log_level: nonsense\n");
    await change;
    expect(store.current.log_level).toBe("debug");
    expect(store.reloadProblem).toContain("log_level");
    change = next(store);
    writeFileSync(paths.settings, "log_level: debug\n");
    await change;
    expect(store.reloadProblem).toBeUndefined();
    expect(changes.map(({ kind }) => kind)).toEqual(["loaded", "failed", "loaded"]);
  });

  test("writes one setting, for the owner only, and it holds at once", async () => {
    const { store, paths, changes } = await opened();
    const settings = await store.set("approval_timeout", "2m");
    expect(settings.approval_timeout).toBe("2m");
    await store.set("telemetry_opt_in", "true");
    expect(readFileSync(paths.settings, "utf8")).toBe("approval_timeout: 2m\ntelemetry_opt_in: true\n");
    expect(statSync(paths.settings).mode & 0o777).toBe(0o600);
    expect(changes).toHaveLength(2);
  });

  test("refuses wrong names and values and leaves the file alone", async () => {
    const { store, paths } = await opened("log_level: warn\n");
    for (const [name, value] of [
      ["nope", 1],
      ["log_level", "loud"],
      ["toString", "x"],
    ] as const) {
      const error = await store.set(name, value).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).exitCode).toBe(2);
    }
    expect(readFileSync(paths.settings, "utf8")).toBe("log_level: warn\n");
  });

  test("does not write over a file that is being repaired", async () => {
    const { store, paths } = await opened("log_level: warn\n");
    writeFileSync(paths.settings, "log_level: [\n");
    await expect(store.set("log_level", "debug")).rejects.toThrow("cannot load");
    expect(readFileSync(paths.settings, "utf8")).toBe("log_level: [\n");
  });
});
