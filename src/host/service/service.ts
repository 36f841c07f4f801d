// The operating system's supervisor as the rest of the program sees it: one interface, two
// implementations. The operations of a service, and the supervisor of this machine; not how a
// supervisor is called.

import { UserError } from "../../model/user-error.ts";
import type { StatePaths } from "../../state/paths.ts";
import type { Environment } from "../process/environment.ts";
import { toolPlatform } from "../process/system-tool.ts";
import { LaunchdService } from "./launchd.ts";
import { SystemdService } from "./systemd.ts";

/** Whose manager runs the daemon: the user's own, or the system's. */
export type ServiceScope = "user" | "system";

/** The daemon's state, as the supervisor reports it. */
export type ServiceState =
  | { readonly kind: "running"; readonly pid: number | undefined }
  /** Registered but not running; the detail is in the supervisor's words. */
  | {
      readonly kind: "stopped";
      readonly detail: string;
      /** It was told to end and is not gone yet. */
      readonly isEnding?: boolean;
      readonly pid?: number;
    }
  | { readonly kind: "absent" }
  /** The supervisor cannot be asked. */
  | { readonly kind: "unreachable"; readonly detail: string };

/** The daemon as a service of the operating system. */
export interface Service {
  readonly supervisor: "systemd" | "launchd";
  readonly scope: ServiceScope;
  /** The file that tells the supervisor about the daemon. */
  readonly unitPath: string;
  /** The text that the unit file should have. */
  readonly unit: string;
  /** The command with which a person restarts it. */
  readonly restartCommand: string;
  /** Throws a `UserError` that says what to do instead when the supervisor cannot be used here. */
  ensureUsable(): Promise<void>;
  state(): Promise<ServiceState>;
  /** Writes the unit if it differs and has the daemon started at each login or boot. Whether the unit changed. */
  register(): Promise<boolean>;
  /** Starts the daemon, or restarts it. */
  restart(): Promise<void>;
  /** Stops the daemon until the next `restart`, login or boot. Resolves when its process has ended. */
  stop(): Promise<void>;
  /** Stops the daemon and takes the unit away. Whether there was one. */
  remove(): Promise<boolean>;
}

/** The inputs of a service. */
export interface ServiceOptions {
  readonly scope: ServiceScope;
  readonly paths: StatePaths;
  readonly env: Environment;
  /** Runs on this platform instead of the one we are on: what `--print-unit` and tests ask for. */
  readonly platform?: NodeJS.Platform;
  /** How long launchd may refuse to start the daemon before that is its answer; 20 seconds unless told. */
  readonly bootstrapMs?: number;
}

/** The supervisor of this platform. Throws a `UserError` where there is none that iddio knows. */
export function openService(options: ServiceOptions): Service {
  const platform = options.platform ?? toolPlatform(options.env);
  if (platform === "linux") return new SystemdService(options);
  if (platform !== "darwin")
    throw new UserError(`there is no service for '${platform}'`, { hint: "run it yourself: iddio gateway" });
  if (options.scope === "system")
    throw new UserError("'--system' is for Linux; on macOS the daemon runs as the user's own", {
      hint: "leave out --system",
      exitCode: 2,
    });
  return new LaunchdService(options);
}
