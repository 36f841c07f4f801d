// A recording as an asciicast, version 2 (seconds since the beginning) or 3 (seconds since the
// event before), and as plain text. A character may be spread over several events: each stream has
// a decoder of its own.

import type { RecordedEvent } from "../../api/recording-lines.ts";
import { placeOfSession, type SessionReport } from "../../api/session-report.ts";
import { escapeLinesForTerminal } from "../../text/escape.ts";

/** The formats of `session export`. */
export const EXPORT_FORMATS = ["asciicast-v2", "asciicast-v3", "text"] as const;

/** A format. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

const COLUMNS = 80;
const ROWS = 24;

/** Writes a whole recording. */
export function exported(
  format: ExportFormat,
  session: SessionReport,
  events: readonly RecordedEvent[],
): string {
  return format === "text" ? asText(events) : asCast(format === "asciicast-v2" ? 2 : 3, session, events);
}

function asText(events: readonly RecordedEvent[]): string {
  const out = new Decoders();
  let text = "";
  for (const event of events)
    if (event.kind === "data" && (event.stream === "stdout" || event.stream === "stderr"))
      text += out.take(event.stream, event.bytes);
  // Lines stay, everything that a terminal would obey is spelled out.
  return escapeLinesForTerminal(text.replaceAll("\r\n", "\n"));
}

function asCast(version: 2 | 3, session: SessionReport, events: readonly RecordedEvent[]): string {
  const size = events.find((event) => event.kind === "resize");
  const [columns, rows] = size === undefined ? [COLUMNS, ROWS] : [size.columns, size.rows];
  const timestamp = Math.floor(session.started_ms / 1000);
  const title = placeOfSession(session);
  const command = session.argv.length === 0 ? {} : { command: session.argv.join(" ") };
  const header =
    version === 2
      ? { version, width: columns, height: rows, timestamp, title, ...command }
      : { version, term: { cols: columns, rows }, timestamp, title, ...command };
  const decoders = new Decoders();
  const lines = [JSON.stringify(header)];
  let last = 0;
  const add = (seconds: number, code: string, text: string) => {
    if (text === "") return;
    const at = version === 2 ? seconds : Math.round((seconds - last) * 1000) / 1000;
    last = seconds;
    lines.push(JSON.stringify([at, code, text]));
  };
  for (const event of events) {
    if (event.kind === "resize" && event !== size) add(event.seconds, "r", `${event.columns}x${event.rows}`);
    if (event.kind === "end" && version === 3 && event.exitCode !== undefined)
      add(event.seconds, "x", String(event.exitCode));
    if (event.kind !== "data") continue;
    const code =
      event.stream === "stdin" ? "i" : event.stream === "stdout" || event.stream === "stderr" ? "o" : "";
    if (code === "") continue;
    const text = decoders.take(event.stream, event.bytes);
    // Without a terminal nobody turns a line feed into a new line.
    add(event.seconds, code, session.is_tty ? text : text.replace(/\r?\n/g, "\r\n"));
  }
  return `${lines.join("\n")}\n`;
}

class Decoders {
  readonly #known = new Map<string, TextDecoder>();

  take(stream: string, bytes: Uint8Array): string {
    let decoder = this.#known.get(stream);
    if (decoder === undefined) {
      decoder = new TextDecoder();
      this.#known.set(stream, decoder);
    }
    return decoder.decode(bytes, { stream: true });
  }
}
