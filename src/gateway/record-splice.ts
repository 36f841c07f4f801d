// The audit row of a splice: which op it has and why it was not opened. Never a path and
// never a byte of the payload. Modes `off` and `observe` leave no row.

import type { EntryFields } from "../model/entry.ts";
import type { ClientOwner } from "./client-owner.ts";
import type { Gateway } from "./context.ts";
import type { Destination } from "./inspection.ts";
import type { SpliceReason } from "./splice-reason.ts";

/** Writes `passthrough`, or `pin_splice` when the host would be opened but for a pin. */
export function recordSplice(
  gateway: Pick<Gateway, "mode" | "settings" | "recorder">,
  owner: ClientOwner,
  { host, port, serverName }: Destination,
  reason: SpliceReason,
): void {
  const mode = gateway.mode.current;
  if (mode === "off" || mode === "observe") return;
  const isPin = mode === "enforce" && reason.kind !== "uninspected";
  if (!isPin && gateway.settings.current.audit_passthrough === "off") return;
  const client = owner.identity;
  const fields: EntryFields = {
    host,
    port,
    ...(serverName !== undefined && serverName !== host ? { server_name: serverName } : {}),
    reason: mode === "passthrough" ? "the proxy mode is passthrough" : wording(reason),
    ...(client ? { client } : {}),
  };
  if (isPin) gateway.recorder.pinSpliced(fields);
  else gateway.recorder.passedThrough(fields);
}

function wording(reason: SpliceReason): string {
  if (reason.kind === "pinned") return reason.pin.note === "" ? "pinned" : `pinned: ${reason.pin.note}`;
  if (reason.kind === "suspected") return `pinned by the detector: ${reason.suspect.reason}`;
  return "no inspect entry matches";
}
