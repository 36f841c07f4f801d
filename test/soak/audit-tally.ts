// audit.jsonl read once from its beginning, and kept as a few bytes a request: a million rows do
// not fit as objects.

import { createReadStream } from "node:fs";
import type { Entry } from "../../src/model/entry.ts";
import { OUTCOMES, type Outcome } from "../../src/model/outcome.ts";
import { numberIn } from "./kinds.ts";

/** Counts the rows of each request, by its number. */
export class AuditTally {
  /** Rows that say how a request ended. */
  readonly results: Uint8Array;
  readonly intents: Uint8Array;
  /** 1 where an intent came after the result. */
  readonly lateIntents: Uint8Array;
  /** Rows of any op but `control`, of connections that were passed through, and of control commands. */
  rows = 0;
  passthroughs = 0;
  /** Connections that would have been passed through, had the upstream been there. */
  unreached = 0;
  controls = 0;
  /** Requests whose client left in the middle of the head. */
  cutHeads = 0;
  /** Lines that are not whole JSON, requests nobody sent, rows without a number that say nothing of the above. */
  readonly strangers: string[] = [];
  readonly #outcomes: Uint8Array;
  readonly #statuses: Uint16Array;

  constructor(size: number) {
    this.results = new Uint8Array(size);
    this.intents = new Uint8Array(size);
    this.lateIntents = new Uint8Array(size);
    this.#outcomes = new Uint8Array(size);
    this.#statuses = new Uint16Array(size);
  }

  /** How a request ended, as its last row says. */
  outcomeOf(id: number): Outcome | undefined {
    return OUTCOMES[(this.#outcomes[id] ?? 0) - 1];
  }

  statusOf(id: number): number {
    return this.#statuses[id] ?? 0;
  }

  /** Reads the whole file. */
  async read(path: string): Promise<void> {
    let rest = "";
    for await (const piece of createReadStream(path, { encoding: "utf8", highWaterMark: 1 << 20 })) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#line(line);
    }
    if (rest !== "") this.strangers.push(`an unfinished line: ${rest.slice(0, 100)}`);
  }

  #line(line: string): void {
    let entry: Entry;
    try {
      entry = JSON.parse(line) as Entry;
    } catch {
      this.strangers.push(`not JSON: ${line.slice(0, 100)}`);
      return;
    }
    this.rows += 1;
    const { op, fields } = entry;
    // Equal refusals are one row with their number.
    const times = typeof fields.repeated === "number" ? fields.repeated : 1;
    if (op === "control") {
      this.controls += 1;
      return;
    }
    if (op === "passthrough") {
      if (fields.outcome === "failed") this.unreached += times;
      else this.passthroughs += 1;
      return;
    }
    if (op === "block" && fields.reason === "the head was cut off") {
      this.cutHeads += times;
      return;
    }
    const id = fields.path === undefined ? undefined : numberIn(fields.path);
    if (id === undefined || id >= this.results.length) this.strangers.push(line.slice(0, 300));
    else if (op === "intent") {
      this.intents[id] = Math.min(255, (this.intents[id] ?? 0) + 1);
      if ((this.results[id] ?? 0) > 0) this.lateIntents[id] = 1;
    } else {
      this.results[id] = Math.min(255, (this.results[id] ?? 0) + 1);
      this.#outcomes[id] = fields.outcome === undefined ? 0 : OUTCOMES.indexOf(fields.outcome) + 1;
      this.#statuses[id] = fields.status ?? 0;
    }
  }
}
