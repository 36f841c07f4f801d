// `iddio enroll` and `iddio fleet`: the control plane that this machine belongs to. The daemon
// keeps key and policy; these commands only talk to it. A token comes from standard input, or from
// a flag where it is good only once anyway.

import type { FleetReport } from "../../api/methods/fleet.ts";
import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import { localTime } from "../../cli/kit/local-time.ts";
import type { Output } from "../../cli/kit/output.ts";
import { escapeForTerminal } from "../../text/escape.ts";

/** Makes this machine one of a fleet. */
export const enrollCommand: Command = {
  name: "enroll",
  summary: "Enroll this machine with a control plane",
  args: [{ name: "url" }],
  flags: [
    { name: "token", value: "token", summary: "One-time token; read from standard input without it" },
    { name: "name", value: "name", summary: "Name of the machine there; its host name unless given" },
    {
      name: "ca",
      value: "file",
      completes: "file",
      summary: "PEM certificates to trust instead of the system's",
    },
    JSON_FLAG,
  ],
  details: [
    "The control plane's policy is added to policy.yaml, which can then only tighten it,",
    "audit rows are sent there, and requests that wait are shown to people there.",
    "It needs your factor or root: enrolling a machine decides who may decide for it.",
  ],
  examples: [
    "iddio enroll https://iddio.example.com < token",
    "iddio enroll https://iddio.example.com --token idet_acme_…",
  ],
  async run({ args, flags, output, daemon }) {
    const ca = flags.text("ca");
    const name = flags.text("name");
    const report = await daemon.call("fleet_enroll", {
      url: args[0] ?? "",
      token: flags.text("token") ?? (await tokenFromInput()),
      ...(name === undefined ? {} : { name }),
      ...(ca === undefined ? {} : { ca_pem: await Bun.file(ca).text() }),
    });
    if (flags.has("json")) return void output.json(report);
    output.line(
      `enrolled with ${clean(report.tenant)} as ${clean(report.device_id)}, for ${clean(report.owner)}`,
    );
    await print(report, output);
  },
};

/** How this machine stands. */
export const fleetStatusCommand: Command = {
  name: "fleet status",
  summary: "Show the control plane that this machine belongs to, and how that goes",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const report = await daemon.call("fleet_status", {});
    if (flags.has("json")) return void output.json(report);
    if (!report.enrolled) return void output.note("this machine belongs to no fleet: iddio enroll <url>");
    await print(report, output);
  },
};

/** Syncs now. */
export const fleetSyncCommand: Command = {
  name: "fleet sync",
  summary: "Send audit rows and take the policy that is due, now",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const report = await daemon.call("fleet_sync", {});
    if (flags.has("json")) output.json(report);
    else await print(report, output);
    return report.problem === undefined && report.refused === undefined ? 0 : 1;
  },
};

/** Leaves. */
export const fleetLeaveCommand: Command = {
  name: "fleet leave",
  summary: "Take this machine out of its fleet",
  flags: [JSON_FLAG],
  details: ["The control plane's policy is then no longer in force. It needs your factor or root."],
  async run({ flags, output, daemon }) {
    const report = await daemon.call("fleet_leave", {});
    if (flags.has("json")) return void output.json(report);
    output.line("this machine belongs to no fleet any more; policy.yaml alone decides");
  },
};

async function print(report: FleetReport, output: Output): Promise<void> {
  const { policy, central_tiers = [], last_sync_ms, problem, failing_since_ms: since } = report;
  const revision = policy === undefined ? "none yet" : `revision ${policy.epoch}.${policy.revision}`;
  const lines: readonly (readonly [string, string])[] = [
    ["control plane", clean(report.url)],
    ["tenant", clean(report.tenant)],
    ["device", `${clean(report.device_id)} (${report.state ?? ""})`],
    ["owner", clean(report.owner)],
    ["policy", `${revision}${report.is_stale ? ", too old to allow by itself" : ""}`],
    ["decided there", central_tiers.length === 0 ? "nothing" : clean(central_tiers.join(", "))],
    ["last sync", last_sync_ms === undefined ? "never" : localTime(last_sync_ms)],
    ["audit", `${report.audit_acked ?? 0} rows sent, ${report.audit_behind_bytes ?? 0} B behind`],
    ["waiting", `${report.held ?? 0} requests offered`],
    ...(report.refused === undefined ? [] : [["refused", clean(report.refused)] as const]),
    ...(problem === undefined
      ? []
      : [
          [
            "problem",
            `${clean(problem)}${since === undefined ? "" : ` (since ${localTime(since)})`}`,
          ] as const,
        ]),
  ];
  for (const [name, value] of lines) output.line(`${`${name}:`.padEnd(15)} ${value}`);
}

function clean(text = ""): string {
  return escapeForTerminal(text);
}

async function tokenFromInput(): Promise<string> {
  const { secretsFromInput } = await import("../../cli/kit/terminal/secret-input.ts");
  return (await secretsFromInput("enrolment token", 1, "iddio enroll <url> < token"))[0] ?? "";
}
