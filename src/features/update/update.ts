// `iddio update …`: the daemon's update of itself, asked for and watched from outside. The daemon
// goes away twice while it is applied, for its trial and for good, so silence is no failure until
// it lasts.

import type { ControlClient } from "../../api/client.ts";
import type { UpdateReport } from "../../api/daemon-reports.ts";
import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import { isDown } from "../../cli/kit/is-down.ts";
import { localTime } from "../../cli/kit/local-time.ts";
import type { Output } from "../../cli/kit/output.ts";
import { UserError } from "../../model/user-error.ts";

/** Download, trial and restart; a slow line takes a while. */
const APPLY_MS = 15 * 60_000;
const POLL_MS = 200;
/** The daemon is down twice on the way, for about a second. */
const DOWN_MS = 60_000;

/** Looks for a release now. */
export const updateCheckCommand: Command = {
  name: "update check",
  summary: "Have the daemon look for a newer release",
  flags: [{ name: "force", summary: "Ask the feed again even if it was just asked" }, JSON_FLAG],
  async run({ flags, output, daemon }) {
    print(output, await daemon.call("update_check", { force: flags.has("force") }), flags.has("json"));
  },
};

/** Prints where the update is. */
export const updateStatusCommand: Command = {
  name: "update status",
  summary: "Show the progress of the daemon's update",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    print(output, await daemon.call("update_status", {}), flags.has("json"));
  },
};

/** Applies the update, and watches until the new version answers or the old one again. */
export const updateApplyCommand: Command = {
  name: "update apply",
  summary: "Apply the update and restart the daemon",
  details: ["The new version is tried first; should it not come up, the old one goes on."],
  async run({ output, daemon }) {
    const begun = await daemon.call("update_apply", {});
    const { progressBar } = await import("../../cli/kit/terminal/progress-bar.ts");
    using bar = progressBar(output);
    let downSinceMs: number | undefined;
    for (
      const deadline = performance.now() + APPLY_MS;
      performance.now() < deadline;
      await Bun.sleep(POLL_MS)
    ) {
      const report = await statusIfUp(daemon);
      if (report === undefined) {
        downSinceMs ??= performance.now();
        if (performance.now() - downSinceMs > DOWN_MS)
          throw new UserError("the daemon has not come back", { hint: "iddio doctor" });
        continue;
      }
      downSinceMs = undefined;
      if (report.state === "downloading") bar.show(report.received_bytes ?? 0, report.total_bytes ?? 0);
      if (report.state === "failed")
        throw new UserError(report.problem ?? "the update failed", { hint: "see iddio.log" });
      // The trial answers as the new version already, while the state is still that of an update.
      if (
        report.state === "idle" &&
        report.current_version !== begun.current_version &&
        (await isSettled(daemon))
      ) {
        output.line(`updated: ${begun.current_version} -> ${report.current_version}`);
        return;
      }
    }
    throw new UserError("the update takes too long", { hint: "iddio update status" });
  },
};

const SETTLED_MS = 1500;

/** Whether the daemon that answers is the one that stays, and not the trial of it. */
async function isSettled(daemon: ControlClient): Promise<boolean> {
  const before = await daemon.call("status", {}).catch(() => undefined);
  await Bun.sleep(SETTLED_MS);
  const after = await daemon.call("status", {}).catch(() => undefined);
  return before !== undefined && before.pid === after?.pid;
}

async function statusIfUp(daemon: ControlClient): Promise<UpdateReport | undefined> {
  try {
    return await daemon.call("update_status", {});
  } catch (error) {
    // A daemon that is just going down may also close the connection.
    if (isDown(error) || error instanceof UserError) return undefined;
    throw error;
  }
}

function print(output: Output, report: UpdateReport, isJson: boolean): void {
  if (isJson) {
    output.json(report);
    return;
  }
  output.pairs([
    ["state", report.state],
    ["current_version", report.current_version],
    ["version", report.version],
    ["problem", report.problem],
    ["last_check", timeOf(report.last_check_ms)],
    ["next_check", timeOf(report.next_check_ms)],
    ["feed", report.feed],
  ]);
}

function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : localTime(ms);
}
