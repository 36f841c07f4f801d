// Atomic writes, the state directory's modes and owner, and the paths of all files.

import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../src/model/user-error.ts";
import { ensureStateDirectory, writeFileAtomic } from "../../src/state/files.ts";
import { statePaths, systemStatePaths } from "../../src/state/paths.ts";

const root = mkdtempSync(join(tmpdir(), "iddio-files-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const place = () => join(root, String(++count));

describe("paths", () => {
  const cases: [string, Record<string, string>, string, string][] = [
    ["IDDIO_HOME", { IDDIO_HOME: "/x/y", HOME: "/home/u" }, "/x/y", "/x/y"],
    ["HOME", { HOME: "/home/u" }, "/home/u/.iddio", "/home/u/.iddio"],
    ["an empty IDDIO_HOME", { IDDIO_HOME: "", HOME: "/home/u" }, "/home/u/.iddio", "/home/u/.iddio"],
    ["no HOME", {}, join(homedir(), ".iddio"), join(homedir(), ".iddio")],
    [
      "a relative IDDIO_HOME",
      { IDDIO_HOME: "here" },
      join(process.cwd(), "here"),
      join(process.cwd(), "here"),
    ],
    ["IDDIO_CONFIG", { IDDIO_HOME: "/x", IDDIO_CONFIG: "/etc/iddio" }, "/x", "/etc/iddio"],
  ];
  for (const [what, env, state, config] of cases)
    test(`follow ${what}`, () => {
      const paths = statePaths(env);
      expect(paths.root).toBe(state);
      expect(paths.caKey).toBe(join(state, "ca.key"));
      expect(paths.policy).toBe(join(config, "policy.yaml"));
      for (const path of Object.values(paths)) expect(path).toStartWith("/");
    });

  test("of a system install are those of the manual", () => {
    expect(systemStatePaths().audit).toBe("/var/lib/iddio/audit.jsonl");
    expect(systemStatePaths().settings).toBe("/etc/iddio/settings.yaml");
  });
});

describe("an atomic write", () => {
  test("creates the file 0600 unless told otherwise, whatever the umask", async () => {
    const before = process.umask(0o077);
    try {
      const [secret, open] = [place(), place()];
      await writeFileAtomic(secret, "a");
      await writeFileAtomic(open, "b", 0o644);
      expect(statSync(secret).mode & 0o777).toBe(0o600);
      expect(statSync(open).mode & 0o777).toBe(0o644);
    } finally {
      process.umask(before);
    }
  });

  test("replaces the whole and leaves nothing beside it", async () => {
    const directory = place();
    mkdirSync(directory);
    const path = join(directory, "f");
    writeFileSync(path, "something longer");
    await writeFileAtomic(path, new Uint8Array([104, 105]));
    expect(readFileSync(path, "utf8")).toBe("hi");
    expect(readdirSync(directory)).toEqual(["f"]);
  });

  test("keeps a symbolic link and replaces what it points to", async () => {
    const [real, link] = [place(), place()];
    writeFileSync(real, "old");
    symlinkSync(real, link);
    await writeFileAtomic(link, "new");
    expect(readlinkSync(link)).toBe(real);
    expect(readFileSync(real, "utf8")).toBe("new");
  });

  test("that fails leaves the old content and no temporary file", async () => {
    const directory = place();
    mkdirSync(directory);
    mkdirSync(join(directory, "f", "g"), { recursive: true }); // a directory cannot be replaced by a file
    await expect(writeFileAtomic(join(directory, "f"), "x")).rejects.toThrow();
    expect(readdirSync(directory)).toEqual(["f"]);
  });

  test("of many at once ends with one of them whole", async () => {
    const path = place();
    const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(5000));
    await Promise.all(texts.map((text) => writeFileAtomic(path, text)));
    expect(texts).toContain(readFileSync(path, "utf8"));
  });
});

describe("the state directory", () => {
  test("is made with its parents, 0700", async () => {
    const paths = statePaths({ IDDIO_HOME: join(place(), "a", "b") });
    await ensureStateDirectory(paths);
    expect(statSync(paths.root).mode & 0o777).toBe(0o700);
  });

  test("is closed to others when it was open to them", async () => {
    const paths = statePaths({ IDDIO_HOME: place() });
    mkdirSync(paths.root);
    chmodSync(paths.root, 0o755);
    await ensureStateDirectory(paths);
    expect(statSync(paths.root).mode & 0o777).toBe(0o700);
  });

  test("may be reached through a symbolic link", async () => {
    const [real, link] = [place(), place()];
    mkdirSync(real);
    symlinkSync(real, link);
    await ensureStateDirectory(statePaths({ IDDIO_HOME: link }));
    expect(statSync(real).mode & 0o777).toBe(0o700);
  });

  const bad: [string, (path: string) => void, RegExp][] = [
    ["is a file", (path) => writeFileSync(path, ""), /is not a directory/],
    [
      "is a dangling link",
      (path) => symlinkSync("/nonexistent/iddio", path),
      /cannot use the state directory/,
    ],
  ];
  for (const [what, make, wanted] of bad)
    test(`that ${what} is an error that says what to do`, async () => {
      const path = place();
      make(path);
      const error = await ensureStateDirectory(statePaths({ IDDIO_HOME: path })).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).message).toMatch(wanted);
      expect((error as UserError).message).toContain(path);
      expect((error as UserError).hint).toContain("IDDIO_HOME");
    });

  test("below a file is an error that says what to do", async () => {
    const file = place();
    writeFileSync(file, "");
    const error = await ensureStateDirectory(statePaths({ IDDIO_HOME: join(file, "x") })).catch(
      (e: unknown) => e,
    );
    expect((error as UserError).message).toContain("a part of the path is not a directory");
  });

  test("of another user is refused", async () => {
    if (process.getuid?.() !== 0) {
      process.stderr.write("not root: a directory of another user cannot be made\n");
      return;
    }
    const path = place();
    mkdirSync(path);
    const { chownSync } = await import("node:fs");
    chownSync(path, 65534, 65534);
    const error = await ensureStateDirectory(statePaths({ IDDIO_HOME: path })).catch(
      (thrown: unknown) => thrown,
    );
    expect((error as UserError).message).toContain("belongs to user 65534, not to you (user 0)");
  });
});
