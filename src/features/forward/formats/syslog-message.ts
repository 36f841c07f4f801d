// A row as a syslog message (RFC 5424), framed for TLS by octet counting (RFC 5425, 4.3). The
// message is the row's JSON after a byte order mark. Receivers must take 2 KB and commonly take 8
// KB (RFC 5424, 6.1), so long fields of the row are cut, never the JSON.

import type { Entry } from "../../../model/entry.ts";
import { type ForwardedEntry, hostnameOf, type Sender } from "../sink.ts";
import { type Severity, severityOf } from "./severity.ts";

/** Log audit (RFC 5424, table 1). */
const FACILITY = 13;
const LEVELS: Readonly<Record<Severity, number>> = { high: 3, medium: 4, low: 5, info: 6 };
const MAX_BYTES = 8 * 1024;
const CUT_LENGTHS = [1024, 256, 64, 16];
const BYTE_ORDER_MARK = "\ufeff";

/** The message without its frame. `body` is the JSON that is sent, shortened until it fits. */
export function syslogMessage(entry: ForwardedEntry, sender: Sender, body: unknown = entry): string {
  const priority = FACILITY * 8 + LEVELS[severityOf(entry)];
  const time = new Date(entry.timestamp_ms).toISOString();
  const host = printable(hostnameOf(entry, sender), 255);
  const pid = printable(String(entry.fields.client?.pid ?? "-"), 128);
  const head = `<${priority}>1 ${time} ${host} iddio ${pid} ${printable(entry.op, 32)} - ${BYTE_ORDER_MARK}`;
  const room = MAX_BYTES - Buffer.byteLength(head);
  return head + fitted(body, room);
}

/** One frame: the length in octets, a blank, the message. */
export function octetCounted(message: string): string {
  return `${Buffer.byteLength(message)} ${message}`;
}

function fitted(body: unknown, room: number): string {
  const whole = JSON.stringify(body);
  if (Buffer.byteLength(whole) <= room) return whole;
  for (const length of CUT_LENGTHS) {
    const cut = JSON.stringify(body, (_name, value) =>
      typeof value === "string" && value.length > length ? `${value.slice(0, length)}…` : value,
    );
    if (Buffer.byteLength(cut) <= room) return cut;
  }
  // Hundreds of fields: what tells where to look in audit.jsonl.
  const { timestamp_ms, op, hash } = body as Partial<Entry>;
  return JSON.stringify({ timestamp_ms, op, hash, cut: true });
}

/** PRINTUSASCII of the grammar, or the nil value. */
function printable(text: string, maxLength: number): string {
  return text.replace(/[^\x21-\x7e]/g, "_").slice(0, maxLength) || "-";
}
