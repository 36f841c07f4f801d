// Brings every audit row to one sink, at least once and in order. The journal on disk is the queue:
// nothing is kept in memory but the batch that is on its way, a receiver that is down costs a retry
// now and then, and no request ever waits for one. Rows that a receiver will never take are set
// aside in a file, so that one of them cannot hold up the rest.

import { constants } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { backOffMs } from "../../host/outgoing/back-off.ts";
import type { Entry } from "../../model/entry.ts";
import { type JournalPlace, octetsBehind, readBatch, startOfJournal } from "../../state/journal/batch.ts";
import type { Log } from "../../state/log/log.ts";
import type { SinkProgress } from "../../state/tables/sinks.ts";
import type { Sink } from "./sink.ts";

/** The parts that one delivery works with. */
export interface DeliveryOptions {
  readonly name: string;
  readonly journal: string;
  /** Where rows go that the receiver refuses. */
  readonly putAsidePath: string;
  readonly open: () => Sink;
  readonly progress: SinkProgress;
  readonly save: (progress: SinkProgress) => void;
  readonly log: Log;
  /** Tells of a receiver that fails for the first time, and of one that works again. */
  readonly onTurn?: (problem: string | undefined) => void;
}

/** How it goes. */
export interface DeliveryState extends SinkProgress {
  /** Of the last try; undefined when it went well. */
  readonly problem: string | undefined;
  readonly failingSinceMs: number | undefined;
  readonly octetsBehind: number;
}

const LOOK_MS = 500;
const MAX_PUT_ASIDE_BYTES = 64 * 1024 * 1024;

/** One receiver's delivery; runs until closed. */
export class ForwardDelivery implements AsyncDisposable {
  readonly #options: DeliveryOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #progress: SinkProgress;
  #problem: string | undefined;
  #failingSinceMs: number | undefined;
  #failures = 0;
  /** Fewer than the sink takes while a row is looked for that it refuses. */
  #maxRows = Number.MAX_SAFE_INTEGER;
  #wake: (() => void) | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#progress = options.progress;
    this.#running = this.#run();
  }

  /** How it goes now. */
  async state(): Promise<DeliveryState> {
    const { place } = this.#progress;
    return {
      ...this.#progress,
      problem: this.#problem,
      failingSinceMs: this.#failingSinceMs,
      octetsBehind: await octetsBehind(this.#options.journal, place ?? { inode: 0, offset: 0 }),
    };
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
        // The journal or the database could not be used: the same rows are read again.
        waitMs = this.#failed(error instanceof Error ? error.message : String(error));
      }
      if (waitMs > 0) await this.#pause(waitMs);
    }
  }

  /** One batch; gives how long to wait before the next. */
  async #step(sink: Sink): Promise<number> {
    const { journal, name, log } = this.#options;
    const place = this.#progress.place ?? (await startOfJournal(journal));
    if (place === undefined) return LOOK_MS;
    const limits = { maxRows: Math.min(sink.maxRows, this.#maxRows), maxBytes: sink.maxBytes };
    let batch = await readBatch(journal, place, limits);
    if (batch === undefined) return LOOK_MS;
    if (batch.gap !== undefined) log.warn("forwarded rows have a gap", { sink: name, reason: batch.gap });
    if (batch.rows.length === 0) {
      const hasMoved = batch.next.inode !== place.inode || batch.next.offset !== place.offset;
      if (hasMoved) this.#save({ ...this.#progress, place: batch.next });
      return hasMoved ? 0 : LOOK_MS;
    }
    if (sink.gatherMs > 0 && batch.rows.length < limits.maxRows) {
      const age = Date.now() - (batch.rows[0]?.timestamp_ms ?? 0);
      if (age < sink.gatherMs) await this.#pause(sink.gatherMs - Math.max(0, age));
      if (this.#stop.signal.aborted) return 0;
      batch = (await readBatch(journal, place, limits)) ?? batch;
    }
    return this.#deliver(sink, batch.rows, batch.next);
  }

  /** Sends rows. Of a batch that is refused the first half is sent, and so on, until the row at fault is alone. */
  async #deliver(sink: Sink, rows: readonly Entry[], next: JournalPlace): Promise<number> {
    const delivery = await sink.deliver(rows, this.#stop.signal);
    if (delivery.kind === "failed") return this.#failed(delivery.reason, delivery.afterMs);
    const [row] = rows;
    if (delivery.kind === "refused" && rows.length > 1) {
      this.#maxRows = Math.ceil(rows.length / 2);
      return 0;
    }
    let lost = 0;
    if (delivery.kind === "refused") {
      await this.#putAside(row, delivery.reason);
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
    this.#save({
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

  async #putAside(row: Entry | undefined, reason: string): Promise<void> {
    const { putAsidePath, log, name } = this.#options;
    log.warn("the receiver refused a row; it is kept in a file", {
      sink: name,
      hash: row?.hash ?? "",
      reason,
    });
    await mkdir(dirname(putAsidePath), { recursive: true, mode: 0o700 });
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
    const file = await open(putAsidePath, flags, 0o600);
    try {
      if ((await file.stat()).size < MAX_PUT_ASIDE_BYTES)
        await file.appendFile(`${JSON.stringify({ reason, row })}\n`);
    } finally {
      await file.close();
    }
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

  #save(progress: SinkProgress): void {
    this.#options.save(progress);
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
