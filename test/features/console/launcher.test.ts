// The launcher of the console, as the compiled program writes it: what is in the menu, what it
// starts, how it goes.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { installLauncher, removeLauncher } from "../../../src/host/desktop/launcher.ts";
import { builtBinary } from "../../support/built-binary.ts";
import { type GatewayProcess, startGatewayProcess } from "../../support/gateway.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

let gateway: GatewayProcess;

beforeAll(async () => {
  gateway = await startGatewayProcess();
}, 120_000);

afterAll(() => gateway[Symbol.asyncDispose](), 60_000);

const entry = () => join(gateway.home, ".local/share/applications/iddio-console.desktop");

describe.skipIf(process.platform !== "linux")("on Linux", () => {
  test("the desktop's menu gets an entry that names the program by its path, once", async () => {
    const { code, stdout } = await gateway.run(["console", "--install"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`wrote ${entry()}`);
    const text = readFileSync(entry(), "utf8");
    expect(text).toContain(
      `Exec=/usr/bin/env IDDIO_HOME=${gateway.home} ${builtBinary()} console --window\n`,
    );
    expect(text).toContain("Terminal=false\n");
    expect(existsSync(join(gateway.home, ".local/share/icons/hicolor/scalable/apps/iddio-console.svg"))).toBe(
      true,
    );
    expect((await gateway.run(["console", "--install"])).stdout).toContain(`kept  ${entry()}`);
  }, 120_000);

  test("what it starts opens the console by a page that only the user can read, and holds no token in its arguments", async () => {
    const exec = /^Exec=(.*)$/m.exec(readFileSync(entry(), "utf8"))?.[1]?.split(" ") ?? [];
    const child = Bun.spawn(exec, {
      env: { HOME: gateway.home, PATH: process.env.PATH ?? "" },
      stdout: "pipe",
      stderr: "ignore",
      stdin: "ignore",
    });
    expect(await new Response(child.stdout).text()).toMatch(/^opened http:\/\/localhost:\d+\/\n$/);
    const [page = ""] = readdirSync(gateway.home).filter((name) => name.startsWith("console-"));
    expect(statSync(join(gateway.home, page)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(gateway.home, page), "utf8")).toMatch(/http:\/\/localhost:\d+\/#[0-9a-f]{64}/);
  }, 120_000);

  test("where the daemon is down and no service starts it, a page says so: nobody reads a terminal then", async () => {
    await using home = await temporaryDirectory();
    const { code, stderr } = await gateway.run(["console", "--window"], {
      env: { HOME: home.path, IDDIO_HOME: join(home.path, ".iddio") },
    });
    expect(code).toBe(1);
    expect(stderr).toContain("the daemon is not running");
    const folder = join(home.path, ".iddio");
    const [page = ""] = readdirSync(folder).filter((name) => name.startsWith("console-"));
    expect(readFileSync(join(folder, page), "utf8")).toContain("The console does not open");
  }, 120_000);

  test("it is taken away, and so it is by 'iddio uninstall'", async () => {
    expect((await gateway.run(["console", "--uninstall"])).stdout).toContain(`removed ${entry()}`);
    expect(existsSync(entry())).toBe(false);
    expect((await gateway.run(["console", "--uninstall"])).stderr).toContain("there is no launcher");
    await gateway.run(["console", "--install"]);
    const { stdout } = await gateway.run(["uninstall", "--yes", "--keep-data"]);
    expect(stdout).toContain(`removed ${entry()}`);
    expect(existsSync(entry())).toBe(false);
  }, 120_000);
});

test("on macOS it is a bundle of two files, whose script quotes what it starts", async () => {
  await using home = await temporaryDirectory();
  const env = { HOME: home.path, IDDIO_HOME: "/a b/it's" };
  const { paths } = await installLauncher({ program: "/opt/i d/iddio", env, platform: "darwin" });
  expect(paths.length).toBe(2);
  const script = readFileSync(join(home.path, "Applications/iddio.app/Contents/MacOS/iddio-console"), "utf8");
  expect(script).toContain("IDDIO_HOME='/a b/it'\\''s'; export IDDIO_HOME");
  expect(script).toContain("exec '/opt/i d/iddio' console --window");
  await removeLauncher({ env, platform: "darwin" });
  expect(existsSync(join(home.path, "Applications/iddio.app"))).toBe(false);
});

test("a path with signs that mean something in a desktop entry is written out", async () => {
  await using home = await temporaryDirectory();
  const env = { HOME: home.path };
  await installLauncher({ program: '/opt/a "$b" 100%/iddio', env, platform: "linux" });
  const text = readFileSync(join(home.path, ".local/share/applications/iddio-console.desktop"), "utf8");
  expect(text).toContain('Exec="/opt/a \\\\"\\\\$b\\\\" 100%%/iddio" console --window\n');
});
