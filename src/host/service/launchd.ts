// The daemon under launchd, as an agent of the user's own session. All of it by `launchctl`; the agent is started at
// each login because its property list is in ~/Library/LaunchAgents.

import { mkdir, readFile, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { UserError } from "../../model/user-error.ts";
import { writeFileAtomic } from "../../state/files.ts";
import type { Environment } from "../process/environment.ts";
import { lastWords, runTool, type ToolResult } from "../process/run-tool.ts";
import type { Service, ServiceOptions, ServiceState } from "./service.ts";
import { LAUNCHD_LABEL, renderLaunchdPlist } from "./service-unit.ts";

/** `launchctl bootout` returns before the process has ended; a bootstrap meanwhile fails with EIO. */
const BOOTSTRAP_ATTEMPTS = 20;
const BOOTSTRAP_PAUSE_MS = 250;

/** See `Service`. */
export class LaunchdService implements Service {
  readonly supervisor = "launchd";
  readonly scope = "user";
  readonly unitPath: string;
  readonly unit: string;
  readonly restartCommand = `launchctl kickstart -k gui/$(id -u)/${LAUNCHD_LABEL}`;
  readonly #env: Environment;
  readonly #domain = `gui/${process.getuid?.() ?? 0}`;

  constructor({ paths, env }: ServiceOptions) {
    this.#env = env;
    this.unitPath = join(env.HOME || homedir(), "Library", "LaunchAgents", `${LAUNCHD_LABEL}.plist`);
    this.unit = renderLaunchdPlist({
      binary: paths.daemonBinary,
      home: paths.root,
      ...(paths.config === paths.root ? {} : { config: paths.config }),
    });
  }

  async ensureUsable(): Promise<void> {
    const result = await this.#launchctl("print", this.#domain);
    if (result.code === 0) return;
    throw new UserError(`launchd does not answer for '${this.#domain}': ${lastWords(result)}`, {
      hint: "log in on the screen of this machine, or: iddio install --no-service, then run: iddio gateway",
    });
  }

  async state(): Promise<ServiceState> {
    const result = await this.#launchctl("print", `${this.#domain}/${LAUNCHD_LABEL}`);
    if (result.code === 127) return { kind: "unreachable", detail: lastWords(result) };
    if (result.code !== 0) return { kind: "absent" };
    const pid = /^\s*pid = (\d+)$/m.exec(result.stdout)?.[1];
    if (pid !== undefined) return { kind: "running", pid: Number(pid) };
    const exit = /^\s*last exit code = (.+)$/m.exec(result.stdout)?.[1];
    return { kind: "stopped", detail: exit === undefined ? "not running" : `last exit code ${exit}` };
  }

  async register(): Promise<boolean> {
    const before = await readFile(this.unitPath, "utf8").catch(() => undefined);
    const isChanged = before !== this.unit;
    if (isChanged) {
      await mkdir(dirname(this.unitPath), { recursive: true });
      await writeFileAtomic(this.unitPath, this.unit, 0o644);
    }
    const state = await this.state();
    // launchd reads the list at bootstrap only.
    if (isChanged && state.kind !== "absent")
      await this.#launchctl("bootout", `${this.#domain}/${LAUNCHD_LABEL}`);
    // What `launchctl disable` remembers outlives the property list.
    await this.#launchctl("enable", `${this.#domain}/${LAUNCHD_LABEL}`);
    if (isChanged || state.kind === "absent") await this.#bootstrap();
    return isChanged;
  }

  async restart(): Promise<void> {
    if ((await this.state()).kind === "absent") await this.#bootstrap();
    await this.#must("kickstart", "-k", `${this.#domain}/${LAUNCHD_LABEL}`);
  }

  async stop(): Promise<void> {
    await this.#must("bootout", `${this.#domain}/${LAUNCHD_LABEL}`);
  }

  async remove(): Promise<boolean> {
    const wasThere = await Bun.file(this.unitPath).exists();
    await this.#launchctl("bootout", `${this.#domain}/${LAUNCHD_LABEL}`);
    await rm(this.unitPath, { force: true });
    return wasThere;
  }

  async #bootstrap(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const result = await this.#launchctl("bootstrap", this.#domain, this.unitPath);
      if (result.code === 0 || (await this.state()).kind !== "absent") return;
      if (attempt === BOOTSTRAP_ATTEMPTS) throw refused(`bootstrap ${this.#domain}`, result);
      await Bun.sleep(BOOTSTRAP_PAUSE_MS);
    }
  }

  async #must(...args: string[]): Promise<void> {
    const result = await this.#launchctl(...args);
    if (result.code !== 0) throw refused(args.join(" "), result);
  }

  #launchctl(...args: string[]): Promise<ToolResult> {
    return runTool(["launchctl", ...args], { env: this.#env });
  }
}

function refused(what: string, result: ToolResult): UserError {
  return new UserError(`launchctl ${what}: ${lastWords(result)}`, {
    hint: `see what launchd says of it: launchctl print gui/$(id -u)/${LAUNCHD_LABEL}`,
  });
}
