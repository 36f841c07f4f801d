// The state that a client of the 2026 protocol gives back when it asks again for a call that waits.
// It comes from a client, so it is trusted for nothing but what its seal proves: which call, for
// whom, until when; and it counts once.

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { STATE_PREFIX } from "../../../protocols/mcp/era.ts";
import { isObject, type JsonObject } from "../../../wire/jsonrpc/message.ts";
import { membersOf, spanAt, without } from "../../../wire/jsonrpc/spans.ts";
import { parseStrictJson } from "../../../wire/jsonrpc/strict-json.ts";

const VALID_MS = 15 * 60_000;
/** Used ones that are remembered until they are over. */
const USED_MAX = 50_000;

/** Whether a request's state is one of ours: then the server behind must not see it. */
export function isSealedState(state: unknown): state is string {
  return typeof state === "string" && state.startsWith(STATE_PREFIX);
}

/** Members for the server, which wait inside a state of ours while the client asks iddio again. */
const CARRIED = ["requestState", "inputResponses"];

/**
 * The parameters as the server is meant to get them: without a state of ours and what the client answered to it, and
 * with what the same client had to say to the server before it was given that state.
 */
export function unsealed(params: JsonObject): JsonObject {
  const { requestState, inputResponses: _, ...rest } = params;
  return isSealedState(requestState) ? { ...rest, ...carriedIn(requestState) } : params;
}

/** The text of a request with such parameters. */
export function unsealedText(text: string, params: JsonObject): string {
  const { requestState } = params;
  if (!isSealedState(requestState)) return text;
  const span = spanAt(text, ["params"]);
  if (span === undefined) return text;
  const members = membersOf(text, span);
  const kept = without(
    text,
    members.map(({ whole }) => whole),
    (index) => CARRIED.includes(members[index]?.name ?? ""),
  );
  const carried = JSON.stringify(carriedIn(requestState)).slice(1, -1);
  if (carried === "") return kept;
  const isAlone = members.every(({ name }) => CARRIED.includes(name));
  const at = span.start + 1;
  return `${kept.slice(0, at)}${carried}${isAlone ? "" : ","}${kept.slice(at)}`;
}

function carriedIn(state: string): JsonObject {
  const [, , , coded = ""] = state.slice(STATE_PREFIX.length).split(".");
  const read = coded === "" ? undefined : parseStrictJson(Buffer.from(coded, "base64url").toString());
  if (read === undefined || "problem" in read || !isObject(read.value)) return {};
  return Object.fromEntries(Object.entries(read.value).filter(([name]) => CARRIED.includes(name)));
}

function carry(params: JsonObject): string {
  const carried = Object.entries(params).filter(([name]) => CARRIED.includes(name));
  if (carried.length === 0) return "";
  return `.${Buffer.from(JSON.stringify(Object.fromEntries(carried))).toString("base64url")}`;
}

/** The seals of one daemon; the key lives and dies with it. */
export class StateSeals {
  readonly #key = randomBytes(32);
  readonly #used = new Map<string, number>();

  /** A state for this call and principal; `params` are those of the call, unsealed, which the digest names as well. */
  seal(digest: string, principal: string, params: JsonObject, now = Date.now()): string {
    const body = `${randomBytes(12).toString("hex")}.${now + VALID_MS}`;
    return `${STATE_PREFIX}${body}.${this.#mac(body, digest, principal)}${carry(params)}`;
  }

  /** Whether a state was made for this call and principal, is not over, and was not used before. Uses it. */
  open(state: string, digest: string, principal: string, now = Date.now()): boolean {
    // Carried members are among the unsealed parameters, so the digest speaks for them.
    const [nonce = "", until = "", mac = "", _carried, ...rest] = state.slice(STATE_PREFIX.length).split(".");
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
