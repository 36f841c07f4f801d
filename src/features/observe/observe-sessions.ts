// Observe sessions: a bounded time in observe mode that ends by itself and brings back the
// mode that was there. It is over by whichever clock says so first: a laptop that slept does
// not wake up in it, and a clock that is set back prolongs nothing. Another mode ends it too.

import type { ModeHolder } from "../../gateway/request/mode.ts";
import type { Events } from "../../gateway/request/records/events.ts";
import type { Mode } from "../../model/mode.ts";
import { UserError } from "../../model/user-error.ts";
import { Deadline } from "../../state/deadline.ts";
import type {
  EndedSession,
  ObserveSession,
  StoredObserveSession,
} from "../../state/tables/observe-session.ts";
import { renderDuration } from "../../text/duration.ts";

/** Why a session ended. */
export type ObserveEnd = "time" | "stopped" | "mode";

interface SessionParts {
  readonly stored: StoredObserveSession;
  readonly mode: ModeHolder;
  readonly events: Events;
  /** Hears of every end that nobody typed a command for. */
  readonly onEnd: (session: ObserveSession, why: ObserveEnd, restored: Mode) => void;
}

/** Long enough for any study, short enough that nobody forgets that nothing is enforced. */
const MAX_MS = 7 * 24 * 60 * 60_000;
const LOOK_MS = 2_000;

/** The one session that may run; one per daemon. */
export class ObserveSessions {
  readonly #parts: SessionParts;
  #session: ObserveSession | undefined;
  #deadline: Deadline | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isRestoring = false;

  /** Takes up the session that ran when the daemon stopped; one whose time has run out meanwhile is ended. */
  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#session = parts.stored.read();
    if (this.#session !== undefined) {
      this.#deadline = new Deadline(this.#session.startedMs, this.#session.endsMs);
      if (!this.#deadline.isOver()) parts.mode.set("observe");
      this.#look();
    }
    parts.mode.onChange((current) => {
      if (current !== "observe" && !this.#isRestoring && this.#session) this.#end("mode");
    });
  }

  /** The session that runs. */
  get current(): ObserveSession | undefined {
    return this.#session;
  }

  /** The last session, while none runs. */
  get last(): EndedSession | undefined {
    return this.#session === undefined ? this.#parts.stored.last() : undefined;
  }

  /** Starts one. Throws a UserError when one runs, or when the time makes no sense. */
  start(durationMs: number): ObserveSession {
    const now = Date.now();
    if (this.#session !== undefined)
      throw new UserError(
        `an observe session runs already; it ends in ${renderDuration(this.#session.endsMs - now)}`,
        { hint: "end it with: iddio observe stop" },
      );
    if (!(durationMs >= 1_000 && durationMs <= MAX_MS))
      throw new UserError("an observe session lasts from 1s to 7d", {
        hint: "type: iddio observe start --duration 30m",
        exitCode: 2,
      });
    const session = { startedMs: now, endsMs: now + durationMs, previousMode: this.#parts.mode.current };
    this.#parts.stored.write(session);
    this.#session = session;
    this.#deadline = new Deadline(session.startedMs, session.endsMs, now);
    this.#parts.events.publish("observe_started", sessionFields(session));
    this.#parts.mode.set("observe");
    this.#look();
    return session;
  }

  /** Ends the session early and brings the mode back. Throws a UserError when none runs. */
  stop(): { readonly session: ObserveSession; readonly restored: Mode } {
    const session = this.#session;
    if (session === undefined)
      throw new UserError("no observe session runs", {
        hint: "start one with: iddio observe start",
        code: "not-found",
      });
    return { session, restored: this.#end("stopped") };
  }

  /** Stops looking at the clock; what runs is taken up by the next daemon. */
  close(): void {
    clearTimeout(this.#timer);
    this.#session = undefined;
  }

  #look(): void {
    clearTimeout(this.#timer);
    if (this.#session === undefined || this.#deadline === undefined) return;
    const leftMs = this.#deadline.leftMs();
    if (leftMs <= 0) this.#end("time");
    else this.#timer = setTimeout(() => this.#look(), Math.min(leftMs, LOOK_MS)).unref();
  }

  #end(why: ObserveEnd): Mode {
    const session = this.#session;
    const { mode, stored, events, onEnd } = this.#parts;
    if (session === undefined) return mode.current;
    clearTimeout(this.#timer);
    this.#session = undefined;
    // A daemon that was down notices the end late.
    stored.end(Math.min(Date.now(), session.endsMs));
    if (why !== "mode") {
      this.#isRestoring = true;
      mode.set(session.previousMode);
      this.#isRestoring = false;
    }
    events.publish("observe_ended", { ...sessionFields(session), why, proxy_mode: mode.current });
    if (why !== "stopped") onEnd(session, why, mode.current);
    return mode.current;
  }
}

function sessionFields({ startedMs, endsMs, previousMode }: ObserveSession): Record<string, unknown> {
  return { started_ms: startedMs, ends_ms: endsMs, previous_mode: previousMode };
}
