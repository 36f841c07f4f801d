// `iddio console`: opens the console in the browser, lists and ends its sessions. The token that
// opens it travels in a file that only the user can read, because command lines are public.

import type { Command, CommandContext } from "../../cli/kit/command.ts";
import { JSON_FLAG } from "../../cli/kit/command.ts";
import { UserError } from "../../model/user-error.ts";

/** Opens the console. */
export const consoleCommand: Command = {
  name: "console",
  summary: "Open approvals, policy and audit in the browser",
  flags: [
    {
      name: "no-open",
      summary: "Print the address instead of opening it; it opens one session within a minute",
    },
    { name: "look", summary: "A session that may look and not decide" },
    { name: "window", summary: "Open it in a window of its own; start the daemon when it is down" },
    { name: "install", summary: "Add a launcher to the desktop's menu that does this" },
    { name: "uninstall", summary: "Take the launcher away" },
  ],
  details: [
    "A session lasts twelve hours, or until the daemon ends. Under the guard 'session' it may",
    "decide when it is opened from a terminal that no held request came from; with a passkey or",
    "a code, each decision asks for it. One that the launcher opens has no terminal, so it looks.",
  ],
  examples: ["iddio console", "iddio console --no-open", "iddio console --install"],
  async run(context) {
    const { flags, output, env, paths } = context;
    if (flags.has("install") || flags.has("uninstall") || flags.has("window")) {
      const { runLauncher } = await import("./launch.ts");
      return runLauncher(context, () => opened(context, !flags.has("look")));
    }
    const { url, token, note } = await opened(context, !flags.has("look"));
    if (note !== undefined) output.note(note);
    const { openPage, hasBrowser } = await import("../../cli/kit/show-presence.ts");
    if (flags.has("no-open") || !hasBrowser(env)) {
      output.line(`${url}#${token}`);
      return;
    }
    const { writeRedirectPage } = await import("./redirect-page.ts");
    openPage(await writeRedirectPage(paths.root, `${url}#${token}`), env);
    output.line(`opened ${url}`);
    output.note("if no window shows: iddio console --no-open");
  },
};

/** Lists the sessions. */
export const consoleSessionsCommand: Command = {
  name: "console sessions",
  summary: "List the open sessions of the console",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const { sessions } = await daemon.call("console_sessions", {});
    if (flags.has("json")) return void output.json(sessions);
    if (sessions.length === 0) return void output.note("no session is open");
    const { localTime } = await import("../../cli/kit/local-time.ts");
    output.table(
      ["ID", "OPENED", "ENDS", "SEEN", "MAY", "FROM"],
      sessions.map((each) => [
        each.id,
        localTime(each.opened_ms),
        localTime(each.ends_ms),
        localTime(each.seen_ms ?? each.opened_ms),
        each.may_decide ? "decide" : "look",
        each.opened_by ?? "-",
      ]),
    );
  },
};

/** Ends one session, or all. */
export const consoleRevokeCommand: Command = {
  name: "console revoke",
  summary: "End a session of the console, or all of them",
  args: [{ name: "id", isOptional: true }],
  flags: [JSON_FLAG],
  examples: ["iddio console revoke", "iddio console revoke 1f3a90bc"],
  async run({ args, flags, output, daemon }) {
    const [id] = args;
    const report = await daemon.call("console_revoke", id === undefined ? {} : { id });
    if (flags.has("json")) return void output.json(report);
    output.line(`ended ${report.revoked} ${report.revoked === 1 ? "session" : "sessions"}`);
  },
};

/** A session that may decide, where this terminal may; else one that may look, and why. */
async function opened(
  { daemon }: CommandContext,
  mayDecide: boolean,
): Promise<{ readonly url: string; readonly token: string; readonly note?: string }> {
  try {
    return await daemon.call("console_open", { may_decide: mayDecide });
  } catch (error) {
    const isHeld = mayDecide && error instanceof UserError && error.code === "needs-presence";
    if (!isHeld) throw error;
    const note = `this console may only look: ${error.message}${error.hint === undefined ? "" : ` (${error.hint})`}`;
    return { ...(await daemon.call("console_open", { may_decide: false })), note };
  }
}
