// A hook goes into an agent's settings file and out again: comments and layout stay, a second time
// changes nothing, and afterwards the file is what it was.

import { expect, test } from "bun:test";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { installedCommands, installHook, uninstallHook } from "../../../src/features/hooks/hook-file.ts";
import { hookPlace } from "../../../src/host/agents/hook-place.ts";
import { AGENT_NAMES, type AgentName } from "../../../src/model/agent-name.ts";
import { builtBinary } from "../../support/built-binary.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const PROGRAM = ["/opt/my tools/iddio"];

const FILES: readonly string[] = [
  "{}",
  "{ }\n",
  '{\n  // mine\n  "model": "x", // why\n  "hooks": {}\n}\n',
  '{\r\n\t"hooks": {\r\n\t\t"PreToolUse": [ { "matcher": "Edit", "hooks": [ { "type": "command", "command": "lint" } ] } ]\r\n\t}\r\n}',
  '{"hooks":{"BeforeTool":[],"PreToolUse":[],"beforeShellExecution":[{"command":"other"}]},"version":1}',
];

async function fresh(agent: AgentName, before: string | undefined) {
  const home = await temporaryDirectory();
  const place = hookPlace(agent, PROGRAM, { HOME: home.path });
  if (before !== undefined) {
    await mkdir(dirname(place.path), { recursive: true });
    await writeFile(place.path, before, { mode: 0o640 });
  }
  return { home, place, keep: join(home.path, ".iddio", "hooks"), text: () => readFile(place.path, "utf8") };
}

for (const agent of AGENT_NAMES)
  for (const before of [undefined, ...FILES]) {
    const isOwn = hookPlace(agent, PROGRAM, {}).own !== undefined;
    if (isOwn && before !== undefined) continue;
    test(`${agent}: into ${before === undefined ? "no file" : JSON.stringify(before.slice(0, 40))} and out again`, async () => {
      const { home, place, keep, text } = await fresh(agent, before);
      await using _ = home;
      expect(await installHook(agent, place, keep)).toBe(true);
      const after = await text();
      expect(await installedCommands(agent, place)).toHaveLength(1);
      for (const comment of before?.match(/\/\/.*/g) ?? []) expect(after).toContain(comment);
      expect(await installHook(agent, place, keep)).toBe(false);
      expect(await text()).toBe(after);
      expect(await uninstallHook(agent, place, keep)).toBe(true);
      expect(await Bun.file(place.path).exists()).toBe(before !== undefined);
      if (before !== undefined) expect(await text()).toBe(before);
      else
        expect(
          (await Array.fromAsync(new Bun.Glob("*").scan({ cwd: home.path, onlyFiles: false }))).length,
        ).toBe(0);
      expect(await uninstallHook(agent, place, keep)).toBe(false);
    });
  }

test("what others have added since stays, with their comments", async () => {
  const { home, place, keep, text } = await fresh("claude", '{\n  // one\n  "model": "x"\n}\n');
  await using _ = home;
  await installHook("claude", place, keep);
  await writeFile(place.path, (await text()).replace('"model": "x"', '"model": "y", // two'));
  await uninstallHook("claude", place, keep);
  const after = await text();
  expect(after).toContain("// one");
  expect(after).toContain('"model": "y"');
  expect(after).not.toContain("iddio");
});

test("a hook of a program in another place is replaced, not added to", async () => {
  const { home, place, keep } = await fresh("cursor", undefined);
  await using _ = home;
  await installHook("cursor", hookPlace("cursor", ["/old/iddio"], { HOME: home.path }), keep);
  await installHook("cursor", place, keep);
  expect(await installedCommands("cursor", place)).toEqual(["'/opt/my tools/iddio' hook cursor"]);
});

test("a file that is not JSON is left as it is", async () => {
  const { home, place, keep, text } = await fresh("claude", "{ oops");
  await using _ = home;
  expect(installHook("claude", place, keep)).rejects.toThrow("is not a JSON object");
  expect(await text()).toBe("{ oops");
});

test("the compiled program installs, examines and uninstalls", async () => {
  await using home = await temporaryDirectory();
  const env = { HOME: home.path, IDDIO_HOME: join(home.path, "state"), PATH: process.env.PATH ?? "" };
  const run = (...args: string[]) => Bun.spawnSync([builtBinary(), ...args], { env });
  for (const agent of AGENT_NAMES) {
    const installed = run("hooks", "install", agent);
    expect({ agent, code: installed.exitCode, err: installed.stderr.toString() }).toMatchObject({
      agent,
      code: 0,
    });
  }
  const doctor = run("hooks", "doctor", "--json");
  const found = JSON.parse(doctor.stdout.toString()) as {
    agent: string;
    installed: string;
    checks: { isOk: boolean; saw: string }[];
  }[];
  expect(found.map(({ agent, installed }) => [agent, installed])).toEqual(
    AGENT_NAMES.map((agent) => [agent, "yes"]),
  );
  expect(found.flatMap(({ checks }) => checks.filter(({ isOk }) => !isOk))).toEqual([]);
  expect(doctor.exitCode).toBe(0);
  for (const agent of AGENT_NAMES) expect(run("hooks", "uninstall", agent).exitCode).toBe(0);
}, 120_000);
