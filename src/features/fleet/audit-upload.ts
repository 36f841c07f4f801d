// Brings audit rows to the control plane: in order, each at least once, in a chain whose hash
// covers all rows before. audit.jsonl is the queue. The progress is written down after every batch,
// with places to go back to, in case the server was put back to an earlier state.

import { randomBytes } from "node:crypto";
import type { FleetProblem } from "../../api/fleet/protocol.ts";
import { rowHash } from "../../api/fleet/signed.ts";
import {
  endOfJournal,
  type JournalPlace,
  octetsBehind,
  readBatch,
  startOfJournal,
} from "../../state/journal/batch.ts";
import type { FleetStore } from "../../state/tables/fleet-store.ts";
import type { FleetLink } from "./fleet-link.ts";

/** A row that the server has, and where the next begins. */
interface Mark {
  readonly seq: number;
  readonly hash: string;
  readonly place: JournalPlace | undefined;
}

/** The rows that have arrived. Uploading goes on at the last mark. */
interface Progress {
  readonly chain: string;
  readonly marks: readonly Mark[];
}

/** How an upload ended. */
export type Uploaded =
  | { readonly kind: "done" }
  | { readonly kind: "problem"; readonly problem: FleetProblem }
  | { readonly kind: "unreachable"; readonly reason: string };

const NAME = "audit";
const NO_HASH = "0".repeat(64);
const MAX_LINES = 1_000;
const MAX_BYTES = 3 * 1024 * 1024;
const MARKS = 200;
/** Batches of one upload: a week's rows must not keep the policy waiting. */
const MAX_BATCHES = 50;
/** A server that says `gap` again and again does not get more. */
const MAX_BACK = 3;

/** The upload of one device. */
export class AuditUpload {
  readonly #store: FleetStore;
  readonly #journal: string;

  constructor(store: FleetStore, journal: string) {
    this.#store = store;
    this.#journal = journal;
  }

  /** Begins a chain with the next row: a new device has sent nothing yet. */
  async begin(): Promise<void> {
    this.#newChain(await endOfJournal(this.#journal));
  }

  /** Where the chain stands. */
  get position(): { readonly chain: string; readonly last_seq: number } {
    const { chain, marks } = this.#progress;
    return { chain, last_seq: marks.at(-1)?.seq ?? 0 };
  }

  /** Octets of audit.jsonl that have not arrived. */
  async behind(): Promise<number> {
    return octetsBehind(this.#journal, this.#last.place ?? { inode: 0, offset: 0 });
  }

  /** Sends the new rows. Gives up at the first thing that goes wrong; the same rows are sent again next time. */
  async upload(link: FleetLink, signal: AbortSignal): Promise<Uploaded> {
    let back = 0;
    for (let batches = 0; batches < MAX_BATCHES && !signal.aborted; batches += 1) {
      const last = this.#last;
      const place = last.place ?? (await startOfJournal(this.#journal));
      if (place === undefined) return { kind: "done" };
      const batch = await readBatch(this.#journal, place, { maxRows: MAX_LINES, maxBytes: MAX_BYTES });
      if (batch === undefined) return { kind: "done" };
      if (batch.lines.length === 0) {
        const hasMoved = batch.next.inode !== place.inode || batch.next.offset !== place.offset;
        if (!hasMoved) return { kind: "done" };
        this.#mark({ ...last, place: batch.next }, true);
        continue;
      }
      const { chain } = this.#progress;
      const input = { chain, from_seq: last.seq + 1, prev: last.hash, lines: batch.lines };
      const answer = await link.call("audit", input, { signal });
      if (answer.kind === "unreachable") return answer;
      if (answer.kind === "problem") {
        if (!this.#goBack(answer.problem) || ++back > MAX_BACK) return answer;
        continue;
      }
      const acked = Math.min(batch.lines.length, answer.value.acked_seq - last.seq);
      if (!Number.isInteger(acked) || acked <= 0)
        return { kind: "unreachable", reason: "it did not store the rows that it was sent" };
      const hash = batch.lines.slice(0, acked).reduce(rowHash, last.hash);
      const next =
        acked === batch.lines.length
          ? batch.next
          : (await readBatch(this.#journal, place, { maxRows: acked, maxBytes: MAX_BYTES }))?.next;
      this.#mark({ seq: last.seq + acked, hash, place: next ?? place });
    }
    return { kind: "done" };
  }

  /** `gap`: rows are missing there, so it goes on where they begin. `fork`: rows are there that are not ours. */
  #goBack({ code, acked_seq = 0 }: FleetProblem): boolean {
    const { chain, marks } = this.#progress;
    if (code === "fork") {
      this.#newChain(this.#last.place);
      return true;
    }
    if (code !== "gap") return false;
    const kept = marks.filter(({ seq }) => seq <= acked_seq);
    if (kept.length === 0 || kept.length === marks.length) this.#newChain(undefined);
    else this.#store.put(NAME, { chain, marks: kept } satisfies Progress);
    return true;
  }

  get #progress(): Progress {
    const known = this.#store.get<Progress>(NAME);
    if (known !== undefined && Array.isArray(known.marks) && known.marks.length > 0) return known;
    return this.#newChain(undefined);
  }

  get #last(): Mark {
    return this.#progress.marks.at(-1) ?? { seq: 0, hash: NO_HASH, place: undefined };
  }

  #newChain(place: JournalPlace | undefined): Progress {
    const progress: Progress = {
      chain: randomBytes(8).toString("hex"),
      marks: [{ seq: 0, hash: NO_HASH, place }],
    };
    this.#store.put(NAME, progress);
    return progress;
  }

  #mark(mark: Mark, isInPlace = false): void {
    const { chain, marks } = this.#progress;
    const kept = isInPlace ? marks.slice(0, -1) : marks;
    this.#store.put(NAME, { chain, marks: [...kept, mark].slice(-MARKS) } satisfies Progress);
  }
}
