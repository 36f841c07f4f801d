// Who may see the console: tokens that open one session each within a minute, and the sessions.
// Both live in memory and end with the daemon. A session remembers the terminal that it was opened
// from; whether that may still decide is asked at each decision (the guard).

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { ConsoleSessionReport } from "../../api/methods/console.ts";
import type { SessionChain } from "../../host/process/session-chain.ts";

/** The caller who opens a session. */
export interface ConsoleOpener {
  /** The processes above the one that asked; undefined when the system did not tell. */
  readonly chain: SessionChain | undefined;
  readonly mayDecide: boolean;
  /** Name of the program, for people. */
  readonly by?: string;
}

/** One session. */
export interface ConsoleSession {
  readonly id: string;
  readonly opener: ConsoleOpener;
  readonly openedMs: number;
  readonly endsMs: number;
  readonly seenMs: number;
  /** Aborted when the session ends. */
  readonly ended: AbortSignal;
}

interface Kept extends ConsoleSession {
  readonly hash: Buffer;
  seenMs: number;
  readonly untilSteadyMs: number;
  readonly stop: AbortController;
}

const TOKEN_MS = 60_000;
const SESSION_MS = 12 * 60 * 60_000;
const TOKENS_MAX = 64;
const SESSIONS_MAX = 64;

/** The sessions of one daemon. */
export class ConsoleSessions {
  readonly #tokens = new Map<string, { readonly opener: ConsoleOpener; readonly untilMs: number }>();
  readonly #sessions = new Map<string, Kept>();
  readonly #steadyMs: () => number;

  /** The clock must not go back. */
  constructor(steadyMs = () => performance.now()) {
    this.#steadyMs = steadyMs;
  }

  /** A token for one session. */
  issue(opener: ConsoleOpener): string {
    const now = this.#steadyMs();
    for (const [each, { untilMs }] of this.#tokens) if (untilMs <= now) this.#tokens.delete(each);
    const oldest = this.#tokens.size >= TOKENS_MAX ? this.#tokens.keys().next().value : undefined;
    if (oldest !== undefined) this.#tokens.delete(oldest);
    const token = randomBytes(32).toString("hex");
    this.#tokens.set(keyOf(token), { opener, untilMs: now + TOKEN_MS });
    return token;
  }

  /** Takes a token for a session and the secret that names it from now on; undefined when it is not, or no longer, one. */
  open(token: string): { readonly secret: string; readonly session: ConsoleSession } | undefined {
    const key = keyOf(token);
    const asked = this.#tokens.get(key);
    // Gone before anything else happens: of two that come with it, one finds nothing.
    this.#tokens.delete(key);
    const now = this.#steadyMs();
    if (asked === undefined || asked.untilMs <= now) return undefined;
    this.#forgetEnded();
    const oldest = this.#sessions.size >= SESSIONS_MAX ? this.#sessions.keys().next().value : undefined;
    if (oldest !== undefined) this.revoke(oldest);
    const secret = randomBytes(32).toString("hex");
    const stop = new AbortController();
    const openedMs = Date.now();
    const session: Kept = {
      id: randomBytes(4).toString("hex"),
      opener: asked.opener,
      openedMs,
      endsMs: openedMs + SESSION_MS,
      seenMs: openedMs,
      untilSteadyMs: now + SESSION_MS,
      hash: hashOf(secret),
      stop,
      ended: stop.signal,
    };
    this.#sessions.set(session.id, session);
    return { secret: `${session.id}.${secret}`, session };
  }

  /** The session that a secret names. */
  find(secret: string): ConsoleSession | undefined {
    this.#forgetEnded();
    const [id = "", rest = ""] = secret.split(".", 2);
    const session = this.#sessions.get(id);
    if (session === undefined || !timingSafeEqual(hashOf(rest), session.hash)) return undefined;
    session.seenMs = Date.now();
    return session;
  }

  /** Returns the terminal session that opened this one, if it may decide. */
  deciderOf(id: string | undefined): SessionChain | undefined {
    this.#forgetEnded();
    const session = id === undefined ? undefined : this.#sessions.get(id);
    return session?.opener.mayDecide === true ? session.opener.chain : undefined;
  }

  /** The sessions, oldest first. */
  list(): ConsoleSessionReport[] {
    this.#forgetEnded();
    return [...this.#sessions.values()].map(({ id, openedMs, endsMs, seenMs, opener }) => ({
      id,
      opened_ms: openedMs,
      ends_ms: endsMs,
      seen_ms: seenMs,
      may_decide: opener.mayDecide,
      ...(opener.by === undefined ? {} : { opened_by: opener.by }),
    }));
  }

  /** Ends a session; false when there is none. */
  revoke(id: string): boolean {
    const session = this.#sessions.get(id);
    session?.stop.abort();
    return this.#sessions.delete(id);
  }

  /** Ends all, and forgets the tokens. */
  revokeAll(): number {
    this.#tokens.clear();
    const ids = [...this.#sessions.keys()];
    for (const id of ids) this.revoke(id);
    return ids.length;
  }

  #forgetEnded(): void {
    const now = this.#steadyMs();
    for (const [id, { untilSteadyMs }] of this.#sessions) if (untilSteadyMs <= now) this.revoke(id);
  }
}

function keyOf(token: string): string {
  return hashOf(token).toString("hex");
}

function hashOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
