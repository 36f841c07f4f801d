// launchd, by a launchctl that keeps in a file whether the agent is loaded, and writes down how it was called.

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openService } from "../../src/host/service/service.ts";
import { statePaths } from "../../src/state/paths.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const LAUNCHCTL = `#!/bin/sh
echo "$*" >>"$HOME/calls"
case $1 in
print) case $2 in */dev.iddio.daemon) [ -e "$HOME/loaded" ] && printf '\\tpid = 77\\n' || exit 113 ;; esac ;;
bootstrap) [ -e "$HOME/loaded" ] && exit 5; touch "$HOME/loaded" ;;
bootout) rm "$HOME/loaded" ;;
esac
`;

test("the agent is bootstrapped once, again when its list changes, and booted out at the end", async () => {
  await using directory = await temporaryDirectory();
  const home = directory.path;
  await mkdir(join(home, "bin"));
  await writeFile(join(home, "bin/launchctl"), LAUNCHCTL);
  await chmod(join(home, "bin/launchctl"), 0o755);
  const env = { HOME: home, PATH: "/usr/bin:/bin", IDDIO_TEST_TOOLS: join(home, "bin") };
  const service = openService({ scope: "user", paths: statePaths(env), env, platform: "darwin" });
  const domain = `gui/${process.getuid?.()}`;
  const since = () => {
    const calls = existsSync(join(home, "calls")) ? readFileSync(join(home, "calls"), "utf8") : "";
    return calls.split("\n").filter((call) => call !== "" && !call.startsWith("print"));
  };

  await service.ensureUsable();
  expect(await service.state()).toEqual({ kind: "absent" });
  expect(await service.register()).toBe(true);
  expect(await service.state()).toEqual({ kind: "running", pid: 77 });
  const agent = `${domain}/dev.iddio.daemon`;
  expect(since()).toEqual([`enable ${agent}`, `bootstrap ${domain} ${service.unitPath}`]);
  expect(service.unitPath).toBe(join(home, "Library/LaunchAgents/dev.iddio.daemon.plist"));
  expect(readFileSync(service.unitPath, "utf8")).toBe(service.unit);

  expect(await service.register()).toBe(false);
  expect(since().length).toBe(3);
  await service.restart();
  expect(since().at(-1)).toBe(`kickstart -k ${agent}`);
  await writeFile(service.unitPath, "<plist/>");
  expect(await service.register()).toBe(true);
  expect(since().slice(-3)).toEqual([
    `bootout ${agent}`,
    `enable ${agent}`,
    `bootstrap ${domain} ${service.unitPath}`,
  ]);
  expect(await service.remove()).toBe(true);
  expect(existsSync(service.unitPath)).toBe(false);
  expect(await service.state()).toEqual({ kind: "absent" });
  expect(() => openService({ scope: "system", paths: statePaths(env), env, platform: "darwin" })).toThrow(
    "--system",
  );
});
