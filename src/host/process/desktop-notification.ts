// Shows a notification on the desktop of the user who runs the daemon: by notify-send
// (freedesktop.org) or by macOS' osascript. Texts go as arguments, never as part of a script or of
// an option, and markup of the notification server is escaped in them.

import { existsSync } from "node:fs";
import type { Environment } from "./environment.ts";
import { runTool } from "./run-tool.ts";
import { findSystemTool } from "./system-tool.ts";

/** A way to show notifications on this machine. */
export interface Desktop {
  /** The program that shows them. */
  readonly program: string;
  /** Resolves with whether it was shown. Never throws, never waits long. */
  show(title: string, body: string): Promise<boolean>;
  /** Opens a window that closes by itself and needs no permission; absent where notifications are always seen. */
  alert?(title: string, body: string): Promise<boolean>;
}

const SHOW_MS = 5_000;

/** The desktop session of this user, or undefined where none can be detected. */
export function findDesktop(env: Environment): Desktop | undefined {
  if (process.platform === "darwin") return process.getuid?.() === 0 ? undefined : osascript(env);
  return process.platform === "linux" ? notifySend(env) : undefined;
}

function notifySend(env: Environment): Desktop | undefined {
  const program = findSystemTool("notify-send", env);
  const bus = env.DBUS_SESSION_BUS_ADDRESS || sessionBus(env);
  if (program === undefined || bus === undefined) return undefined;
  return {
    program,
    async show(title, body) {
      const argv = ["notify-send", "--app-name=iddio", "--urgency=critical", "--expire-time=30000", "--"];
      const { code } = await runTool([...argv, title, escapeMarkup(body)], {
        env: { ...env, DBUS_SESSION_BUS_ADDRESS: bus },
        timeoutMs: SHOW_MS,
      });
      return code === 0;
    },
  };
}

/** Where systemd puts the bus of a user's session; a service may have been started without being told. */
function sessionBus(env: Environment): string | undefined {
  const directory = env.XDG_RUNTIME_DIR || `/run/user/${process.getuid?.() ?? ""}`;
  return existsSync(`${directory}/bus`) ? `unix:path=${directory}/bus` : undefined;
}

/** Bodies are markup to most notification servers (Desktop Notifications Specification, "Markup"). */
export function escapeMarkup(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const SCRIPT = [
  "on run argv",
  'display notification (item 2 of argv) with title (item 1 of argv) sound name "Ping"',
  "end run",
];

/** A window, for notifications that macOS files where nobody looks. */
const ALERT_SCRIPT = [
  "on run argv",
  "display alert (item 1 of argv) message (item 2 of argv) giving up after 20",
  "end run",
];
const ALERT_MS = 25_000;

const MANAGER_MS = 2_000;

/** Whether this process is in the session at the screen: over ssh, and in the user's domain, nobody sees a window. */
export function isAtScreen(env: Environment): boolean {
  const launchctl = findSystemTool("launchctl", env);
  if (launchctl === undefined) return false;
  const { stdout } = Bun.spawnSync([launchctl, "managername"], {
    stdin: "ignore",
    stderr: "ignore",
    timeout: MANAGER_MS,
    env: {},
    cwd: "/",
  });
  return stdout.toString().trim() === "Aqua";
}

function osascript(env: Environment): Desktop | undefined {
  const program = findSystemTool("osascript", env);
  if (program === undefined || !isAtScreen(env)) return undefined;
  const run = async (lines: readonly string[], timeoutMs: number, title: string, body: string) => {
    const script = lines.flatMap((line) => ["-e", line]);
    const { code } = await runTool(["osascript", ...script, "--", title, body], { env, timeoutMs });
    return code === 0;
  };
  return {
    program,
    show: (title, body) => run(SCRIPT, SHOW_MS, title, body),
    alert: (title, body) => run(ALERT_SCRIPT, ALERT_MS, title, body),
  };
}
