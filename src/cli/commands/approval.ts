// `iddio approval …`: what waits for a person, and the answers to it. Shows every character of what an
// agent sent, with nothing hidden and nothing obeyed by the terminal.

import type { EventRow } from "../../ipc/methods.ts";
import type { CommandContext } from "../command.ts";
import { type Command, JSON_FLAG } from "../command.ts";
import { eventLine } from "../event-line.ts";

const REASON_FLAG = {
  name: "reason",
  value: "text",
  summary: "Recorded in the audit, and told to the client",
};
const ID_ARGUMENT = { name: "id" };

/** Lists what is held, oldest first. */
export const approvalListCommand: Command = {
  name: "approval list",
  summary: "List the requests that wait for approval",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const { approvals } = await daemon.call("approvals_list", {});
    if (flags.has("json")) return void output.json(approvals);
    if (approvals.length === 0) return void output.note("nothing waits for approval");
    const paints = await output.loadPaints();
    output.table(
      ["ID", "TIER", "HOST", "METHOD", "PATH"],
      approvals.map(({ id, tier, host, port, method, path }) => [
        id,
        tier,
        port === 443 ? host : `${host.includes(":") ? `[${host}]` : host}:${port}`,
        method,
        path,
      ]),
      (text, column) => (column === 1 ? (text === "modify" ? paints.warn(text) : paints.bad(text)) : text),
    );
  },
};

/** Lets exactly the one held request go. */
export const approvalAllowCommand: Command = {
  name: "approval allow",
  summary: "Let a held request go",
  args: [ID_ARGUMENT],
  flags: [REASON_FLAG, JSON_FLAG],
  details: ["The id may be given without 'appr_' and cut short as long as it is unique."],
  examples: [
    "iddio approval allow a1b2c3d4",
    'iddio approval allow a1b2 --reason "scheduled maintenance window"',
  ],
  run: (context) => reply(context, "approvals_allow"),
};

/** Refuses a held request. */
export const approvalDenyCommand: Command = {
  name: "approval deny",
  summary: "Refuse a held request",
  args: [ID_ARGUMENT],
  flags: [REASON_FLAG, JSON_FLAG],
  examples: ['iddio approval deny a1b2c3d4 --reason "not during business hours"'],
  run: (context) => reply(context, "approvals_deny"),
};

/** Prints what waits already, then approval events as they come. */
export const approvalWatchCommand: Command = {
  name: "approval watch",
  summary: "Print approval events as they come",
  flags: [{ name: "json", summary: "Print one JSON object a line" }],
  async run({ flags, output, daemon, interrupted }) {
    const signal = interrupted();
    const startMs = Date.now();
    const { approvals } = await daemon.call("approvals_list", {});
    const waiting = new Set(approvals.map(({ id }) => id));
    for await (const row of daemon.stream("events", { follow: true }, signal)) {
      if (!isWatched(row, startMs, waiting)) continue;
      if (flags.has("json")) output.jsonLine(row);
      else output.line(eventLine(row));
    }
  },
};

/** The stream begins with events of the past; of those only requests that still wait are worth a look. */
function isWatched(row: EventRow, startMs: number, waiting: ReadonlySet<string>): boolean {
  if ("lost" in row) return true;
  if (!row.tag.startsWith("approval_")) return false;
  const isNew = row.timestamp_ms >= startMs;
  return isNew || (row.tag === "approval_requested" && waiting.has(String(row.fields.id)));
}

async function reply(
  { args, flags, output, daemon }: CommandContext,
  method: "approvals_allow" | "approvals_deny",
): Promise<void> {
  const [id = ""] = args;
  const reason = flags.text("reason");
  const answer = await daemon.call(method, { id, ...(reason === undefined ? {} : { reason }) });
  if (flags.has("json")) return output.json(answer);
  output.line(`${answer.outcome} ${answer.id}${answer.note === undefined ? "" : `: ${answer.note}`}`);
}
