// How a device signs its requests to the control plane: Ed25519 over the call, the device, the time
// and the body. The key never leaves the device. Nothing in a request can be replaced, and a
// request cannot be kept for later; sending one again within its few minutes does nothing twice,
// because every call of the contract is idempotent.

import { createHash, createPublicKey, type KeyObject, randomBytes, sign, verify } from "node:crypto";

/** Headers of a signed request, in lower case. */
export const SIGNATURE_HEADERS = {
  tenant: "iddio-tenant",
  device: "iddio-device",
  time: "iddio-time",
  nonce: "iddio-nonce",
  signature: "iddio-signature",
} as const;

/** How far the clocks may be apart. */
export const MAX_SKEW_MS = 5 * 60_000;

/** Who signs. */
export interface DeviceIdentity {
  readonly tenant: string;
  readonly device: string;
}

/** The facts that are signed together with the body. */
export interface RequestStamp extends DeviceIdentity {
  readonly path: string;
  /** Unix milliseconds, by the server's clock as far as the device knows it. */
  readonly timeMs: number;
  readonly nonce: string;
}

/** The headers that make a request of a device's. `path` is that of the contract, without the prefix of the server. */
export function signedHeaders(
  identity: DeviceIdentity,
  key: KeyObject,
  request: { readonly path: string; readonly body: string; readonly timeMs: number },
): Record<string, string> {
  const stamp = { ...identity, ...request, nonce: randomBytes(16).toString("hex") };
  return {
    [SIGNATURE_HEADERS.tenant]: identity.tenant,
    [SIGNATURE_HEADERS.device]: identity.device,
    [SIGNATURE_HEADERS.time]: String(request.timeMs),
    [SIGNATURE_HEADERS.nonce]: stamp.nonce,
    [SIGNATURE_HEADERS.signature]: sign(null, signedOctets(stamp, request.body), key).toString("base64"),
  };
}

/** Whether a request is signed by this key. */
export function isRequestSigned(
  stamp: RequestStamp,
  body: string | Uint8Array,
  signature: string,
  publicKey: KeyObject,
): boolean {
  try {
    return verify(null, signedOctets(stamp, body), publicKey, Buffer.from(signature, "base64"));
  } catch {
    return false;
  }
}

/** Reads an Ed25519 public key, DER in base64; undefined when it is none. */
export function readDeviceKey(text: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(text, "base64"), format: "der", type: "spki" });
    return key.asymmetricKeyType === "ed25519" ? key : undefined;
  } catch {
    return undefined;
  }
}

/** The public half of a key, as it travels. */
export function writePublicKey(key: KeyObject): string {
  const half = key.type === "public" ? key : createPublicKey(key);
  return half.export({ format: "der", type: "spki" }).toString("base64");
}

/** The octets that an enrolment's signature covers: the holder of the token proves that he holds the key. */
export function enrollmentOctets(token: string, publicKey: string): Buffer {
  return Buffer.from(`iddio fleet enroll v1\n${token}\n${publicKey}\n`);
}

function signedOctets(
  { tenant, device, path, timeMs, nonce }: RequestStamp,
  body: string | Uint8Array,
): Buffer {
  const hash = createHash("sha256").update(body).digest("hex");
  return Buffer.from(`iddio fleet request v1\n${path}\n${tenant}\n${device}\n${timeMs}\n${nonce}\n${hash}\n`);
}
