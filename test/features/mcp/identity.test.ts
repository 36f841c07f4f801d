// Who a server on this machine is: the code that will run, and whatever decides which code that is.
// Code that cannot be pinned is said not to be.

import { describe, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { innermost } from "../../../src/features/mcp/install/wrapped.ts";
import { identityOf } from "../../../src/features/mcp/stdio/identity.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const PATH = process.env.PATH ?? "";

test("the script of an interpreter is what counts, and a program by its own octets", async () => {
  await using folder = await temporaryDirectory();
  const script = join(folder.path, "server.js");
  await writeFile(script, "one");
  const one = await identityOf("node", [script], { PATH });
  await writeFile(script, "two");
  const two = await identityOf("node", [script], { PATH });
  expect("code_sha256" in one).toBe(true);
  expect(two).not.toEqual(one);
  const program = join(folder.path, "server");
  await writeFile(program, "one", { mode: 0o755 });
  const before = await identityOf("server", [], { PATH: `${folder.path}:${PATH}` });
  await writeFile(program, "two");
  expect(await identityOf("server", [], { PATH: `${folder.path}:${PATH}` })).not.toEqual(before);
  // Another program of this name that is found first.
  const first = join(folder.path, "first");
  await mkdir(first);
  await writeFile(join(first, "server"), "three", { mode: 0o755 });
  expect(await identityOf("server", [], { PATH: `${first}:${folder.path}` })).not.toEqual(
    await identityOf("server", [], { PATH: folder.path }),
  );
});

describe("a variable that decides which code runs is part of the identity:", () => {
  const rows: readonly {
    readonly command: string;
    readonly env: Readonly<Record<string, string>>;
    readonly is?: readonly string[];
  }[] = [
    {
      command: "node",
      env: { NODE_OPTIONS: "--require /tmp/evil.js" },
      is: ["NODE_OPTIONS=--require /tmp/evil.js"],
    },
    { command: "node", env: { LD_PRELOAD: "/tmp/evil.so" }, is: ["LD_PRELOAD=/tmp/evil.so"] },
    { command: "python3", env: { PYTHONPATH: "/tmp/evil" }, is: ["PYTHONPATH=/tmp/evil"] },
    {
      command: "sh",
      env: { BASH_ENV: "/tmp/evil", ENV: "/tmp/evil" },
      is: ["BASH_ENV=/tmp/evil", "ENV=/tmp/evil"],
    },
    {
      command: "npx",
      env: { npm_config_registry: "https://evil.example" },
      is: ["npm_config_registry=https://evil.example"],
    },
    {
      command: "uvx",
      env: { UV_DEFAULT_INDEX: "https://u:p@evil.example" },
      is: [expect.stringMatching(/^UV_DEFAULT_INDEX=sha256 [0-9a-f]{64}$/)],
    },
    { command: "node", env: { npm_config_registry: "https://evil.example" } },
    { command: "node", env: { HOME: "/x", API_TOKEN: "secret", LANG: "C" } },
    // The image of a client has another folder each time that it is started.
    { command: "node", env: { LD_LIBRARY_PATH: "/tmp/.mount_CursorAbc/usr/lib:/tmp/.mount_CursorAbc/lib" } },
    {
      command: "node",
      env: { LD_LIBRARY_PATH: "/tmp/.mount_X/lib:/tmp/evil" },
      is: ["LD_LIBRARY_PATH=/tmp/evil"],
    },
  ];
  for (const { command, env, is } of rows)
    test(`${command} with ${JSON.stringify(env)}`, async () => {
      const identity = await identityOf(command, [], { PATH, ...env });
      expect(identity).toMatchObject({ kind: "stdio" });
      expect("env" in identity ? identity.env : undefined).toEqual(is as never);
    });
});

test("the code behind a program that only starts another one is not said to be pinned", async () => {
  for (const [command, ...args] of [
    ["nice", "node", "server.js"],
    ["timeout", "60", "server"],
    ["npx", "-y", "server@1.2.3"],
    ["uvx", "server"],
    ["docker", "run", "server"],
    ["sudo", "server"],
    ["op", "run", "--", "server"],
    ["/usr/local/bin/iddio", "run", "--", "server"],
    ["env", "A=b", "server"],
  ]) {
    const identity = await identityOf(command ?? "", args, { PATH });
    expect([command, identity]).toEqual([command, expect.objectContaining({ unpinned: expect.any(String) })]);
    expect("code_sha256" in identity).toBe(false);
  }
});

describe("a command line that is behind iddio already is", () => {
  const rows: readonly { readonly line: string; readonly is?: string; readonly isSandboxed?: boolean }[] = [
    { line: "iddio mcp run --name a -- node server.js", is: "node server.js" },
    { line: "/usr/bin/iddio mcp run -- server --flag", is: "server --flag" },
    { line: "iddio mcp run --sandbox --name=a -- server", is: "server", isSandboxed: true },
    { line: "iddio mcp run -- iddio mcp run --sandbox -- server", is: "server", isSandboxed: true },
    { line: "bun src/main.ts mcp run --name a -- server", is: "server" },
    { line: "iddio mcp run --name a" },
    { line: "iddio mcp run --name a --" },
    { line: "iddio run -- server" },
    { line: "node mcp run -- server" },
    { line: "server -- iddio mcp run" },
  ];
  for (const { line, is, isSandboxed = false } of rows)
    test(`${line}: ${is ?? "no such"}`, () => {
      const found = innermost(line.split(" "));
      expect(found).toEqual(is === undefined ? undefined : { command: is.split(" "), isSandboxed });
    });
});
