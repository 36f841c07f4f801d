// An observe record as columns for people. A field that a record does not have is "-".

import { localTime } from "../../cli/kit/local-time.ts";
import type { Entry } from "../../model/entry.ts";
import { hostText } from "../../text/host-port.ts";

/** Names of the columns. */
export const OBSERVE_COLUMNS = ["TIME", "DECISION", "TIER", "STATUS", "METHOD", "HOST", "COMMAND", "PATH"];

/** The cells of one record, not yet escaped. */
export function observeCells({ timestamp_ms, fields }: Entry): string[] {
  const { host = "-", port } = fields;
  const cells = [
    fields.would_be_decision,
    fields.tier,
    fields.status,
    fields.method,
    hostText({ host, port: port ?? 443 }),
    fields.command,
    fields.path,
  ];
  return [
    localTime(timestamp_ms),
    ...cells.map((cell) => (cell === undefined || cell === "" ? "-" : String(cell))),
  ];
}
