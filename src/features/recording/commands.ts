// `iddio session …`: what agents did inside of a cluster's containers. A replay goes through the
// filter that agents' terminals have: no recording can make a terminal act outside of its screen.

import type { RecordedEvent } from "../../api/recording-lines.ts";
import { placeOfSession, type SessionReport } from "../../api/session-report.ts";
import { type Command, type CommandContext, JSON_FLAG } from "../../cli/kit/command.ts";
import { localTime } from "../../cli/kit/local-time.ts";
import type { Output } from "../../cli/kit/output.ts";
import { UserError } from "../../model/user-error.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { EXPORT_FORMATS, type ExportFormat } from "./asciicast.ts";

const ID = { name: "id" } as const;
const ID_DETAIL = "The id may be given without 'sess_' and cut short as long as it is unique.";
const FOLLOW_EVERY_MS = 250;
/** A replay waits no longer than this between two events, unless given. */
const IDLE_MS = 2_000;

/** Lists recorded sessions, newest first. */
export const sessionListCommand: Command = {
  name: "session list",
  summary: "List the recorded sessions",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const { sessions } = await daemon.call("sessions_list", {});
    if (flags.has("json")) return void output.json(sessions);
    if (sessions.length === 0) return void output.note("no session was recorded");
    output.table(
      ["ID", "STARTED", "STATE", "RUN", "KIND", "PLACE", "COMMAND"],
      sessions.map((each) => [
        each.id,
        localTime(each.started_ms),
        stateOf(each),
        each.run ?? "-",
        each.kind,
        placeOfSession(each),
        each.argv.join(" ") || "-",
      ]),
    );
  },
};

/** Shows the facts about one session, without its content. */
export const sessionShowCommand: Command = {
  name: "session show",
  summary: "Show the facts about a recorded session",
  args: [ID],
  flags: [JSON_FLAG],
  details: [ID_DETAIL],
  examples: ["iddio session show 3f2a"],
  async run({ args, flags, output, daemon }) {
    const { session } = await daemon.call("sessions_show", { id: args[0] ?? "" });
    if (flags.has("json")) return void output.json(session);
    const sums = (of: Readonly<Record<string, unknown>> | undefined) =>
      Object.entries(of ?? {}).map(([name, value]) => `${name} ${String(value)}`);
    output.pairs([
      ["id", session.id],
      ["request", session.request_id],
      ["approval", session.approval_id],
      ["started", localTime(session.started_ms)],
      ["state", stateOf(session)],
      ["lasted", session.seconds === undefined ? undefined : `${session.seconds}s`],
      ["kind", session.kind],
      ["place", placeOfSession(session)],
      ["container", session.container],
      ["command", session.argv.length === 0 ? undefined : session.argv.join(" ")],
      ["terminal", session.kind === "port-forward" ? undefined : session.is_tty ? "yes" : "no"],
      ["user", session.user],
      ["run", session.run],
      ["content", session.content],
      ["octets", sums(session.octets).join(", ") || undefined],
      ["sha256", sums(session.sha256).join(", ") || undefined],
    ]);
  },
};

/** Plays a session in the terminal. */
export const sessionReplayCommand: Command = {
  name: "session replay",
  summary: "Play a recorded session in this terminal",
  args: [ID],
  flags: [
    { name: "speed", value: "factor", summary: "How many times as fast as it was; 0 waits nowhere" },
    { name: "idle", value: "duration", kind: "duration", summary: "Longest wait between two events (2s)" },
  ],
  details: [ID_DETAIL, "Sequences that make a terminal act outside of its screen are left out."],
  examples: ["iddio session replay 3f2a", "iddio session replay 3f2a --speed 4"],
  async run(context) {
    const { args, flags, output, interrupted } = context;
    const given = flags.text("speed") ?? "1";
    const speed = Number(given);
    if (!/^\d{1,4}(?:\.\d{1,3})?$/.test(given))
      throw new UserError(`'${given}' is not a speed`, {
        hint: "iddio session replay <id> --speed 4",
        exitCode: 2,
      });
    const idleMs = flags.durationMs("idle") ?? IDLE_MS;
    const show = await screenOf(output);
    const signal = interrupted();
    let last = 0;
    for await (const event of eventsOf(context, args[0] ?? "", false)) {
      const waitMs = speed === 0 ? 0 : Math.min(idleMs, ((event.seconds - last) * 1000) / speed);
      last = event.seconds;
      if (waitMs >= 1) await pause(waitMs, signal);
      if (signal.aborted) return;
      show(event);
    }
  },
};

/** Shows a session while it lasts. */
export const sessionFollowCommand: Command = {
  name: "session follow",
  summary: "Show a session while it lasts",
  args: [ID],
  details: [ID_DETAIL],
  examples: ["iddio session follow 3f2a"],
  async run(context) {
    const show = await screenOf(context.output);
    for await (const event of eventsOf(context, context.args[0] ?? "", true)) show(event);
  },
};

/** Writes a session in another format. */
export const sessionExportCommand: Command = {
  name: "session export",
  summary: "Print a recorded session as an asciicast or as text",
  args: [ID],
  flags: [
    {
      name: "format",
      value: "format",
      choices: EXPORT_FORMATS,
      summary: "asciicast-v2, asciicast-v3 or text (asciicast-v3)",
    },
  ],
  details: [ID_DETAIL, "An asciicast holds the output unfiltered: play it where that can do no harm."],
  examples: ["iddio session export 3f2a --format asciicast-v2"],
  async run(context) {
    const { args, flags, output, daemon } = context;
    const { exported } = await import("./asciicast.ts");
    const { session } = await daemon.call("sessions_show", { id: args[0] ?? "" });
    const events: RecordedEvent[] = [];
    for await (const event of eventsOf(context, session.id, false)) events.push(event);
    output.write(exported((flags.text("format") ?? "asciicast-v3") as ExportFormat, session, events));
  },
};

/** Ends a session that lasts. */
export const sessionEndCommand: Command = {
  name: "session end",
  summary: "End a session that lasts",
  args: [ID],
  flags: [JSON_FLAG],
  details: [ID_DETAIL],
  examples: ["iddio session end 3f2a"],
  async run({ args, flags, output, daemon }) {
    const report = await daemon.call("sessions_end", { id: args[0] ?? "" });
    if (flags.has("json")) return void output.json(report);
    output.line(`ended ${report.id}`);
  },
};

function stateOf({ state, exit_code, problem }: SessionReport): string {
  const code = exit_code === undefined ? "" : `, exit code ${exit_code}`;
  return `${state}${code}${problem === undefined ? "" : ` (${problem})`}`;
}

/** The events of a recording, in order; with `follow` until the session is over. */
async function* eventsOf(
  { daemon, interrupted }: CommandContext,
  id: string,
  follow: boolean,
): AsyncGenerator<RecordedEvent> {
  const { eventOfLine } = await import("../../api/recording-lines.ts");
  const signal = interrupted();
  let offset = 0;
  let ticket: string | undefined;
  while (!signal.aborted) {
    // A person is asked once, for the first piece.
    const read =
      ticket === undefined
        ? await daemon.call("sessions_read", { id, offset })
        : await daemon.call("sessions_read_on", { ticket, offset });
    const { text, next_offset, is_open } = read;
    ticket = read.ticket;
    for (const line of text.split("\n")) {
      const event = eventOfLine(line);
      if (event !== undefined) yield event;
    }
    const isMore = next_offset > offset;
    offset = next_offset;
    if (isMore) continue;
    if (!follow || !is_open) return;
    await pause(FOLLOW_EVERY_MS, signal);
  }
}

/** Prints the agent's screen; other events go to stderr. */
async function screenOf(output: Output): Promise<(event: RecordedEvent) => void> {
  const { TerminalFilter } = await import("../../cli/kit/terminal/terminal-filter.ts");
  const filters = { stdout: new TerminalFilter(), stderr: new TerminalFilter() };
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  const { faint } = await output.loadPaints();
  const note = (text: string) => output.note(faint(escapeForTerminal(text)));
  return (event) => {
    switch (event.kind) {
      case "data":
        if (event.stream === "stdout" || event.stream === "stderr") {
          const shown = filters[event.stream].push(event.bytes);
          output.write(decoders[event.stream].decode(shown, { stream: true }));
        }
        return;
      case "connect":
      case "disconnect":
        note(`${event.kind}: ${event.text}`);
        return;
      case "problem":
        note(event.text);
        return;
      case "end":
        note(event.exitCode === undefined ? "the session is over" : `exit code ${event.exitCode}`);
        return;
      case "length":
        if (event.stream === "stdout" || event.stream === "stderr")
          note(`${event.octets} octets of ${event.stream} were not kept`);
        return;
      case "resize":
        return;
    }
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const stop = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}
