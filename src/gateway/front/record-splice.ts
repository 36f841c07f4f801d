// The audit row of a tunnel that was not opened, or came to nothing: which op it has and why. Never
// a path and never a byte of the payload. Modes `off` and `observe` leave no row of a splice.

import type { ClientIdentity, EntryFields } from "../../model/entry.ts";
import type { ClientOwner } from "../request/client-owner.ts";
import type { Gateway } from "../request/context.ts";
import type { Destination } from "../request/inspection/inspection.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { type SpliceReason, spliceReason } from "./splice-reason.ts";

/** Writes `passthrough`, or `pin_splice` when the host would be opened but for a pin. */
export function recordSplice(
  gateway: Pick<Gateway, "mode" | "settings" | "recorder">,
  owner: ClientOwner,
  destination: Destination,
  reason: SpliceReason,
): void {
  const { mode, settings, recorder } = gateway;
  if (mode.current === "off" || mode.current === "observe") return;
  const isPin = mode.current === "enforce" && reason.kind !== "uninspected";
  if (!isPin && settings.current.audit_passthrough === "off") return;
  const fields: EntryFields = {
    ...whereAndWho(owner, destination),
    reason: mode.current === "passthrough" ? "the proxy mode is passthrough" : wording(reason),
  };
  if (isPin) recorder.pinSpliced(fields);
  else recorder.passedThrough(fields);
}

/** The row of a tunnel whose upstream could not be dialled, or not even resolved. */
export function recordUnreached(
  gateway: Pick<Gateway, "mode" | "settings" | "recorder" | "inspection" | "pins" | "detector">,
  owner: ClientOwner,
  destination: Destination,
  { message }: UpstreamError,
): void {
  const { recorder } = gateway;
  const fields: EntryFields = {
    ...whereAndWho(owner, destination),
    outcome: "failed",
    status: 502,
    reason: message,
  };
  // The requests inside are unknown, so a connection that should be judged is not let through.
  if (spliceReason(gateway, destination) === undefined) recorder.blocked(fields);
  else if (keepsSplices(gateway)) recorder.notReached(fields);
}

/** The row and line of a plain request that nobody judges and that came to nothing. */
export function recordNotServed(
  gateway: Pick<Gateway, "mode" | "settings" | "recorder" | "log">,
  client: ClientIdentity | undefined,
  destination: Destination,
  status: number,
  reason: string,
): void {
  const { host, port } = destination;
  gateway.log.warn("request not served", { host, port, status, reason });
  if (keepsSplices(gateway))
    gateway.recorder.notReached({
      ...whereAndWho({ identity: client }, destination),
      outcome: "failed",
      status,
      reason,
    });
}

function keepsSplices({ mode, settings }: Pick<Gateway, "mode" | "settings">): boolean {
  return mode.current !== "off" && mode.current !== "observe" && settings.current.audit_passthrough !== "off";
}

/** The same for a promise's `catch`; the error goes on. */
export function rethrowUnreached(
  gateway: Parameters<typeof recordUnreached>[0],
  owner: ClientOwner,
  destination: Destination,
  error: unknown,
): never {
  if (error instanceof UpstreamError) recordUnreached(gateway, owner, destination, error);
  throw error;
}

/** The row of a destination that is refused whatever the policy says. */
export function recordRefused(
  gateway: Pick<Gateway, "recorder">,
  owner: ClientOwner,
  destination: Destination,
  reason: string,
): void {
  gateway.recorder.blocked({ ...whereAndWho(owner, destination), outcome: "blocked", status: 403, reason });
}

function whereAndWho(
  owner: Pick<ClientOwner, "identity">,
  { host, port, serverName }: Destination,
): EntryFields {
  const client = owner.identity;
  return {
    host,
    port,
    ...(serverName !== undefined && serverName !== host ? { server_name: serverName } : {}),
    ...(client ? { client } : {}),
  };
}

function wording(reason: SpliceReason): string {
  if (reason.kind === "pinned") return reason.pin.note === "" ? "pinned" : `pinned: ${reason.pin.note}`;
  if (reason.kind === "suspected") return `pinned by the detector: ${reason.suspect.reason}`;
  return "no inspect entry matches";
}
