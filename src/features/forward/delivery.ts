// Brings every audit row to one sink, at least once and in order. The journal on disk or the table
// is the queue: nothing is kept in memory but the batch that is on its way, a receiver that is down
// costs a retry now and then, and no request ever waits for one. Rows that a receiver will never
// take are set aside, so that one of them cannot hold up the rest.

import { backOffMs } from "../../host/outgoing/back-off.ts";
import type { RowSource } from "./row-source.ts";
import type { Delivery, ForwardedEntry, Sink } from "./sink.ts";

/** How far a receiver has got. */
export interface DeliveryProgress<P> {
  /** Undefined: from the start of the source. */
  readonly place: P | undefined;
  /** Since it was added. */
  readonly deliveredRows: number;
  readonly putAsideRows: number;
  readonly lastDeliveredMs: number | undefined;
}

/** Tells of what happens, as the log of a daemon does. */
export interface DeliveryLog {
  info(message: string, fields: Readonly<Record<string, string | number>>): void;
  warn(message: string, fields: Readonly<Record<string, string | number>>): void;
}

/** The parts that one delivery works with. */
export interface DeliveryOptions<P> {
  readonly name: string;
  readonly source: RowSource<P>;
  /** Keeps a row that the receiver refuses. */
  readonly putAside: (row: ForwardedEntry, reason: string) => Promise<void>;
  readonly open: () => Sink;
  readonly progress: DeliveryProgress<P>;
  readonly save: (progress: DeliveryProgress<P>) => void | Promise<void>;
  readonly log: DeliveryLog;
  /** Tells of a receiver that fails for the first time, and of one that works again. */
  readonly onTurn?: (problem: string | undefined) => void;
}

/** How it goes. */
export interface DeliveryState<P> extends DeliveryProgress<P> {
  /** Of the last try; undefined when it went well. */
  readonly problem: string | undefined;
  readonly failingSinceMs: number | undefined;
}

const LOOK_MS = 500;

/** One receiver's delivery; runs until closed. */
export class ForwardDelivery<P> implements AsyncDisposable {
  readonly #options: DeliveryOptions<P>;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #progress: DeliveryProgress<P>;
  #problem: string | undefined;
  #failingSinceMs: number | undefined;
  #failures = 0;
  /** Fewer than the sink takes while a row is looked for that it refuses. */
  #maxRows = Number.MAX_SAFE_INTEGER;
  #wake: (() => void) | undefined;

  constructor(options: DeliveryOptions<P>) {
    this.#options = options;
    this.#progress = options.progress;
    this.#running = this.#run();
  }

  /** How it goes now. */
  get state(): DeliveryState<P> {
    return { ...this.#progress, problem: this.#problem, failingSinceMs: this.#failingSinceMs };
  }

  /** How much the receiver has not got yet, in octets of a journal or in rows. */
  behind(): Promise<number> {
    return this.#options.source.behind(this.#progress.place);
  }

  /** Tries again at once. */
  hurry(): void {
    this.#wake?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    await using sink = this.#options.open();
    while (!this.#stop.signal.aborted) {
      let waitMs = LOOK_MS;
      try {
        waitMs = await this.#step(sink);
      } catch (error) {
        // The source or the place could not be used: the same rows are read again.
        waitMs = this.#failed(error instanceof Error ? error.message : String(error));
      }
      if (waitMs > 0) await this.#pause(waitMs);
    }
  }

  /** One batch; gives how long to wait before the next. */
  async #step(sink: Sink): Promise<number> {
    const { source, name, log } = this.#options;
    const { place } = this.#progress;
    const limits = { maxRows: Math.min(sink.maxRows, this.#maxRows), maxBytes: sink.maxBytes };
    let batch = await source.read(place, limits);
    if (batch === undefined) return LOOK_MS;
    if (batch.gap !== undefined) log.warn("forwarded rows have a gap", { sink: name, reason: batch.gap });
    if (batch.rows.length === 0) {
      await this.#save({ ...this.#progress, place: batch.next });
      return 0;
    }
    if (sink.gatherMs > 0 && batch.rows.length < limits.maxRows) {
      const age = Date.now() - (batch.rows[0]?.timestamp_ms ?? 0);
      if (age < sink.gatherMs) await this.#pause(sink.gatherMs - Math.max(0, age));
      if (this.#stop.signal.aborted) return 0;
      batch = (await source.read(place, limits)) ?? batch;
    }
    return this.#deliver(sink, batch.rows, batch.next);
  }

  /** Sends rows. Of a batch that is refused the first half is sent, and so on, until the row at fault is alone. */
  async #deliver(sink: Sink, rows: readonly ForwardedEntry[], next: P): Promise<number> {
    const delivery = await this.#tried(sink, rows);
    if (delivery.kind === "failed") return this.#failed(delivery.reason, delivery.afterMs);
    const [row] = rows;
    if (delivery.kind === "refused" && rows.length > 1) {
      this.#maxRows = Math.ceil(rows.length / 2);
      return 0;
    }
    let lost = 0;
    if (delivery.kind === "refused") {
      this.#options.log.warn("the receiver refused a row; it is kept aside", {
        sink: this.#options.name,
        hash: row?.hash ?? "",
        reason: delivery.reason,
      });
      if (row !== undefined) await this.#options.putAside(row, delivery.reason);
      lost = 1;
    } else {
      this.#maxRows = Math.min(Number.MAX_SAFE_INTEGER, this.#maxRows * 2);
      lost = delivery.rejected ?? 0;
      if (lost > 0)
        this.#options.log.warn("the receiver did not take some rows", {
          sink: this.#options.name,
          rows: lost,
          reason: delivery.note ?? "",
        });
    }
    this.#succeeded();
    await this.#save({
      place: next,
      deliveredRows: this.#progress.deliveredRows + rows.length - lost,
      putAsideRows: this.#progress.putAsideRows + lost,
      lastDeliveredMs: lost === rows.length ? this.#progress.lastDeliveredMs : Date.now(),
    });
    return 0;
  }

  #succeeded(): void {
    if (this.#failures > 0) {
      this.#options.log.info("rows are forwarded again", { sink: this.#options.name });
      this.#options.onTurn?.(undefined);
    }
    this.#failures = 0;
    this.#problem = undefined;
    this.#failingSinceMs = undefined;
  }

  #failed(reason: string, afterMs = 0): number {
    const { log, name, onTurn } = this.#options;
    this.#failures += 1;
    this.#problem = reason;
    this.#failingSinceMs ??= Date.now();
    if (this.#failures === 1 && !this.#stop.signal.aborted) {
      log.warn("rows cannot be forwarded, they wait", { sink: name, reason });
      onTurn?.(reason);
    }
    return backOffMs(this.#failures, afterMs);
  }

  /** A row that cannot even be written in the sink's form is one that the receiver will never take. */
  async #tried(sink: Sink, rows: readonly ForwardedEntry[]): Promise<Delivery> {
    try {
      return await sink.deliver(rows, this.#stop.signal);
    } catch (error) {
      return { kind: "refused", reason: error instanceof Error ? error.message : String(error) };
    }
  }

  async #save(progress: DeliveryProgress<P>): Promise<void> {
    await this.#options.save(progress);
    this.#progress = progress;
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms).unref();
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }
}
