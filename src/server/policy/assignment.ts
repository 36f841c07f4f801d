// Which policy a device should have: the newest published revision whose group and percent take it
// in. A revision never goes back, so the position of a device only grows; an older policy is
// published again under a higher revision.

import type { BundleKind, PolicyPosition, SignedText } from "../../api/fleet/protocol.ts";
import { isNewerPosition, signPayload } from "../../api/fleet/signed.ts";
import { numberOf, type Tx, textOf } from "../database/database.ts";
import type { Device } from "../fleet/device.ts";
import type { Sealer } from "../sealer.ts";
import { tenantSigningKey } from "../tenants.ts";

const DAY_MS = 24 * 60 * 60_000;
/** A bundle is made when it is fetched; nobody keeps one to hand it out later. */
const BUNDLE_LIFE_MS = 7 * DAY_MS;

interface Assigned extends PolicyPosition {
  readonly centralTiers: readonly string[];
  readonly maxAgeMs: number;
}

/** The revision for a device; undefined when none takes it in. */
export async function assignedRevision(
  tx: Tx,
  device: Pick<Device, "group" | "ring">,
  kind: BundleKind,
): Promise<Assigned | undefined> {
  const [row] = await tx.rows(
    "select r.revision, r.digest, r.central_tiers, r.max_age_ms, r.state, t.epoch from revisions r, tenants t " +
      "where r.kind = $1 and r.state in ('published', 'ended') and (r.device_group is null or r.device_group = $2) " +
      "and r.percent > $3 order by r.revision desc limit 1",
    [kind, device.group, device.ring],
  );
  if (row === undefined || row.state === "ended") return undefined;
  return {
    epoch: numberOf(row, "epoch"),
    revision: numberOf(row, "revision"),
    digest: textOf(row, "digest"),
    centralTiers: textOf(row, "central_tiers").split(",").filter(Boolean),
    maxAgeMs: numberOf(row, "max_age_ms"),
  };
}

/** The position alone, as it goes to the device. */
export function positionOf(assigned: Assigned | undefined): PolicyPosition | undefined {
  if (assigned === undefined) return undefined;
  const { epoch, revision, digest } = assigned;
  return { epoch, revision, digest };
}

/** The signed bundle for a device that has `have`; undefined when that is the right one. */
export async function bundleFor(
  tx: Tx,
  sealer: Sealer,
  tenant: string,
  device: Device,
  kind: BundleKind,
  have: PolicyPosition | undefined,
  nowMs: number,
): Promise<SignedText | undefined> {
  const assigned = await assignedRevision(tx, device, kind);
  if (assigned === undefined) return undefined;
  if (have !== undefined && !isNewerPosition(assigned, have)) return undefined;
  const [policy] = await tx.rows("select body from policies where digest = $1", [assigned.digest]);
  if (policy === undefined) throw new Error("a revision without its policy");
  return signPayload(
    "bundle",
    {
      tenant,
      kind,
      epoch: assigned.epoch,
      revision: assigned.revision,
      digest: assigned.digest,
      policy: textOf(policy, "body"),
      central_tiers: assigned.centralTiers,
      issued_ms: nowMs,
      expires_ms: nowMs + BUNDLE_LIFE_MS,
      max_age_ms: assigned.maxAgeMs,
    },
    await tenantSigningKey(tx, sealer, tenant, nowMs),
  );
}
