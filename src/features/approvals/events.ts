// `iddio events`: the daemon's events, as they come.

import type { Command } from "../../cli/kit/command.ts";
import { EVENT_TAGS } from "../../model/event.ts";
import { eventLine } from "./event-line.ts";

/** Prints the recent events, and with --follow those to come. */
export const eventsCommand: Command = {
  name: "events",
  summary: "Print the daemon's recent events",
  flags: [
    { name: "follow", summary: "Stay, and print events as they come" },
    { name: "json", summary: "Print one JSON object a line" },
  ],
  details: [
    "On a terminal a line is cut to fit it; into a pipe and with --json it is whole.",
    "A reader that is too slow loses the oldest events and is told how many;",
    'the gateway never waits for it. With --json that is a line {"lost": n}.',
    "",
    `Tags: ${EVENT_TAGS.join(", ")}`,
  ],
  examples: ["iddio events --follow", "iddio events --follow --json | jq .tag"],
  async run({ flags, output, daemon, interrupted }) {
    const follow = flags.has("follow");
    const signal = follow ? interrupted() : undefined;
    const paints = await output.loadPaints();
    for await (const row of daemon.stream("events", { follow }, signal)) {
      if (flags.has("json")) output.jsonLine(row);
      else output.line(eventLine(row, paints, output.columns));
    }
  },
};
