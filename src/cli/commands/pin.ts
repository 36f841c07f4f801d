// `iddio pin`, `unpin` and `pinned`: hosts that are never opened, whatever the policy says about
// them. The daemon keeps the list; without one there is nothing to change.

import type { PinReport } from "../../api/daemon-reports.ts";
import { UserError } from "../../model/user-error.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { type Command, JSON_FLAG } from "../kit/command.ts";
import { parseHostMaybePort, showHostMaybePort } from "../kit/host-port.ts";
import { localTime } from "../kit/local-time.ts";

const HOST_ARGUMENT = { name: "host[:port]", completes: "host" } as const;

/** Puts a host on the list. */
export const pinCommand: Command = {
  name: "pin",
  summary: "Never intercept a host",
  args: [HOST_ARGUMENT],
  flags: [{ name: "note", value: "text", summary: "Why the host is pinned" }, JSON_FLAG],
  details: [
    "For programs that accept one certificate only. What goes through a tunnel to a",
    "pinned host is neither judged nor held: the audit has one pin_splice row a",
    "connection. A pin covers that one name, on every port unless one is given, and",
    "no other name that is reached through it. Plain http:// is judged as before.",
  ],
  examples: ["iddio pin sync.example.com", 'iddio pin api.example.com:8443 --note "pins its certificate"'],
  async run({ args, flags, output, daemon }) {
    const at = await parseHostMaybePort(args[0] ?? "");
    const note = flags.text("note");
    const report = await daemon.call("pins_add", { ...at, ...(note === undefined ? {} : { note }) });
    if (flags.has("json")) return void output.json(report);
    const where = showHostMaybePort(report.pin);
    const effect = report.note === undefined ? "" : `: ${escapeForTerminal(report.note)}`;
    output.line(report.changed ? `pinned ${where}${effect}` : `${where} is pinned already`);
  },
};

/** Takes a host off the list; its open connections are closed if the policy inspects it. */
export const unpinCommand: Command = {
  name: "unpin",
  summary: "Intercept a pinned host again",
  args: [{ name: "host[:port]", completes: "pin" }],
  flags: [JSON_FLAG],
  details: ["Without a port every pin of the host is removed."],
  async run({ args, flags, output, daemon }) {
    const at = await parseHostMaybePort(args[0] ?? "");
    const { removed } = await daemon.call("pins_remove", at);
    if (flags.has("json")) output.json({ removed });
    else for (const pin of removed) output.line(`unpinned ${showHostMaybePort(pin)}`);
    if (removed.length > 0) return 0;
    throw new UserError(`'${showHostMaybePort(at)}' is not pinned`, { hint: "see: iddio pinned" });
  },
};

/** Prints the list. */
export const pinnedCommand: Command = {
  name: "pinned",
  summary: "List the hosts that are never intercepted",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const { pins } = await daemon.call("pins_list", {});
    if (flags.has("json")) return void output.json(pins);
    if (pins.length === 0) return void output.note("no host is pinned");
    await output.loadPaints();
    output.table(["HOST", "PORT", "SINCE", "BY", "NOTE"], pins.map(pinCells));
  },
};

function pinCells({ host, port, added_ms, source, note }: PinReport): string[] {
  return [
    host,
    port === undefined ? "any" : String(port),
    localTime(added_ms),
    source,
    note === "" ? "-" : note,
  ];
}
