// `iddio status`: whether the daemon is up and its state. `--quiet` runs at every shell start: it
// must be fast and must not hang.

import { isUp } from "../../api/is-up.ts";
import type { StatusReport } from "../../api/reports.ts";
import { renderDuration } from "../../text/duration.ts";
import { type Command, JSON_FLAG } from "../kit/command.ts";

/** A shell must not wait for a daemon that hangs. */
const QUIET_TIMEOUT_MS = 1000;

/** Prints the daemon's state; exit code 1 when it is down. */
export const statusCommand: Command = {
  name: "status",
  summary: "Show whether the daemon is up, its mode, policy and files",
  flags: [
    JSON_FLAG,
    { name: "quiet", summary: "Print nothing; exit with 0 when it is up, 1 when it is down" },
  ],
  async run({ flags, output, daemon, paths }) {
    if (flags.has("quiet")) return (await isUp(paths.socket, QUIET_TIMEOUT_MS)) ? 0 : 1;
    const status = await daemon.call("status", {});
    if (flags.has("json")) {
      output.json(status);
      return 0;
    }
    output.pairs([
      ["daemon", status.daemon],
      ["pid", String(status.pid)],
      ["uptime", renderDuration(Math.floor(status.uptime_ms / 1000) * 1000)],
      ["build_version", status.build_version],
      ["schema_version", String(status.schema_version)],
      ["proxy_mode", status.proxy_mode],
      ["policy", status.policy],
      ["policy looked at", lookedText(status.policy_looked_ms)],
      ["no longer inspected", status.policy_no_longer_inspected?.join(", ")],
      ["settings", status.settings === "loaded" ? undefined : status.settings],
      ["proxy_listen", status.proxy_listen],
      ["socket", status.socket],
      ["log", status.log],
      ["pending", String(status.pending_approvals)],
      ["longest_stall", status.longest_stall_ms === undefined ? undefined : `${status.longest_stall_ms}ms`],
      ["audit", status.audit_problem && `rows cannot be written: ${status.audit_problem}`],
      ["certificates", status.certificate_problems?.join("; ")],
      ["disk", status.disk_problem],
      ["guard", guardText(status)],
      ["runs", runsText(status.guard_runs)],
      ["fleet", status.fleet],
      ["observe", observeText(status.observe_ends_ms)],
    ]);
    return 0;
  },
};

/** Said only when the daemon has not looked for a while: its file system hangs. */
function lookedText(lookedMs: number | undefined): string | undefined {
  const agoMs = lookedMs === undefined ? 0 : Date.now() - lookedMs;
  return agoMs < 5_000 ? undefined : `${renderDuration(Math.floor(agoMs / 1000) * 1000)} ago, and not since`;
}

/** Each agent in `iddio run` with its level. */
function runsText(runs: StatusReport["guard_runs"] = []): string | undefined {
  return runs.length === 0 ? undefined : runs.map(({ name, level }) => `${name} (${level})`).join(", ");
}

function guardText({ guard, guard_level, guard_raise, guard_problem }: StatusReport): string | undefined {
  if (guard === undefined) return undefined;
  if (guard_problem !== undefined) return `closed, decisions are refused: ${guard_problem}`;
  return `${guard_level} (${guard})${guard_raise === undefined ? "" : `; more: ${guard_raise}`}`;
}

function observeText(endsMs: number | undefined): string | undefined {
  return endsMs === undefined ? undefined : `ends in ${renderDuration(endsMs - Date.now())}`;
}
