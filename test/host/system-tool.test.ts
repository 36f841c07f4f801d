// Programs of the system are found in the system's folders and nowhere else, and only where root
// alone can change them.

import { expect, test } from "bun:test";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { programEnvironment } from "../../src/host/process/environment.ts";
import { findOnPath, runTool } from "../../src/host/process/run-tool.ts";
import { findSystemTool, isRootsAlone } from "../../src/host/process/system-tool.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

test("PATH is not asked, and a missing program says where it was looked for", async () => {
  await using directory = await temporaryDirectory();
  for (const name of ["ls", "iddio-made-up"]) {
    await writeFile(join(directory.path, name), "#!/bin/sh\necho hostile\n");
    await chmod(join(directory.path, name), 0o755);
  }
  const env = { PATH: directory.path };
  expect(findSystemTool("ls", env)).toMatch(/^\/(?:usr\/)?bin\/ls$/);
  expect(findSystemTool("../tmp/x", env)).toBeUndefined();
  const { code, stderr } = await runTool(["iddio-made-up"], { env });
  expect([code, stderr]).toEqual([127, expect.stringContaining("/usr/bin")]);
});

test("a program of the system gets a short environment and starts in the root", async () => {
  const env = {
    HOME: "/h",
    PATH: "/hostile",
    LD_LIBRARY_PATH: "/hostile",
    BASH_ENV: "/hostile",
    GIT_DIR: "/x",
  };
  const { stdout } = await runTool(["env"], { env });
  expect(stdout).toContain("HOME=/h\n");
  expect(stdout).not.toContain("hostile");
  expect(stdout).not.toContain("GIT_DIR");
  expect((await runTool(["pwd"], { env })).stdout).toBe("/\n");
});

test("what others may change is no program of the system", async () => {
  expect(isRootsAlone("/usr/bin/env")).toBe(true);
  expect(isRootsAlone("/etc/passwd")).toBe(false);
  expect(isRootsAlone("/nowhere")).toBe(false);
  await using directory = await temporaryDirectory();
  const open = join(directory.path, "open");
  await mkdir(open);
  const program = join(open, "tool");
  await writeFile(program, "#!/bin/sh\n");
  await chmod(program, 0o755);
  await chmod(open, 0o777);
  expect(isRootsAlone(program)).toBe(false);
  const link = join(directory.path, "link");
  await symlink(program, link);
  expect(isRootsAlone(link)).toBe(false);
});

test("entries of PATH that depend on the working directory find nothing", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "client");
  await writeFile(path, "#!/bin/sh\n");
  await chmod(path, 0o755);
  expect(findOnPath("client", { PATH: directory.path })).toBe(path);
  expect(findOnPath("package.json", { PATH: ".::node_modules/.bin" })).toBeUndefined();
});

test("another copy of the program inherits nothing that makes it something else", () => {
  const env = {
    HOME: "/h",
    BUN_BE_BUN: "1",
    BUN_OPTIONS: "--preload=x",
    NODE_OPTIONS: "-r x",
    LD_PRELOAD: "x",
  };
  expect(programEnvironment(env)).toEqual({ HOME: "/h" });
});
