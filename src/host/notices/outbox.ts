// The outbox of one target: which questions it was told, and how far. A row holds the step that the
// target should show (`wanted`) and the one that it shows (`shown`), so that a state that came and
// went while a target was down is not told any more, and a state is told once. A row is claimed
// before it is sent: after a crash nobody knows whether it arrived, and then it is looked for, not
// repeated. Whoever uses it keeps the rows; the daemon in state.db, the server in its database.

import { backOffMs } from "../outgoing/back-off.ts";
import { NOTICE_STEPS, type Notice, type NoticeSender, type NoticeStep, type Sent } from "./notice.ts";

/** One question for one target. */
export interface OutboxRow {
  readonly wanted: Notice;
  /** The last step that the target was told; undefined before the first. */
  readonly shown: NoticeStep | undefined;
  /** The target's own name for the message. */
  readonly handle: string | undefined;
  /** A sending was begun and its end is not known. */
  readonly isClaimed: boolean;
}

/** A change of a row. Fields that are absent stay. */
export interface RowChange {
  readonly shown?: NoticeStep;
  readonly handle?: string;
  readonly isClaimed?: boolean;
  /** The reason why it will never be sent. */
  readonly setAside?: string;
}

type Awaitable<T> = T | Promise<T>;

/** Where the rows of one target are. Written before it returns. */
export interface OutboxStore {
  /** The oldest row whose `wanted` is ahead of `shown` and that was not set aside. */
  next(): Awaitable<OutboxRow | undefined>;
  change(subject: string, change: RowChange): Awaitable<void>;
}

/** The parts that one outbox works with. */
export interface OutboxParts {
  readonly store: OutboxStore;
  readonly sender: NoticeSender;
  /** Tells of a target that fails for the first time, and of one that works again. */
  readonly onTurn: (problem: string | undefined) => void;
  readonly onSetAside: (notice: Notice, reason: string) => void;
  readonly now?: () => number;
  /** Before the first repetition; tests shorten it. */
  readonly firstRetryMs?: number;
}

/** How it goes. */
export interface OutboxState {
  readonly delivered: number;
  readonly setAside: number;
  readonly lastDeliveredMs: number | undefined;
  readonly problem: string | undefined;
  readonly failingSinceMs: number | undefined;
}

const IDLE_MS = 60_000;

/** Sends until closed: one message at a time, in the order in which the questions were asked. */
export class Outbox implements AsyncDisposable {
  readonly #parts: OutboxParts;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #wake: (() => void) | undefined;
  #isWoken = false;
  #isBackingOff = false;
  #failures = 0;
  #delivered = 0;
  #setAside = 0;
  #lastDeliveredMs: number | undefined;
  #problem: string | undefined;
  #failingSinceMs: number | undefined;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#running = this.#run();
  }

  /** How it goes now. */
  get state(): OutboxState {
    return {
      delivered: this.#delivered,
      setAside: this.#setAside,
      lastDeliveredMs: this.#lastDeliveredMs,
      problem: this.#problem,
      failingSinceMs: this.#failingSinceMs,
    };
  }

  /** Why nothing can be answered there now, where it could be. */
  get problem(): string | undefined {
    return this.#parts.sender.problem;
  }

  /** Something is new. */
  hurry(): void {
    // A target that fails is not asked more often because there is more to tell.
    if (this.#isBackingOff) return;
    this.#isWoken = true;
    this.#wake?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#running;
    await this.#parts.sender[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      let waitMs: number;
      this.#isWoken = false;
      this.#isBackingOff = false;
      try {
        waitMs = await this.#step();
      } catch (error) {
        waitMs = this.#failed(error instanceof Error ? error.message : String(error));
      }
      if (waitMs > 0) await this.#pause(waitMs);
    }
  }

  /** One row; gives how long to wait before the next. */
  async #step(): Promise<number> {
    const { store, sender, now = Date.now } = this.#parts;
    const row = await store.next();
    if (row === undefined) return this.#isWoken ? 0 : IDLE_MS;
    const { wanted } = row;
    const { subject } = wanted;
    const step = nextStep(row, sender, now());
    if (step === undefined) {
      await store.change(subject, { shown: wanted.step, isClaimed: false });
      return 0;
    }
    if (row.isClaimed && !sender.mayRepeat && row.handle === undefined) {
      const found = await sender.find?.(wanted, this.#stop.signal);
      if (found?.kind === "there") {
        return this.#sent(row, "asked", { kind: "delivered", handle: found.handle });
      }
      if (found?.kind !== "absent") return this.#putAside(row, found?.reason ?? "it cannot be looked for");
    }
    await store.change(subject, { isClaimed: true });
    const sent = await sender.send({ ...wanted, step }, row.handle, this.#stop.signal);
    return this.#sent(row, step, sent);
  }

  async #sent(row: OutboxRow, step: NoticeStep, sent: Sent): Promise<number> {
    const { store, sender, onTurn, now = Date.now } = this.#parts;
    const { subject } = row.wanted;
    if (sent.kind === "refused") return this.#putAside(row, sent.reason);
    if (sent.kind === "failed") {
      if (sent.isUncertain !== true) await store.change(subject, { isClaimed: false });
      return this.#failed(sent.reason, sent.afterMs);
    }
    await store.change(subject, {
      shown: step,
      isClaimed: false,
      ...(sent.handle === undefined ? {} : { handle: sent.handle }),
    });
    this.#delivered += 1;
    this.#lastDeliveredMs = now();
    if (this.#failures > 0) onTurn(undefined);
    this.#failures = 0;
    this.#problem = undefined;
    this.#failingSinceMs = undefined;
    return sender.gapMs;
  }

  async #putAside({ wanted }: OutboxRow, reason: string): Promise<number> {
    await this.#parts.store.change(wanted.subject, { setAside: reason, isClaimed: false });
    this.#setAside += 1;
    this.#parts.onSetAside(wanted, reason);
    return 0;
  }

  #failed(reason: string, afterMs = 0): number {
    const { now = Date.now, onTurn, firstRetryMs } = this.#parts;
    this.#failures += 1;
    this.#isBackingOff = true;
    this.#problem = reason;
    this.#failingSinceMs ??= now();
    if (this.#failures === 1 && !this.#stop.signal.aborted) onTurn(reason);
    return backOffMs(this.#failures, afterMs, firstRetryMs);
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stop.signal.aborted || this.#isWoken) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms).unref();
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }
}

/** The step that the target should show; undefined when it needs no further message. */
function nextStep({ wanted, shown }: OutboxRow, sender: NoticeSender, nowMs: number): NoticeStep | undefined {
  const from = shown === undefined ? 0 : NOTICE_STEPS.indexOf(shown) + 1;
  const to = NOTICE_STEPS.indexOf(wanted.step);
  const steps = NOTICE_STEPS.slice(from, to + 1).filter((step) => sender.steps.includes(step));
  if (sender.wantsAll) return steps[0];
  // A question that is over needs no message, and neither do the steps in between.
  if (shown === undefined) {
    const isOver = wanted.step === "settled" || wanted.expiresMs <= nowMs;
    return isOver || !sender.steps.includes("asked") ? undefined : "asked";
  }
  return steps.at(-1);
}
