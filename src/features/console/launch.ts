// The console from the desktop's menu: adds and removes the launcher, and is the program that the
// launcher starts. There is no terminal then: errors are shown on a page, and under the guard
// `session` such a console may only look.

import type { CommandContext } from "../../cli/kit/command.ts";
import {
  daemonStatus,
  installationOf,
  programFile,
  waitForDaemon,
} from "../../cli/kit/installation/installation.ts";
import { openPage } from "../../cli/kit/show-presence.ts";
import { openWindow, windowBrowser } from "../../host/desktop/app-window.ts";
import { installLauncher, removeLauncher } from "../../host/desktop/launcher.ts";
import { lastingPath } from "../../host/process/lasting-program.ts";
import { openService } from "../../host/service/service.ts";
import { UserError } from "../../model/user-error.ts";
import { writeProblemPage, writeRedirectPage } from "./redirect-page.ts";

const START_MS = 20_000;

/** The address of the console with a token that opens it once. */
interface Opened {
  readonly url: string;
  readonly token: string;
  readonly note?: string;
}

/** Does what `--install`, `--uninstall` or `--window` says. */
export async function runLauncher(context: CommandContext, open: () => Promise<Opened>): Promise<void> {
  const { flags, output, env } = context;
  if (flags.has("uninstall")) {
    const removed = await removeLauncher({ env });
    for (const path of removed) output.line(`removed ${path}`);
    if (removed.length === 0) output.note("there is no launcher");
    return;
  }
  if (flags.has("install")) {
    const { paths, changed } = await installLauncher({ program: lastingPath(programFile(), env), env });
    for (const path of paths) output.line(`${changed ? "wrote" : "kept "} ${path}`);
    output.note("'iddio' is in the desktop's menu now; take it away with: iddio console --uninstall");
    return;
  }
  await inWindow(context, open);
}

async function inWindow(context: CommandContext, open: () => Promise<Opened>): Promise<void> {
  const { output, env, paths } = context;
  try {
    await ensureDaemon(context);
    const { url, token, note } = await open();
    if (note !== undefined) output.note(note);
    show(await writeRedirectPage(paths.root, `${url}#${token}`), env);
    output.line(`opened ${url}`);
  } catch (error) {
    // When it was started from a menu, nobody reads its output.
    if (error instanceof UserError && !process.stderr.isTTY)
      show(await writeProblemPage(paths.root, error.message, error.hint ?? "iddio doctor"), env);
    throw error;
  }
}

function show(page: string, env: CommandContext["env"]): void {
  const hasDesktop = process.platform === "darwin" || env.DISPLAY || env.WAYLAND_DISPLAY;
  const browser = hasDesktop ? windowBrowser() : undefined;
  if (browser === undefined || !openWindow(browser, page)) openPage(page, env);
}

/** Starts the service's daemon when none answers. */
async function ensureDaemon(context: CommandContext): Promise<void> {
  const { paths } = context;
  if ((await daemonStatus(paths)) !== undefined) return;
  const service = openService(installationOf(context));
  const { kind } = await service.state();
  if (kind === "absent" || kind === "unreachable")
    throw new UserError("the daemon is not running, and no service starts it", { hint: "iddio install" });
  await service.restart();
  if ((await waitForDaemon(paths, START_MS, (status) => status !== undefined)) === undefined)
    throw new UserError("the daemon does not start", { hint: "iddio doctor" });
}
