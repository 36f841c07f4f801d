// A device as the server knows it, and how a request is known to be its own: its key signed the
// call, the time and the body. A claim is worth nothing before `authenticate` has returned.

import type { PolicyPosition } from "../../api/fleet/protocol.ts";
import {
  isRequestSigned,
  MAX_SKEW_MS,
  readDeviceKey,
  SIGNATURE_HEADERS,
} from "../../api/fleet/request-signature.ts";
import { maybeNumber, maybeText, numberOf, type Row, type Tx, textOf } from "../database/database.ts";
import { Problem } from "../http/problem.ts";

/** A device. */
export interface Device {
  readonly id: string;
  readonly publicKey: string;
  readonly name: string;
  readonly ownerId: string;
  readonly group: string;
  /** 0 to 99: a roll-out of so many percent has the devices below. */
  readonly ring: number;
  readonly revokedMs: number | undefined;
  readonly policy: PolicyPosition | undefined;
  readonly decisionSeq: number;
}

const COLUMNS = "id, public_key, name, owner_id, device_group, ring, revoked_ms, policy, decision_seq";

/** The device of an id; `lock` keeps others from changing it until the transaction ends. */
export async function findDevice(tx: Tx, id: string, lock = false): Promise<Device | undefined> {
  const [row] = await tx.rows(`select ${COLUMNS} from devices where id = $1${lock ? " for update" : ""}`, [
    id,
  ]);
  return row === undefined ? undefined : deviceOf(row);
}

function deviceOf(row: Row): Device {
  const policy = maybeText(row, "policy");
  return {
    id: textOf(row, "id"),
    publicKey: textOf(row, "public_key"),
    name: textOf(row, "name"),
    ownerId: textOf(row, "owner_id"),
    group: textOf(row, "device_group"),
    ring: numberOf(row, "ring"),
    revokedMs: maybeNumber(row, "revoked_ms"),
    policy: policy === undefined ? undefined : (JSON.parse(policy) as PolicyPosition),
    decisionSeq: numberOf(row, "decision_seq"),
  };
}

/** A signed request's claims, before any of them is believed. */
export interface DeviceClaim {
  readonly tenant: string;
  readonly device: string;
  readonly timeMs: number;
  readonly nonce: string;
  readonly signature: string;
}

/** Reads the headers of a signed request. */
export function readClaim(headers: Headers): DeviceClaim {
  const value = (name: keyof typeof SIGNATURE_HEADERS) => headers.get(SIGNATURE_HEADERS[name]) ?? "";
  const claim = {
    tenant: value("tenant"),
    device: value("device"),
    timeMs: Number(value("time")),
    nonce: value("nonce"),
    signature: value("signature"),
  };
  const isWhole =
    /^[0-9a-f]{16}$/.test(claim.tenant) &&
    /^dev_[0-9a-f]{16}$/.test(claim.device) &&
    /^[0-9a-f]{32}$/.test(claim.nonce) &&
    Number.isSafeInteger(claim.timeMs);
  if (!isWhole) throw new Problem(401, "bad-signature", "the request is not signed by a device");
  return claim;
}

/** The device that signed; throws the problem otherwise. */
export async function authenticate(
  tx: Tx,
  claim: DeviceClaim,
  path: string,
  body: Uint8Array,
  nowMs: number,
): Promise<Device> {
  const device = await findDevice(tx, claim.device);
  if (device === undefined) throw new Problem(401, "unknown-device", "this server knows no such device");
  const key = readDeviceKey(device.publicKey);
  if (key === undefined || !isRequestSigned({ ...claim, path }, body, claim.signature, key))
    throw new Problem(401, "bad-signature", "the request is not signed by this device");
  if (Math.abs(nowMs - claim.timeMs) > MAX_SKEW_MS)
    throw new Problem(401, "bad-time", "the clock of the device is off", { server_time_ms: nowMs });
  const [fresh] = await tx.rows(
    "insert into device_nonces (device_id, nonce, ends_ms) values ($1, $2, $3) on conflict do nothing returning nonce",
    [claim.device, claim.nonce, claim.timeMs + MAX_SKEW_MS],
  );
  if (fresh === undefined) throw new Problem(401, "bad-signature", "the request was sent before");
  if (device.revokedMs !== undefined)
    throw new Problem(403, "revoked", "the device is revoked", { server_time_ms: nowMs });
  return device;
}
