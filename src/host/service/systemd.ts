// The daemon under systemd: the user's manager, or the system's with `--system`. All of it by
// `systemctl`, whose exit codes count; its texts are only passed on.

import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { UserError } from "../../model/user-error.ts";
import { writeFileAtomic } from "../../state/files.ts";
import type { Environment } from "../process/environment.ts";
import { lastWords, runTool, type ToolResult } from "../process/run-tool.ts";
import { findSystemTool } from "../process/system-tool.ts";
import type { Service, ServiceOptions, ServiceScope, ServiceState } from "./service.ts";
import { renderSystemdUnit, SYSTEMD_UNIT } from "./service-unit.ts";

const WITHOUT_SERVICE = "install without a service: iddio install --no-service, then run: iddio gateway";

/** The user who installed for the system: as the unit that is there has it, else the one behind sudo. */
function ownerOf(unitPath: string, env: Environment): { readonly owner?: number } {
  const unit = existsSync(unitPath) ? readFileSync(unitPath, "utf8") : "";
  const owner = /^Environment="IDDIO_OWNER=(\d+)"$/m.exec(unit)?.[1] ?? env.SUDO_UID;
  return owner !== undefined && /^\d+$/.test(owner) ? { owner: Number(owner) } : {};
}

/** See `Service`. */
export class SystemdService implements Service {
  readonly supervisor = "systemd";
  readonly scope: ServiceScope;
  readonly unitPath: string;
  readonly unit: string;
  readonly restartCommand: string;
  readonly #env: Environment;

  constructor({ scope, paths, env }: ServiceOptions) {
    this.scope = scope;
    this.#env = env;
    const config = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), ".config");
    this.unitPath =
      scope === "system"
        ? join("/etc/systemd/system", SYSTEMD_UNIT)
        : join(config, "systemd", "user", SYSTEMD_UNIT);
    this.unit = renderSystemdUnit(
      {
        binary: paths.daemonBinary,
        home: paths.root,
        ...(paths.config === paths.root ? {} : { config: paths.config }),
        ...(scope === "system" ? ownerOf(this.unitPath, env) : {}),
      },
      scope,
    );
    this.restartCommand = `systemctl${scope === "user" ? " --user" : ""} restart iddio-daemon`;
  }

  async ensureUsable(): Promise<void> {
    if (findSystemTool("systemctl", this.#env) === undefined)
      throw new UserError("there is no systemd here: no 'systemctl' in the folders of the system", {
        hint: WITHOUT_SERVICE,
      });
    const result = await this.#systemctl("show", "--property=Version");
    if (result.code === 0) return;
    const words = lastWords(result);
    // `su` and `sudo` give a shell without the variables that lead to the user's manager.
    const isLost = this.scope === "user" && this.#env.XDG_RUNTIME_DIR === undefined;
    throw new UserError(`systemd does not answer: ${words}`, {
      hint: isLost
        ? `log in as this user, or export XDG_RUNTIME_DIR=/run/user/$(id -u); else ${WITHOUT_SERVICE}`
        : WITHOUT_SERVICE,
    });
  }

  async state(): Promise<ServiceState> {
    const result = await this.#systemctl(
      "show",
      SYSTEMD_UNIT,
      "--property=LoadState,ActiveState,SubState,Result,MainPID",
    );
    if (result.code !== 0) return { kind: "unreachable", detail: lastWords(result) };
    const value = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(result.stdout)?.[1] ?? "";
    if (value("LoadState") === "not-found") return { kind: "absent" };
    const pid = Number(value("MainPID"));
    if (value("ActiveState") === "active" || value("ActiveState") === "activating") {
      // Between two attempts of a daemon that cannot start there is no process.
      if (value("SubState") !== "auto-restart") return { kind: "running", pid: pid > 0 ? pid : undefined };
    }
    const outcome = value("Result") === "success" ? "" : `, ${value("Result")}`;
    return { kind: "stopped", detail: `${value("ActiveState")} (${value("SubState")}${outcome})` };
  }

  async register(): Promise<boolean> {
    const before = await readFile(this.unitPath, "utf8").catch(() => undefined);
    const isChanged = before !== this.unit;
    if (isChanged) {
      await mkdir(dirname(this.unitPath), { recursive: true });
      await writeFileAtomic(this.unitPath, this.unit, 0o644);
    }
    await this.#must("daemon-reload");
    await this.#must("enable", "--quiet", SYSTEMD_UNIT);
    return isChanged;
  }

  async restart(): Promise<void> {
    // A unit that gave up starting stays refused until its counter is reset.
    await this.#systemctl("reset-failed", SYSTEMD_UNIT);
    await this.#must("restart", SYSTEMD_UNIT);
  }

  async stop(): Promise<void> {
    await this.#must("stop", SYSTEMD_UNIT);
  }

  async remove(): Promise<boolean> {
    const wasThere = await Bun.file(this.unitPath).exists();
    // Without a manager that answers there is nothing to stop; the files go all the same.
    await this.#systemctl("disable", "--now", "--quiet", SYSTEMD_UNIT);
    await rm(this.unitPath, { force: true });
    for (const target of ["default.target.wants", "multi-user.target.wants"])
      await rm(join(dirname(this.unitPath), target, SYSTEMD_UNIT), { force: true });
    await this.#systemctl("daemon-reload");
    await this.#systemctl("reset-failed", SYSTEMD_UNIT);
    return wasThere;
  }

  async #must(...args: string[]): Promise<void> {
    const result = await this.#systemctl(...args);
    if (result.code === 0) return;
    const journal = `journalctl${this.scope === "user" ? " --user" : ""} -u iddio-daemon -n 50`;
    throw new UserError(`systemctl ${args.join(" ")}: ${lastWords(result)}`, {
      hint: `see what systemd says of it: ${journal}`,
    });
  }

  #systemctl(...args: string[]): Promise<ToolResult> {
    const manager = this.scope === "user" ? ["--user"] : [];
    return runTool(["systemctl", ...manager, ...args], { env: this.#env, timeoutMs: 60_000 });
  }
}
