// The sync of a device in four steps: its state and its wanted policy, its audit rows, the policy
// itself, and the result of applying it. The audit step is in audit/intake.ts. Every step may be
// repeated.

import type { FleetInput, FleetOutput, PolicyPosition, SignedText } from "../../api/fleet/protocol.ts";
import { signPayload } from "../../api/fleet/signed.ts";
import { numberOf, type Tx } from "../database/database.ts";
import type { ServerParts } from "../parts.ts";
import { assignedRevision, bundleFor, positionOf } from "../policy/assignment.ts";
import type { Sealer } from "../sealer.ts";
import { currentTenant, oldestKey, publicKeys } from "../tenants.ts";
import type { Device } from "./device.ts";

/** How long a device waits between two syncs; it keeps a part of it for chance. */
export const SYNC_MS = 5 * 60_000;

const MAX_TEXT = 500;

/** Who calls, and in which transaction. */
export interface DeviceCall {
  readonly parts: ServerParts;
  readonly tenant: string;
  readonly device: Device;
  readonly tx: Tx;
  readonly nowMs: number;
}

/** Every reply begins with these fields. */
export function standing(nowMs: number): { readonly device: "active"; readonly server_time_ms: number } {
  return { device: "active", server_time_ms: nowMs };
}

/** Where the policies of a device should be. */
export async function positionsOf(
  tx: Tx,
  device: Device,
): Promise<{ readonly policy?: PolicyPosition; readonly dry_policy?: PolicyPosition }> {
  const policy = positionOf(await assignedRevision(tx, device, "enforced"));
  const dry = positionOf(await assignedRevision(tx, device, "dry"));
  return {
    ...(policy === undefined ? {} : { policy }),
    ...(dry === undefined ? {} : { dry_policy: dry }),
  };
}

/** Begins a sync. */
export async function preflight(
  { parts, tenant, tx, device, nowMs }: DeviceCall,
  input: FleetInput<"preflight">,
): Promise<FleetOutput<"preflight">> {
  await tx.rows(
    "update devices set version = $2, platform = $3, mode = $4, policy = $5, dry_policy = $6, local_digest = $7, seen_ms = $8 where id = $1",
    [
      device.id,
      input.version.slice(0, MAX_TEXT),
      input.platform.slice(0, MAX_TEXT),
      input.mode.slice(0, MAX_TEXT),
      jsonOrNull(input.policy),
      jsonOrNull(input.dry_policy),
      input.local_digest?.slice(0, MAX_TEXT) ?? null,
      nowMs,
    ],
  );
  const [chain] = await tx.rows("select acked_seq from device_chains where device_id = $1 and chain = $2", [
    device.id,
    input.audit.chain,
  ]);
  return {
    ...standing(nowMs),
    sync_ms: SYNC_MS,
    ...(await positionsOf(tx, device)),
    audit_acked_seq: chain === undefined ? 0 : numberOf(chain, "acked_seq"),
    ...(await signedKeys(tx, parts.sealer, tenant)),
  };
}

/** The keys to pin, where they were ever changed. */
async function signedKeys(tx: Tx, sealer: Sealer, tenant: string): Promise<{ readonly keys?: SignedText }> {
  const [changed] = await tx.rows("select 1 as one from tenant_keys where signs_from_ms > 0 limit 1");
  if (changed === undefined) return {};
  const { epoch = 1 } = (await currentTenant(tx)) ?? {};
  const key = await oldestKey(tx, sealer, tenant);
  return { keys: signPayload("keys", { tenant, epoch, keys: await publicKeys(tx) }, key) };
}

/** The bundle, when the device has another one. */
export async function policy(
  { parts, tx, tenant, device, nowMs }: DeviceCall,
  input: FleetInput<"policy">,
): Promise<FleetOutput<"policy">> {
  const bundle = await bundleFor(tx, parts.sealer, tenant, device, input.kind, input.have, nowMs);
  return { ...standing(nowMs), ...(bundle === undefined ? {} : { bundle }) };
}

/** Ends a sync. */
export async function postflight(
  { tx, device, nowMs }: DeviceCall,
  input: FleetInput<"postflight">,
): Promise<FleetOutput<"postflight">> {
  await tx.rows(
    "update devices set policy = $2, dry_policy = $3, refused = $4, held = $5, seen_ms = $6 where id = $1",
    [
      device.id,
      jsonOrNull(input.policy),
      jsonOrNull(input.dry_policy),
      input.refused?.slice(0, MAX_TEXT) ?? null,
      Math.max(0, Math.min(1_000_000, Math.trunc(input.held))),
      nowMs,
    ],
  );
  return standing(nowMs);
}

function jsonOrNull(position: PolicyPosition | undefined): string | null {
  return position === undefined ? null : JSON.stringify(position);
}
