// A home directory in which iddio can be installed as a service: the compiled program, and a
// stand-in for systemctl that starts and restarts daemons as systemd would (test/support/system).
// For machines without a running systemd.

import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ControlClient } from "../../src/api/client.ts";
import { builtBinary } from "./built-binary.ts";
import { COMPILED_ONCE, type Finished, type RunOptions, runClient } from "./clients.ts";
import { PROJECT_ROOT } from "./source-files.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { testSettings } from "./test-settings.ts";

/** One home and what may be done in it. */
export interface InstalledHome extends AsyncDisposable {
  readonly home: string;
  /** The state directory. */
  readonly state: string;
  readonly unit: string;
  readonly control: ControlClient;
  /** The environment that programs in this home have. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs `iddio <args>`. */
  iddio(args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Runs `iddio <args>`; throws with its own words unless it ends with 0. */
  succeed(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Arguments of every call of systemctl so far, a line each. */
  calls(): readonly string[];
}

/** The options of the home. */
export interface HomeOptions {
  /** The program that `iddio` is; dist/iddio unless told. */
  readonly program?: string;
  /** Further variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Makes a home; `await using` stops what was started in it and removes it. */
export async function installedHome(options: HomeOptions = {}): Promise<InstalledHome> {
  const program = options.program ?? builtBinary();
  const directory = await temporaryDirectory();
  const home = directory.path;
  const state = join(home, ".iddio");
  const systemd = join(home, ".fake-systemd");
  await mkdir(state, { mode: 0o700 });
  await mkdir(systemd);
  await writeFile(join(state, "settings.yaml"), testSettings(), { mode: 0o600 });
  const env = {
    HOME: home,
    PATH: process.env.PATH ?? "",
    IDDIO_TEST_TOOLS: join(PROJECT_ROOT, "test/support/system"),
    // On a Mac too: the stand-in is systemd's.
    IDDIO_TEST_PLATFORM: "linux",
    FAKE_SYSTEMD: systemd,
    ...COMPILED_ONCE,
    ...options.env,
  };
  const iddio = (args: readonly string[], more: RunOptions = {}) =>
    runClient(program, args, { ...more, env: { ...env, ...more.env } });
  const supervisor = join(systemd, "supervisor");
  const end = async () => {
    if (existsSync(supervisor))
      await runClient(join(PROJECT_ROOT, "test/support/system/systemctl"), ["--user", "stop"], { env });
  };
  // Whatever becomes of this process, no daemon outlives it.
  const abandon = () => {
    if (!existsSync(supervisor)) return;
    for (const name of ["supervisor", "pid"])
      try {
        process.kill(Number(readFileSync(join(systemd, name), "utf8")), "SIGKILL");
      } catch {
        // gone already
      }
  };
  process.once("exit", abandon);
  return {
    home,
    state,
    unit: join(home, ".config/systemd/user/iddio-daemon.service"),
    control: new ControlClient(join(state, "iddio.sock")),
    env,
    iddio,
    async succeed(args, more) {
      const { code, stdout, stderr } = await iddio(args, more);
      if (code !== 0) throw new Error(`iddio ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
      return stdout;
    },
    calls: () =>
      existsSync(join(systemd, "calls"))
        ? readFileSync(join(systemd, "calls"), "utf8").trim().split("\n")
        : [],
    async [Symbol.asyncDispose]() {
      await end();
      await directory[Symbol.asyncDispose]();
      process.off("exit", abandon);
    },
  };
}
