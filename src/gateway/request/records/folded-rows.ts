// Folds refusals that one client repeats: the first are rows of their own, those of the next ten
// seconds become one row with `repeated`, the number of them, and the fields that all of them
// share. Only refusals are folded: intents, decisions of a person and forwarded requests never are.

import type { Entry, EntryFields, EntryOp } from "../../../model/entry.ts";
import { payerOf } from "../http/look-ahead.ts";

/** Equal refusals within a window that are rows of their own. */
const EQUAL_ROWS = 10;
/** Refusals of one client within a window, equal or not, that are rows of their own. */
const CLIENT_ROWS = 5_000;
const WINDOW_MS = 10_000;
/** Anyone who comes after these counts as one more client, so that many processes cost little memory. */
const CLIENTS_MAX = 128;

/** Equal refusals may differ in these fields. */
const OWN_FIELDS = new Set(["request_id", "duration_ms"]);
const FOLDED_OUTCOMES = new Set(["refused", "blocked", "withdrawn", "failed"]);

/** Several events of one kind that become one row. */
interface Fold {
  readonly op: EntryOp;
  count: number;
  firstMs: number;
  shared: Record<string, unknown>;
}

interface Client {
  rows: number;
  /** The number of refusals, by their equal fields. */
  readonly seen: Map<bigint, number>;
  readonly folds: Map<bigint, Fold>;
}

/** The refusals of the window that is open; one per daemon. */
export class FoldedRows {
  readonly #write: (entry: Entry) => void;
  readonly #make: (op: EntryOp, fields: EntryFields) => Entry;
  readonly #clients = new Map<string, Client>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(write: (entry: Entry) => void, make: (op: EntryOp, fields: EntryFields) => Entry) {
    this.#write = write;
    this.#make = make;
  }

  /** Writes the row, or counts it in the one that is written at the end of the window. */
  add(op: EntryOp, fields: EntryFields): void {
    if (this.#isClosed || !FOLDED_OUTCOMES.has(fields.outcome ?? "")) {
      this.#write(this.#make(op, fields));
      return;
    }
    this.#timer ??= setTimeout(() => this.flush(), WINDOW_MS).unref();
    const client = this.#clientOf(payerOf(fields.client));
    const isCrowded = client.rows >= CLIENT_ROWS;
    // Further ones are only counted: a client that varies its requests must not cost memory either.
    const key = hashOf(isCrowded ? `${op} ${fields.outcome}` : keyOf(op, fields));
    const seen = (client.seen.get(key) ?? 0) + 1;
    client.seen.set(key, seen);
    if (!isCrowded && seen <= EQUAL_ROWS) {
      client.rows += 1;
      this.#write(this.#make(op, fields));
    } else fold(client.folds, key, op, fields);
  }

  /** Writes the folded rows; later ones are not folded. For the time before the journal closes. */
  close(): void {
    this.#isClosed = true;
    this.flush();
  }

  /** Writes the folded rows at the end of a window. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    for (const { folds } of clients)
      for (const { op, count, firstMs, shared } of folds.values())
        this.#write(this.#make(op, { ...shared, repeated: count, since_ms: firstMs }));
  }

  #clientOf(name: string): Client {
    const key = this.#clients.has(name) || this.#clients.size < CLIENTS_MAX ? name : "";
    let client = this.#clients.get(key);
    if (client === undefined) {
      client = { rows: 0, seen: new Map(), folds: new Map() };
      this.#clients.set(key, client);
    }
    return client;
  }
}

/** Short, and of a seed that no client knows: nobody can make two refusals look equal. */
function hashOf(key: string): bigint {
  return Bun.hash.wyhash(key, SEED);
}

const SEED = new BigUint64Array(crypto.getRandomValues(new Uint8Array(8)).buffer)[0] ?? 0n;

/** Everything that a person could read from the row but when it was. */
function keyOf(op: EntryOp, fields: EntryFields): string {
  return JSON.stringify([op, fields], (name, value: unknown) => (OWN_FIELDS.has(name) ? undefined : value));
}

function fold(folds: Map<bigint, Fold>, key: bigint, op: EntryOp, fields: EntryFields): void {
  const found = folds.get(key);
  if (found === undefined) {
    const shared: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(fields)) if (!OWN_FIELDS.has(name)) shared[name] = value;
    folds.set(key, { op, count: 1, firstMs: Date.now(), shared });
    return;
  }
  found.count += 1;
  // A claim about many requests is true of each of them.
  for (const name of Object.keys(found.shared)) {
    if (isSame(found.shared[name], fields[name])) continue;
    delete found.shared[name];
    // With it a row promises to be complete for replay.
    delete found.shared.classifier;
  }
}

function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  return (
    typeof one === "object" && typeof other === "object" && JSON.stringify(one) === JSON.stringify(other)
  );
}
