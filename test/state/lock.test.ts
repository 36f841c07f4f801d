// One daemon per directory, whatever happened to the one before.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../src/model/user-error.ts";
import { acquireDaemonLock } from "../../src/state/lock.ts";
import { statePaths } from "../../src/state/paths.ts";

const root = mkdtempSync(join(tmpdir(), "iddio-lock-"));
const children: Bun.Subprocess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true });
});
const fresh = () => statePaths({ IDDIO_HOME: mkdtempSync(join(root, "home-")) });

const HOLDER = `
import { acquireDaemonLock } from ${JSON.stringify(join(import.meta.dir, "../../src/state/lock.ts"))};
import { statePaths } from ${JSON.stringify(join(import.meta.dir, "../../src/state/paths.ts"))};
try {
  acquireDaemonLock(statePaths(process.env));
  console.log("held");
  setInterval(() => {}, 1000);
} catch (error) {
  console.log(error.message);
}
`;

async function startHolder(home: string) {
  const child = Bun.spawn([process.execPath, "-e", HOLDER], {
    env: { ...process.env, IDDIO_HOME: home },
    stdout: "pipe",
    stderr: "inherit",
  });
  children.push(child);
  const { value } = await child.stdout.getReader().read();
  return { child, said: new TextDecoder().decode(value).trim() };
}

function refusal(run: () => unknown): UserError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  }
  throw new Error("it was not refused");
}

describe("the daemon's lock", () => {
  test("is refused to a second process, with the pid of the first", async () => {
    const paths = fresh();
    const { child, said } = await startHolder(paths.root);
    expect(said).toBe("held");
    const error = refusal(() => acquireDaemonLock(paths));
    expect(error.message).toBe(`another iddio daemon (pid ${child.pid}) is running on '${paths.root}'`);
    expect(error.hint).toContain("stop it first");
    child.kill();
    await child.exited;
  });

  test("is free again at once when its holder is killed with -9", async () => {
    const paths = fresh();
    const { child } = await startHolder(paths.root);
    child.kill("SIGKILL");
    await child.exited;
    acquireDaemonLock(paths)[Symbol.dispose]();
  });

  test("is free again when disposed, and can be taken again", async () => {
    const paths = fresh();
    for (let round = 0; round < 3; round++) {
      using _held = acquireDaemonLock(paths);
      expect(refusal(() => acquireDaemonLock(paths)).message).toContain(`(pid ${process.pid})`);
    }
    const { child, said } = await startHolder(paths.root);
    expect(said).toBe("held");
    child.kill("SIGKILL");
    await child.exited;
  });

  test("goes to exactly one of many that start at the same moment", async () => {
    const paths = fresh();
    const all = await Promise.all(Array.from({ length: 6 }, () => startHolder(paths.root)));
    const said = all.map((each) => each.said);
    expect(said.filter((each) => each === "held")).toHaveLength(1);
    for (const each of said.filter((text) => text !== "held")) expect(each).toMatch(/^another iddio daemon/);
    for (const { child } of all) child.kill("SIGKILL");
    await Promise.all(all.map(({ child }) => child.exited));
  });

  test("of one directory does not concern another", () => {
    using _a = acquireDaemonLock(fresh());
    using _b = acquireDaemonLock(fresh());
  });

  test("is a file for the owner only", () => {
    const paths = fresh();
    using _held = acquireDaemonLock(paths);
    expect(statSync(paths.lock).mode & 0o777).toBe(0o600);
  });

  test("on a file that is something else says which file to remove", () => {
    const paths = fresh();
    writeFileSync(
      paths.lock,
      "this is not a database, and long enough to be taken for a header of one".repeat(10),
    );
    const error = refusal(() => acquireDaemonLock(paths));
    expect(error.message).toContain(`cannot lock '${paths.lock}'`);
    expect(error.hint).toContain(`remove '${paths.lock}'`);
  });

  test("in a directory that is not there is an error for people", () => {
    const error = refusal(() => acquireDaemonLock(statePaths({ IDDIO_HOME: join(root, "nowhere") })));
    expect(error.message).toContain("cannot lock");
  });
});
