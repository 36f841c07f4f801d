// `iddio detector …`: hosts whose TLS cannot be intercepted, as traffic showed them, and what to do
// about one. Hosts and reasons came over the network and are escaped.

import type { SuspectReport } from "../../api/daemon-reports.ts";
import { renderDuration } from "../../text/duration.ts";
import { type Command, JSON_FLAG } from "../kit/command.ts";
import { parseHostMaybePort, showHostMaybePort } from "../kit/host-port.ts";
import { localTime } from "../kit/local-time.ts";

/** Prints the findings, the latest first. */
export const detectorListCommand: Command = {
  name: "detector list",
  summary: "List hosts whose TLS could not be intercepted",
  flags: [JSON_FLAG],
  details: [
    "suspected  something failed; connections are still intercepted",
    "pinned     passed unread for a while: the setting 'detector' allows it",
    "upstream   its certificate could not be verified",
    "client     the client did not accept iddio's certificate",
  ],
  async run({ flags, output, daemon }) {
    const report = await daemon.call("detector_list", {});
    if (flags.has("json")) return void output.json(report);
    if (report.suspects.length === 0)
      return void output.note(`the detector has found nothing (setting detector: ${report.setting})`);
    const paints = await output.loadPaints();
    output.table(
      ["HOST", "PORT", "STATE", "FAILED", "SEEN", "LAST", "WHY"],
      report.suspects.map((each) => cells(each, Date.now())),
      (text, column) => (column === 2 ? paints.warn(text) : text),
    );
  },
};

function cells(suspect: SuspectReport, now: number): string[] {
  const { host, port, state, failed, count, last_ms, reason, pinned_until_ms } = suspect;
  const left = pinned_until_ms === undefined ? "" : ` (${renderDuration(pinned_until_ms - now)})`;
  return [host, String(port), `${state}${left}`, failed, `${count}x`, localTime(last_ms), reason];
}

/** Forgets everything; pinned hosts are intercepted again. */
export const detectorClearCommand: Command = {
  name: "detector clear",
  summary: "Forget the findings of the detector",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const report = await daemon.call("detector_clear", {});
    if (flags.has("json")) output.json(report);
    else output.line(report.cleared === 0 ? "there was nothing to forget" : `forgot ${report.cleared}`);
  },
};

/** Moves a finding to the list of pins. */
export const detectorPromoteCommand: Command = {
  name: "detector promote",
  summary: "Pin a host that the detector found, without an end",
  args: [{ name: "host[:port]", completes: "suspect" }],
  flags: [JSON_FLAG],
  examples: ["iddio detector promote sync.example.com"],
  async run({ args, flags, output, daemon }) {
    const report = await daemon.call("detector_promote", await parseHostMaybePort(args[0] ?? ""));
    if (flags.has("json")) output.json(report);
    else for (const pin of report.pins) output.line(`pinned ${showHostMaybePort(pin)}`);
  },
};
