// The daemon under launchd, as an agent of the user: of the session at the screen (gui/<uid>), or
// where nobody has logged in there, of the user (user/<uid>). All of it by `launchctl`, which
// answers before it is done: the agent is gone only when its label is unknown and its process dead,
// and until then a bootstrap is refused with 5.

import { readFileSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { UserError } from "../../model/user-error.ts";
import { writeFileAtomic } from "../../state/files.ts";
import type { StatePaths } from "../../state/paths.ts";
import type { Environment } from "../process/environment.ts";
import { lastWords, runTool, type ToolResult } from "../process/run-tool.ts";
import { isInUserDomain, parsePrint, readLaunchctl } from "./launchctl-answer.ts";
import type { Service, ServiceOptions, ServiceState } from "./service.ts";
import { LAUNCHD_LABEL, renderLaunchdPlist } from "./service-unit.ts";

/** ExitTimeOut of the property list, the five seconds after which launchd cleans up, and some more. */
const STOP_MS = 30_000;
const BOOTSTRAP_MS = 20_000;
const POLL_MS = 100;

/** Where the label is, or where it could be. */
type Found =
  | { readonly kind: "loaded"; readonly domain: string; readonly pid?: number; readonly text: string }
  | { readonly kind: "absent"; readonly domain: string }
  | { readonly kind: "unreachable"; readonly detail: string };

/** See `Service`. */
export class LaunchdService implements Service {
  readonly supervisor = "launchd";
  readonly scope = "user";
  readonly unitPath: string;
  readonly #env: Environment;
  readonly #paths: StatePaths;
  readonly #gui: string;
  readonly #user: string;
  readonly #bootstrapMs: number;
  /** Whether the agent belongs to the user's domain; the property list that is there says so. */
  #isHeadless: boolean;
  /** A bootstrap starts the agent: another start right behind it would only be throttled. */
  #hasJustStarted = false;

  constructor({ paths, env, bootstrapMs = BOOTSTRAP_MS }: ServiceOptions) {
    this.#env = env;
    this.#paths = paths;
    this.#bootstrapMs = bootstrapMs;
    this.unitPath = join(env.HOME || homedir(), "Library", "LaunchAgents", `${LAUNCHD_LABEL}.plist`);
    const uid = uidOf(env);
    this.#gui = `gui/${uid}`;
    this.#user = `user/${uid}`;
    this.#isHeadless = isInUserDomain(readIfThere(this.unitPath));
  }

  get unit(): string {
    const { daemonBinary, root, config, daemonErrors } = this.#paths;
    return renderLaunchdPlist({
      binary: daemonBinary,
      home: root,
      errors: daemonErrors,
      isHeadless: this.#isHeadless,
      ...(config === root ? {} : { config }),
    });
  }

  get restartCommand(): string {
    return `launchctl kickstart -k ${this.#isHeadless ? "user" : "gui"}/$(id -u)/${LAUNCHD_LABEL}`;
  }

  async ensureUsable(): Promise<void> {
    const found = await this.#find();
    if (found.kind !== "unreachable") return;
    throw new UserError(`launchd does not answer for '${this.#gui}' or '${this.#user}': ${found.detail}`, {
      hint: "log in on the screen of this machine, or: iddio install --no-service, then run: iddio gateway",
    });
  }

  async state(): Promise<ServiceState> {
    const found = await this.#find();
    if (found.kind === "loaded") return parsePrint(found.text);
    return found.kind === "absent" ? { kind: "absent" } : found;
  }

  async register(): Promise<boolean> {
    const found = await this.#find();
    if (found.kind !== "unreachable") this.#isHeadless = found.domain === this.#user;
    const before = await readFile(this.unitPath, "utf8").catch(() => undefined);
    const isChanged = before !== this.unit;
    if (isChanged) {
      await mkdir(dirname(this.unitPath), { recursive: true });
      await writeFileAtomic(this.unitPath, this.unit, 0o644);
    }
    // launchd reads the list at bootstrap only.
    if (isChanged) await this.stop();
    // `launchctl disable` outlives the property list, so enable the label first.
    await this.#launchctl("enable", `${this.#domain}/${LAUNCHD_LABEL}`);
    if ((await this.#find()).kind !== "loaded") await this.#bootstrap();
    return isChanged;
  }

  async restart(): Promise<void> {
    const hasJustStarted = this.#hasJustStarted;
    this.#hasJustStarted = false;
    const state = await this.state();
    if (state.kind === "running" && hasJustStarted) return;
    if (state.kind === "running" || (state.kind === "stopped" && state.isEnding !== true)) {
      const target = `${this.#domain}/${LAUNCHD_LABEL}`;
      const result = await this.#launchctl("kickstart", "-k", target);
      if (result.code === 0) return;
      // It is being taken away, or was gone in between: a bootstrap starts it then.
      if (!["in-progress", "absent", "no-process"].includes(readLaunchctl(result.code)))
        throw this.#refused(`kickstart -k ${target}`, result);
    }
    await this.#bootstrap();
    this.#hasJustStarted = false;
  }

  async stop(): Promise<void> {
    const pids = new Set<number>();
    const deadline = performance.now() + STOP_MS;
    for (let isAsked = false; ; ) {
      const found = await this.#find();
      if (found.kind === "loaded" && found.pid !== undefined) pids.add(found.pid);
      if (found.kind !== "loaded" && ![...pids].some(isAlive)) return;
      if (found.kind === "loaded" && !isAsked) {
        const target = `${found.domain}/${LAUNCHD_LABEL}`;
        const result = await this.#launchctl("bootout", target);
        isAsked = true;
        if (!["done", "no-process", "in-progress", "absent"].includes(readLaunchctl(result.code)))
          throw this.#refused(`bootout ${target}`, result);
      }
      if (performance.now() > deadline)
        throw new UserError(`launchd does not let go of '${LAUNCHD_LABEL}' within ${STOP_MS / 1000}s`, {
          hint: `see: launchctl print ${this.#domain}/${LAUNCHD_LABEL}`,
        });
      await Bun.sleep(POLL_MS);
    }
  }

  async remove(): Promise<boolean> {
    const wasThere = await Bun.file(this.unitPath).exists();
    // Without a launchd that answers there is nothing to stop; the files go all the same.
    await this.stop().catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
    });
    await rm(this.unitPath, { force: true });
    return wasThere;
  }

  get #domain(): string {
    return this.#isHeadless ? this.#user : this.#gui;
  }

  /** Looks for the label in both domains; where it is decides which domain commands are about. */
  async #find(): Promise<Found> {
    let usable: string | undefined;
    let detail = "";
    for (const domain of [this.#gui, this.#user]) {
      const result = await this.#launchctl("print", `${domain}/${LAUNCHD_LABEL}`);
      switch (readLaunchctl(result.code)) {
        case "done": {
          this.#isHeadless = domain === this.#user;
          const { pid } = parsePrint(result.stdout);
          return { kind: "loaded", domain, text: result.stdout, ...(pid === undefined ? {} : { pid }) };
        }
        case "absent":
          // An agent of the user's domain stays one: at the screen it would be started a second time.
          if (usable === undefined || this.#isHeadless) usable = domain;
          break;
        default:
          detail ||= lastWords(result);
      }
    }
    return usable === undefined ? { kind: "unreachable", detail } : { kind: "absent", domain: usable };
  }

  async #bootstrap(): Promise<void> {
    // Whatever is still loaded here is on its way out.
    await this.stop();
    for (const deadline = performance.now() + this.#bootstrapMs; ; ) {
      const result = await this.#launchctl("bootstrap", this.#domain, this.unitPath);
      if (result.code === 0) break;
      const state = await this.state();
      if (state.kind === "running") break;
      const meaning = readLaunchctl(result.code);
      const isPassing = meaning === "refused" || meaning === "in-progress";
      if (!isPassing || performance.now() > deadline)
        throw this.#refused(`bootstrap ${this.#domain}`, result);
      await Bun.sleep(POLL_MS);
    }
    this.#hasJustStarted = true;
  }

  #launchctl(...args: string[]): Promise<ToolResult> {
    return runTool(["launchctl", ...args], { env: this.#env });
  }

  #refused(what: string, result: ToolResult): UserError {
    return new UserError(`launchctl ${what}: ${lastWords(result)}`, {
      hint:
        readLaunchctl(result.code) === "refused"
          ? "see whether iddio-daemon is switched off in System Settings > General > Login Items, then try again"
          : `see what launchd says of it: launchctl print ${this.#domain}/${LAUNCHD_LABEL}`,
    });
  }
}

/** Behind sudo the agent is still the user's. */
function uidOf(env: Environment): number | string {
  const own = process.getuid?.() ?? 0;
  return own === 0 && /^[1-9]\d*$/.test(env.SUDO_UID ?? "") ? (env.SUDO_UID ?? own) : own;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
