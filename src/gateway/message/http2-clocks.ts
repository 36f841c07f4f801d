// Watches a peer of an HTTP/2 connection by the clock, because the engine has none: which of the
// peer's duties is overdue. The caller decides what to do about it. A stream that is quiet, or
// whose reader pauses, is alive.

import { H2_ERROR, type Http2Connection } from "../../wire/http2/connection.ts";
import { PATIENCE } from "../stream/patience.ts";
import { QUEUED } from "../stream/queued-octets.ts";

/** More than this is not kept for a few streams whose readers pause: a pager over a log may pause for hours. */
const STARVED_BYTES = 1024 * 1024;

/** `ask`: a sign of life is wanted. `lost`: there was none. Else a rule was broken, with HTTP/2's own code for it. */
export type Overdue =
  | { readonly kind: "ask" }
  | { readonly kind: "lost"; readonly reason: string }
  | { readonly kind: "fault"; readonly code: number; readonly reason: string };

/** The clocks of one connection. */
export class Http2Clocks {
  readonly #connection: Http2Connection;
  #firstMs: number | undefined;
  #receivedMs = Date.now();
  #askedMs: number | undefined;
  #sentOctets = 0;
  #movedMs = Date.now();
  #unitsRead = 0;
  #wholeMs = Date.now();

  constructor(connection: Http2Connection) {
    this.#connection = connection;
  }

  /** Bytes have come from the peer. */
  received(): void {
    this.#receivedMs = Date.now();
    this.#firstMs ??= this.#receivedMs;
    this.#askedMs = undefined;
  }

  /** Milliseconds since the peer's last byte. */
  get quietMs(): number {
    return Date.now() - this.#receivedMs;
  }

  /** The peer is asked for a sign of life. False: it was already, and has not answered. */
  ask(): boolean {
    if (this.#askedMs !== undefined) return false;
    this.#askedMs = Date.now();
    return true;
  }

  /** Returns the duty that is overdue now, if any. `isAwaited`: somebody waits for the peer. */
  check(isAwaited: boolean): Overdue | undefined {
    const now = Date.now();
    return this.#silence(now, isAwaited) ?? this.#settings(now) ?? this.#starvation(now) ?? this.#crumbs(now);
  }

  #silence(now: number, isAwaited: boolean): Overdue | undefined {
    if (!isAwaited) return undefined;
    if (this.#askedMs !== undefined && now - this.#askedMs > PATIENCE.http2AnswerMs)
      return { kind: "lost", reason: "a PING was not answered" };
    return now - this.#receivedMs > PATIENCE.http2QuietMs ? { kind: "ask" } : undefined;
  }

  #settings(now: number): Overdue | undefined {
    if (this.#firstMs === undefined || this.#connection.isAcknowledged) return undefined;
    if (now - this.#firstMs <= PATIENCE.http2SettingsMs) return undefined;
    return { kind: "fault", code: H2_ERROR.SETTINGS_TIMEOUT, reason: "settings not acknowledged" };
  }

  #starvation(now: number): Overdue | undefined {
    const { sentOctets, queuedBytes } = this.#connection;
    if (sentOctets !== this.#sentOctets || queuedBytes <= STARVED_BYTES) {
      this.#sentOctets = sentOctets;
      this.#movedMs = now;
    }
    const patienceMs = QUEUED.isTight ? PATIENCE.http2TightMs : PATIENCE.http2StarvedMs;
    if (now - this.#movedMs <= patienceMs) return undefined;
    return { kind: "fault", code: H2_ERROR.ENHANCE_YOUR_CALM, reason: "windows that never open" };
  }

  #crumbs(now: number): Overdue | undefined {
    const { unitsRead, isInsideUnit } = this.#connection;
    if (!isInsideUnit || unitsRead !== this.#unitsRead) {
      this.#unitsRead = unitsRead;
      this.#wholeMs = now;
    }
    if (now - this.#wholeMs <= PATIENCE.headMs) return undefined;
    return { kind: "fault", code: H2_ERROR.ENHANCE_YOUR_CALM, reason: "a frame or head that took too long" };
  }
}
