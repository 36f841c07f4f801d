// How a machine becomes one of a fleet: it makes a key, proves with it that it holds the one-time
// token, and pins the keys that the control plane answers with. The key never leaves the machine.

import { generateKeyPairSync, sign } from "node:crypto";
import { hostname } from "node:os";
import type { ServerKey, SignedText } from "../../api/fleet/protocol.ts";
import { enrollmentOctets, writePublicKey } from "../../api/fleet/request-signature.ts";
import { openSigned } from "../../api/fleet/signed.ts";
import { UserError } from "../../model/user-error.ts";
import { isSecureUrl } from "../../text/secure-url.ts";
import { callUnsigned } from "./fleet-link.ts";

/** Where a machine belongs, as it is stored. */
export interface Enrolment {
  readonly url: string;
  readonly ca_pem?: string;
  readonly tenant: string;
  readonly tenant_name: string;
  readonly device_id: string;
  readonly owner: string;
  /** Absent where the control plane did not say it. */
  readonly owner_id?: string;
  readonly epoch: number;
  readonly keys: readonly ServerKey[];
  /** PKCS #8, PEM. */
  readonly private_key: string;
  readonly sync_ms: number;
}

/** The inputs of an enrolment. */
export interface EnrolStart {
  readonly url: string;
  readonly token: string;
  readonly ca_pem?: string;
  readonly name?: string;
}

const MAX_KEYS = 8;
const SYNC_MS = { least: 1_000, most: 60 * 60_000 } as const;

/** Enrols. Throws a `UserError` when the control plane does not take the token, or cannot be reached. */
export async function enrol(
  start: EnrolStart,
  version: string,
  proxyFor: (url: string) => string,
): Promise<Enrolment> {
  const { url, token, ca_pem } = start;
  if (!isSecureUrl(url) || new URL(url).username !== "" || new URL(url).search !== "")
    throw new UserError(`'${url}' cannot be the address of a control plane`, {
      hint: "https://iddio.example.com, or http:// on this machine",
      exitCode: 2,
    });
  if (!/^idet_[A-Za-z0-9_-]{1,100}_[A-Za-z0-9_-]{16,200}$/.test(token))
    throw new UserError("this is no enrolment token", { hint: "idet_<tenant>_<secret>", exitCode: 2 });
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const public_key = writePublicKey(publicKey);
  const proof = sign(null, enrollmentOctets(token, public_key), privateKey).toString("base64");
  const place = { url, proxyFor, ...(ca_pem === undefined ? {} : { caPem: ca_pem }) };
  const input = {
    token,
    public_key,
    proof,
    name: start.name ?? hostname(),
    platform: `${process.platform}-${process.arch}`,
    version,
  };
  const answer = await callUnsigned(place, "enroll", JSON.stringify(input), {});
  if (answer.kind === "unreachable")
    throw new UserError(`the control plane cannot be reached: ${answer.reason}`, {
      hint: "see whether the address is right; the token is still good",
    });
  if (answer.kind === "problem")
    throw new UserError(`the control plane refused: ${answer.problem.title}`, {
      hint:
        answer.problem.code === "no-tenant"
          ? "see whether the address is the tenant's own; the token is still good"
          : "ask for a new token: each is good once, for a day, at its own tenant's address",
    });
  const { tenant, tenant_name, device_id, owner, owner_id, epoch, keys, sync_ms } = answer.value;
  if (keys.length === 0 || keys.length > MAX_KEYS)
    throw new UserError("the control plane names no key to know it by", { hint: "is it one?" });
  return {
    url,
    ...(ca_pem === undefined ? {} : { ca_pem }),
    ...{ tenant, tenant_name, device_id, owner, epoch, keys },
    ...(owner_id === undefined ? {} : { owner_id }),
    private_key: String(privateKey.export({ format: "pem", type: "pkcs8" })),
    sync_ms: boundedSyncMs(sync_ms),
  };
}

/** The enrolment with the keys that a pinned key signed, and how often to sync; `renewed` is absent when nothing changes. */
export function renewedEnrolment(
  enrolment: Enrolment,
  signed: SignedText | undefined,
  syncMs: number,
): { readonly renewed?: Enrolment; readonly problem?: string } {
  const sync_ms = boundedSyncMs(syncMs);
  const opened = signed === undefined ? undefined : openSigned("keys", signed, enrolment);
  const problem = opened?.kind === "refused" ? { problem: opened.reason } : {};
  const offered = opened?.kind === "good" ? opened.value.keys : [];
  const keys = offered.length === 0 || offered.length > MAX_KEYS ? enrolment.keys : offered;
  const isSame = sync_ms === enrolment.sync_ms && JSON.stringify(keys) === JSON.stringify(enrolment.keys);
  return isSame ? problem : { ...problem, renewed: { ...enrolment, keys, sync_ms } };
}

/** How often a device syncs, whatever a server says. */
export function boundedSyncMs(ms: number): number {
  return Number.isFinite(ms) ? Math.min(SYNC_MS.most, Math.max(SYNC_MS.least, ms)) : SYNC_MS.most;
}
