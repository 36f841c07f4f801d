// `iddio inspect …`: which hosts are intercepted, and as which protocol. The daemon edits the file
// and keeps its comments and layout; nothing here touches it.

import { isProtocol, PROTOCOLS } from "../../model/protocol.ts";
import type { CommandContext } from "../kit/command.ts";
import { type Command, JSON_FLAG } from "../kit/command.ts";

const PROTOCOL_ARGUMENT = { name: "protocol", choices: PROTOCOLS };

/** Prints every inspect entry with its protocol. */
export const inspectSummaryCommand: Command = {
  name: "inspect summary",
  summary: "Print the inspect lists of the policy",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const { protocols } = await daemon.call("inspect_summary", {});
    if (flags.has("json")) return void output.json(protocols);
    const rows = protocols.flatMap(({ protocol, entries }) => entries.map((entry) => [protocol, entry]));
    if (rows.length === 0) return void output.note("the policy inspects nothing");
    output.table(["PROTOCOL", "ENTRY"], rows);
  },
};

/** Adds a host, suffix, glob, address or CIDR; creates the block with its default groups when it is missing. */
export const inspectAddCommand: Command = {
  name: "inspect add",
  summary: "Intercept a host, suffix, address or CIDR",
  args: [PROTOCOL_ARGUMENT, { name: "entry", completes: "host" }],
  flags: [JSON_FLAG],
  examples: ['iddio inspect add aws "*.amazonaws.com"', "iddio inspect add kubectl 10.0.0.0/8"],
  run: (context) => edit(context, "inspect_add", "added"),
};

/** Removes an entry, as it is written in the list. */
export const inspectRemoveCommand: Command = {
  name: "inspect remove",
  summary: "Stop intercepting an entry",
  args: [PROTOCOL_ARGUMENT, { name: "entry", completes: "inspect-entry" }],
  flags: [JSON_FLAG],
  run: (context) => edit(context, "inspect_remove", "removed"),
};

async function edit(
  { args, flags, output, daemon }: CommandContext,
  method: "inspect_add" | "inspect_remove",
  done: string,
): Promise<void> {
  const [protocol, entry = ""] = args;
  if (!isProtocol(protocol)) throw new Error("the argument was checked against PROTOCOLS");
  const report = await daemon.call(method, { protocol, entry });
  if (flags.has("json")) return output.json(report);
  const note = report.note === undefined ? "" : `: ${report.note}`;
  output.line(report.changed ? `${done} ${entry}${note}` : `nothing changed${note}`);
}
