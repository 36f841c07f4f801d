// Makes a device of a one-time token. The token says for whom the device asks from then on: the
// person to whom it was issued, whatever the device claims. Of two that come with one token, one is
// enrolled.

import { createHash, verify } from "node:crypto";
import type { FleetInput, FleetOutput } from "../../api/fleet/protocol.ts";
import { enrollmentOctets, readDeviceKey } from "../../api/fleet/request-signature.ts";
import { writeAct } from "../audit/acts.ts";
import { textOf } from "../database/database.ts";
import { Problem } from "../http/problem.ts";
import type { ServerParts } from "../parts.ts";
import { hashOfSecret, newId, readToken } from "../sealer.ts";
import { currentTenant, publicKeys } from "../tenants.ts";
import { SYNC_MS } from "./sync.ts";

const MAX_NAME = 120;

/** Enrols. A token of another tenant than `onlyTenant` is none. */
export async function enroll(
  { database, nowMs }: ServerParts,
  input: FleetInput<"enroll">,
  onlyTenant: string | undefined,
): Promise<FleetOutput<"enroll">> {
  const token = readToken("idet", input.token);
  const refused = () => new Problem(403, "bad-token", "the token is not, or no longer, one");
  if (token === undefined || (onlyTenant !== undefined && token.tenant !== onlyTenant)) throw refused();
  const key = readDeviceKey(input.public_key);
  const proof = Buffer.from(input.proof, "base64");
  if (key === undefined || !verify(null, enrollmentOctets(input.token, input.public_key), key, proof))
    throw new Problem(400, "bad-signature", "the proof is not by the key");
  const now = nowMs();
  return database.run({ tenant: token.tenant }, async (tx) => {
    const deviceId = newId("dev");
    const [taken] = await tx.rows(
      "update enroll_tokens set used_ms = $1, device_id = $2 " +
        "where hash = $3 and used_ms is null and ends_ms > $1 returning id, owner_id, device_group",
      [now, deviceId, hashOfSecret(token.secret)],
    );
    const tenant = await currentTenant(tx);
    if (taken === undefined || tenant === undefined) throw refused();
    const [owner] = await tx.rows("select name, disabled_ms from people where id = $1", [
      textOf(taken, "owner_id"),
    ]);
    if (owner === undefined || owner.disabled_ms !== null) throw refused();
    await tx.rows(
      "insert into devices (id, public_key, name, platform, version, owner_id, device_group, ring, created_ms, seen_ms) " +
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
      [
        deviceId,
        input.public_key,
        input.name.slice(0, MAX_NAME),
        input.platform.slice(0, MAX_NAME),
        input.version.slice(0, MAX_NAME),
        textOf(taken, "owner_id"),
        textOf(taken, "device_group"),
        ringOf(deviceId),
        now,
      ],
    );
    await writeAct(tx, now, deviceId, "device.enroll", textOf(taken, "id"), {
      name: input.name.slice(0, MAX_NAME),
    });
    return {
      device: "active",
      server_time_ms: now,
      tenant: tenant.id,
      tenant_name: tenant.name,
      device_id: deviceId,
      owner: textOf(owner, "name"),
      owner_id: textOf(taken, "owner_id"),
      epoch: tenant.epoch,
      keys: await publicKeys(tx),
      sync_ms: SYNC_MS,
    };
  });
}

/** Spreads devices evenly, and the same device always to the same place. */
function ringOf(deviceId: string): number {
  return createHash("sha256").update(deviceId).digest().readUInt32BE(0) % 100;
}
