// The state that a client of the 2026 protocol gives back when it asks again for a call that waits.
// It comes from a client, so it is trusted for nothing but what its seal proves: which call, for
// whom, until when; and it counts once.

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { JsonObject } from "../../../wire/jsonrpc/message.ts";
import { membersOf, spanAt, without } from "../../../wire/jsonrpc/spans.ts";

const PREFIX = "iddio.";
const VALID_MS = 15 * 60_000;
/** Used ones that are remembered until they are over. */
const USED_MAX = 50_000;

/** Whether a request's state is one of ours: then the server behind must not see it. */
export function isSealedState(state: unknown): state is string {
  return typeof state === "string" && state.startsWith(PREFIX);
}

/** The text of a request without a state of ours and a client's answer to it: the server behind has not asked. */
export function withoutSealedState(text: string, params: JsonObject): string {
  if (!isSealedState(params.requestState)) return text;
  const span = spanAt(text, ["params"]);
  if (span === undefined) return text;
  const members = membersOf(text, span);
  const ours = new Set(["requestState", "inputResponses"]);
  return without(
    text,
    members.map(({ whole }) => whole),
    (index) => ours.has(members[index]?.name ?? ""),
  );
}

/** The seals of one daemon; the key lives and dies with it. */
export class StateSeals {
  readonly #key = randomBytes(32);
  readonly #used = new Map<string, number>();

  /** A state for this call and principal. */
  seal(digest: string, principal: string, now = Date.now()): string {
    const body = `${randomBytes(12).toString("hex")}.${now + VALID_MS}`;
    return `${PREFIX}${body}.${this.#mac(body, digest, principal)}`;
  }

  /** Whether a state was made for this call and principal, is not over, and was not used before. Uses it. */
  open(state: string, digest: string, principal: string, now = Date.now()): boolean {
    const [nonce = "", until = "", mac = "", ...rest] = state.slice(PREFIX.length).split(".");
    const wanted = Buffer.from(this.#mac(`${nonce}.${until}`, digest, principal));
    const given = Buffer.from(mac);
    if (rest.length > 0 || given.length !== wanted.length || !timingSafeEqual(given, wanted)) return false;
    if (Number(until) <= now || this.#used.has(nonce)) return false;
    for (const [old, end] of this.#used)
      if (end <= now || this.#used.size >= USED_MAX) this.#used.delete(old);
    this.#used.set(nonce, Number(until));
    return true;
  }

  #mac(body: string, digest: string, principal: string): string {
    return createHmac("sha256", this.#key)
      .update(JSON.stringify([body, digest, principal]))
      .digest("hex");
  }
}
