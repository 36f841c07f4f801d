// Messages signed as the Standard Webhooks specification has it: HMAC-SHA256 over id, time and
// body, one signature for each secret that is valid at the time. It signs our messages and checks
// the replies.

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** How far the clock of a sender may be off, in seconds. */
const TOLERANCE_S = 5 * 60;
const SECRET = /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/;

/** The three fields of a signed message. `secrets` are `whsec_` and base64. */
export function webhookHeaders(
  id: string,
  seconds: number,
  body: string,
  secrets: readonly string[],
): Readonly<Record<string, string>> {
  const signatures = secrets.map((secret) => `v1,${signatureOf(id, String(seconds), body, secret)}`);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": signatures.join(" "),
  };
}

/** Why a message that came in is not taken, as a clause; undefined when one of the secrets signed it just now. */
export function webhookProblem(
  header: (name: string) => string | undefined,
  body: string,
  secrets: readonly string[],
  nowMs: number,
): string | undefined {
  const id = header("webhook-id") ?? "";
  const time = header("webhook-timestamp") ?? "";
  if (id === "" || !/^\d{1,12}$/.test(time)) return "it is not signed";
  if (Math.abs(nowMs / 1000 - Number(time)) > TOLERANCE_S) return "its time is more than five minutes off";
  const given = (header("webhook-signature") ?? "").split(" ").slice(0, 10);
  const wanted = secrets.map((secret) => Buffer.from(signatureOf(id, time, body, secret)));
  const isSigned = given
    .filter((each) => each.startsWith("v1,"))
    .map((each) => Buffer.from(each.slice(3)))
    .some((each) => wanted.some((one) => one.length === each.length && timingSafeEqual(one, each)));
  return isSigned ? undefined : "its signature is not one of the secrets'";
}

/** Whether a text can be a secret: `whsec_` and at least 24 bytes in base64. */
export function isWebhookSecret(text: string): boolean {
  return SECRET.test(text);
}

/** A new secret. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

function signatureOf(id: string, seconds: string, body: string, secret: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
}
