// Writes a checkpoint row now and then while the audit log is chained and has grown. The key is
// made with the first one. A checkpoint that cannot be written is told in the log and changes
// nothing else.

import type { KeyObject } from "node:crypto";
import type { Recorder } from "../../gateway/request/records/recorder.ts";
import type { WantedChain } from "../../state/journal/chain.ts";
import type { Log } from "../../state/log/log.ts";
import { CHECKPOINT, openAuditKey, signCheckpoint } from "./checkpoint.ts";

interface Parts {
  readonly chain: WantedChain;
  readonly recorder: Pick<Recorder, "control">;
  readonly log: Log;
  readonly keyPath: string;
  /** Time between two checkpoints; ten minutes. */
  readonly everyMs?: number;
}

const EVERY_MS = 10 * 60_000;

/** Signs a checkpoint of the chain at intervals. */
export class Checkpoints implements Disposable {
  readonly #parts: Parts;
  readonly #timer: ReturnType<typeof setInterval>;
  #key: KeyObject | undefined;
  #lastSeq = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#write(), parts.everyMs ?? EVERY_MS).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #write(): Promise<void> {
    const { chain, recorder, log, keyPath } = this.#parts;
    // A checkpoint that speaks of nothing but the one before says nothing.
    if (chain.head === undefined || chain.head.seq <= this.#lastSeq + 1) return;
    try {
      this.#key ??= await openAuditKey(keyPath);
      const { head } = chain;
      if (head === undefined) return;
      this.#lastSeq = head.seq;
      recorder.control({ command: CHECKPOINT, ...signCheckpoint(head, this.#key) });
    } catch (error) {
      log.error("no checkpoint of the audit log was written", { reason: String(error) });
    }
  }
}
