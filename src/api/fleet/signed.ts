// Verifies the control plane's signed texts for a device: policy bundles, decisions, and the next
// keys. The device pinned the tenant's keys when it enrolled. Owns every check that a device makes
// before it believes one: kind, key, tenant, device, validity, and that a policy never goes back. A
// refused text changes nothing.

import { createHash, type KeyObject, sign, verify } from "node:crypto";
import { valueProblem } from "../check-value.ts";
import { flag, list, number, object, optional, type Schema, text, type Value, words } from "../schema.ts";
import {
  BUNDLE_KINDS,
  type BundleKind,
  type PolicyPosition,
  type ServerKey,
  type SignedText,
  serverKey,
} from "./protocol.ts";
import { readDeviceKey } from "./request-signature.ts";

/** The content of a policy bundle. */
export const bundlePayload = object({
  tenant: text(),
  kind: words(BUNDLE_KINDS),
  epoch: number(),
  revision: number(),
  digest: text("sha256 of `policy`, in hex"),
  policy: text("policy.yaml"),
  /** Asks of these tiers may only be allowed by a decision from the server; the device itself may deny. */
  central_tiers: list(text()),
  issued_ms: number(),
  expires_ms: number("a device takes no bundle after this; one that it has stays"),
  max_age_ms: number(
    "without a sync for so long, the device asks a person where this policy allows; 0 for never",
  ),
  may_loosen_locally: optional(flag("never true today: a local policy may only tighten")),
});

/** The content of a decision. */
export const decisionPayload = object({
  tenant: text(),
  device: text(),
  approval: text(),
  digest: text(),
  nonce: text(),
  verb: words(["allow", "deny"]),
  for_ms: number("0: from elsewhere one request is let through, and a decision that says more is not taken"),
  by: text("who decided, as people know him"),
  by_id: text("id of that person"),
  via: optional(
    words(["slack", "webhook"], "where he answered, when that is worth less than the control plane's page"),
  ),
  reason: text(),
  decided_ms: number(),
  expires_ms: number("worth nothing after this"),
});

/** The keys that are valid from now on; signed by one that is. */
export const keysPayload = object({ tenant: text(), epoch: number(), keys: list(serverKey) });

const PAYLOADS = { bundle: bundlePayload, decision: decisionPayload, keys: keysPayload } as const;

/** The kinds of signed texts. */
export type SignedKind = keyof typeof PAYLOADS;

/** The content of a kind. */
export type Payload<K extends SignedKind> = Value<(typeof PAYLOADS)[K]>;

/** A checked value, or why it is not believed, as a clause. */
export type Checked<T> =
  | { readonly kind: "good"; readonly value: T }
  | { readonly kind: "refused"; readonly reason: string };

/** Signs. Only the server does. */
export function signPayload<K extends SignedKind>(
  kind: K,
  value: Payload<K>,
  key: { readonly id: string; readonly privateKey: KeyObject },
): SignedText {
  const payload = JSON.stringify(value);
  return {
    kind,
    payload,
    key: key.id,
    signature: sign(null, octetsOf(kind, payload), key.privateKey).toString("base64"),
  };
}

/** Opens a signed text, if a pinned key signed it for this tenant. */
export function openSigned<K extends SignedKind>(
  kind: K,
  signed: SignedText,
  pinned: { readonly tenant: string; readonly keys: readonly ServerKey[] },
): Checked<Payload<K>> {
  if (signed.kind !== kind) return refused(`it is a ${signed.kind}, not a ${kind}`);
  const key = pinned.keys.find(({ id }) => id === signed.key);
  const publicKey = key === undefined ? undefined : readDeviceKey(key.public_key);
  if (publicKey === undefined) return refused(`it is signed with a key that is not pinned ('${signed.key}')`);
  if (!isSigned(kind, signed, publicKey)) return refused("its signature is wrong");
  let value: unknown;
  try {
    value = JSON.parse(signed.payload);
  } catch {
    return refused("its payload is not JSON");
  }
  const schema: Schema<unknown> = PAYLOADS[kind];
  const problem = valueProblem(schema, value, "open");
  if (problem !== undefined) return refused(problem);
  const payload = value as Payload<K>;
  return payload.tenant === pinned.tenant
    ? { kind: "good", value: payload }
    : refused("it is for another tenant");
}

/** The device's state that a bundle must fit. */
export interface BundleStanding {
  readonly tenant: string;
  readonly keys: readonly ServerKey[];
  readonly wanted: BundleKind;
  /** The highest position that this device ever had for this kind; it outlives a second enrolment. */
  readonly have: PolicyPosition | undefined;
  readonly nowMs: number;
}

/** The bundle, when the device may take it: signed, in time, whole, and not older than its own. */
export function openBundle(signed: SignedText, standing: BundleStanding): Checked<Payload<"bundle">> {
  const opened = openSigned("bundle", signed, standing);
  if (opened.kind === "refused") return opened;
  const { value } = opened;
  const { have } = standing;
  if (value.kind !== standing.wanted)
    return refused(`it is a bundle of the kind ${value.kind}, not ${standing.wanted}`);
  if (policyDigest(value.policy) !== value.digest) return refused("its policy has another digest");
  if (value.expires_ms <= standing.nowMs) return refused("it has expired");
  if (have === undefined || isNewerPosition(value, have)) return opened;
  const isSame =
    value.epoch === have.epoch && value.revision === have.revision && value.digest === have.digest;
  return isSame
    ? opened
    : refused(`revision ${value.epoch}.${value.revision} is not newer than ${have.epoch}.${have.revision}`);
}

/** The device's state that a decision must fit. */
export interface DecisionStanding {
  readonly tenant: string;
  readonly device: string;
  readonly keys: readonly ServerKey[];
  readonly nowMs: number;
  /** The hold with this id, as it was reported. */
  readonly held: (approval: string) => { readonly digest: string; readonly nonce: string } | undefined;
}

/** The decision, when it is about this hold on this device and still in time. */
export function openDecision(signed: SignedText, standing: DecisionStanding): Checked<Payload<"decision">> {
  const opened = openSigned("decision", signed, standing);
  if (opened.kind === "refused") return opened;
  const { device, approval, digest, nonce, expires_ms } = opened.value;
  if (device !== standing.device) return refused("it is for another device");
  if (expires_ms <= standing.nowMs) return refused("it has expired");
  const held = standing.held(approval);
  if (held === undefined) return refused(`nothing waits as '${approval}'`);
  if (held.digest !== digest) return refused("it is about another request");
  return held.nonce === nonce ? opened : refused("it is about an earlier wait");
}

/** Whether a position comes after another. */
export function isNewerPosition(
  one: Pick<PolicyPosition, "epoch" | "revision">,
  other: Pick<PolicyPosition, "epoch" | "revision">,
): boolean {
  return one.epoch === other.epoch ? one.revision > other.revision : one.epoch > other.epoch;
}

/** SHA-256 of a policy's text, in hex. */
export function policyDigest(policy: string): string {
  return createHash("sha256").update(policy).digest("hex");
}

/** The hash of a row in a device's chain: it covers all rows before. `prev` is 64 zeros before the first. */
export function rowHash(prev: string, line: string): string {
  return createHash("sha256").update(`${prev}\n${line}`).digest("hex");
}

function isSigned(kind: SignedKind, { payload, signature }: SignedText, key: KeyObject): boolean {
  try {
    return verify(null, octetsOf(kind, payload), key, Buffer.from(signature, "base64"));
  } catch {
    return false;
  }
}

function octetsOf(kind: SignedKind, payload: string): Buffer {
  return Buffer.from(`iddio fleet ${kind} v1\n${payload}`);
}

function refused(reason: string): { readonly kind: "refused"; readonly reason: string } {
  return { kind: "refused", reason };
}
