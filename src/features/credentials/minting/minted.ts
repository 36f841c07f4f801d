// The token that every way of minting gives, and how long it counts. A token's life is measured as
// a duration: the issuer's clock may be hours away from ours.

/** A token that was minted. */
export interface Minted {
  readonly value: string;
  /** How long it lasts from when it was asked for. */
  readonly lifeMs: number;
  /** The issuer's id of the token; never a part of the token. */
  readonly id?: string;
  /** The token's rights, for the audit row. */
  readonly scope: Readonly<Record<string, unknown>>;
}

/** A token is replaced when this part of its life is over. */
const RENEW_AT = 0.8;
/** A token that is about to end may have ended when it arrives. */
const MARGIN_MS = 5_000;

/** A held value with its purpose and its end. */
export interface HeldValue {
  readonly text: string;
  readonly sinceMs: number;
  /** Another is fetched from then on. */
  readonly renewMs: number;
  /** It is used until then where no other can be had. */
  readonly endMs: number;
  /** Of a token that says when it ends. */
  readonly expiresMs?: number;
}

/** A token as it is held that was asked for at `askedMs`. */
export function heldToken({ value, lifeMs }: Minted, askedMs: number): HeldValue {
  const life = Math.max(0, lifeMs);
  return {
    text: value,
    sinceMs: askedMs,
    renewMs: askedMs + life * RENEW_AT,
    endMs: askedMs + Math.max(0, life - MARGIN_MS),
    expiresMs: askedMs + life,
  };
}

/** A value that says nothing about its end: read again after `keptMs`, and never used longer. */
export function heldFor(text: string, nowMs: number, keptMs: number): HeldValue {
  return { text, sinceMs: nowMs, renewMs: nowMs + keptMs, endMs: nowMs + keptMs };
}

/** How far a value has got. A clock that was turned back makes everything old. */
export function ageOf(value: HeldValue | undefined, nowMs: number): "fresh" | "renew" | "over" {
  if (value === undefined || nowMs < value.sinceMs || nowMs >= value.endMs) return "over";
  return nowMs < value.renewMs ? "fresh" : "renew";
}

/**
 * How long a token lasts that ends at `endMs` by the clock of its issuer. `issuerMs` is the time of that
 * clock, by the Date field of the answer; without it ours is used.
 */
export function lifeOf(endMs: number, issuerMs: number | undefined): number {
  return endMs - (issuerMs === undefined || Number.isNaN(issuerMs) ? Date.now() : issuerMs);
}

/** Quotes an issuer's message for a person, without the secrets that were sent to it, which some servers quote. */
export function issuersWords(text: string, sent: readonly string[]): string {
  let words = text;
  for (const secret of sent) if (secret !== "") words = words.replaceAll(secret, "***");
  return words.replace(/[^\x20-\x7e]/g, " ").slice(0, 300);
}
