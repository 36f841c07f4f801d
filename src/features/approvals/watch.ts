// `iddio approval watch`: in a terminal the place where a person answers, one key each; into a pipe
// one line an event, for scripts.

import { ControlClient } from "../../api/client.ts";
import type { EventRow } from "../../api/reports.ts";
import type { Command } from "../../cli/kit/command.ts";
import { isInteractive } from "../../cli/kit/terminal/terminal.ts";
import { eventLine } from "./event-line.ts";

/** Interactive in a terminal; else prints the waiting approvals, then approval events as they come. */
export const approvalWatchCommand: Command = {
  name: "approval watch",
  summary: "Answer requests as they come, one key each",
  flags: [{ name: "json", summary: "Print one JSON object an event" }],
  details: [
    "In a terminal it lists the waiting requests with the time left:",
    "  a  allow it                     j k  select another",
    "  f  also those like it for 15m   space b  read on, back",
    "  g  it and the rest of its command",
    "  d  deny it                      q  quit",
    "  r  deny it and say why",
    "  i  deny it and say what to do instead",
    "For half a second after the selection changes, keys do not answer.",
    "Into a pipe, approval events are printed, one a line.",
  ],
  async run({ flags, output, daemon, env, paths, interrupted }) {
    const signal = interrupted();
    if (!flags.has("json") && isInteractive(env)) {
      const { watchInteractively } = await import("./watch/watch-loop.ts");
      const { openPage } = await import("../../cli/kit/show-presence.ts");
      return watchInteractively(
        {
          connect: (prove) => new ControlClient(paths.socket, { prove }),
          openPage: (url) => openPage(url, env),
        },
        output,
        signal,
      );
    }
    const startMs = Date.now();
    const paints = await output.loadPaints();
    const { approvals } = await daemon.call("approvals_list", {});
    const waiting = new Set(approvals.map(({ id }) => id));
    for await (const row of daemon.stream("events", { follow: true }, signal)) {
      if (!isWatched(row, startMs, waiting)) continue;
      if (flags.has("json")) output.jsonLine(row);
      else output.line(eventLine(row, paints, output.columns));
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
