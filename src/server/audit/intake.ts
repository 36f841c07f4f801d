// Takes audit rows of devices: each row once, in the order of its chain, whatever is sent twice. A
// chain covers its rows by hashes that the server computes itself, so a device that tells another
// story about the past is found out and stays marked.

import type { FleetInput, FleetOutput } from "../../api/fleet/protocol.ts";
import { rowHash } from "../../api/fleet/signed.ts";
import { numberOf, type Tx, textOf } from "../database/database.ts";
import { partitionDay } from "../database/migrate.ts";
import { type DeviceCall, standing } from "../fleet/sync.ts";
import { Problem } from "../http/problem.ts";
import { writeAct } from "./acts.ts";
import { countDifferences } from "./dry-differences.ts";

const ZEROS = "0".repeat(64);
const MAX_LINES = 1_000;
const MAX_LINE = 256 * 1024;
const MAX_WORD = 500;

interface Chain {
  readonly acked: number;
  readonly head: string;
}

/** A chain that does not hold; kept beside the rows, outside of the transaction that is refused. */
export class Fork extends Problem {
  readonly device: string;
  readonly chain: string;
  constructor(device: string, chain: string, acked: number) {
    super(409, "fork", "rows of this chain are stored already, and they differ", { acked_seq: acked });
    this.device = device;
    this.chain = chain;
  }
}

/** Stores the new rows of a batch. */
export async function takeAudit(call: DeviceCall, input: FleetInput<"audit">): Promise<FleetOutput<"audit">> {
  const { tx, device, nowMs, parts } = call;
  checkBatch(input);
  const known = await lockChain(tx, device.id, input.chain, nowMs);
  if (input.from_seq > known.acked + 1)
    throw new Problem(409, "gap", "rows are missing before these", { acked_seq: known.acked });
  const hashes = hashesOf(input.prev, input.lines);
  // How many of these rows are stored already.
  const overlap = Math.min(known.acked + 1 - input.from_seq, input.lines.length);
  const isBehind = input.from_seq + input.lines.length - 1 < known.acked;
  if (!isBehind) {
    const at = overlap === 0 ? input.prev : hashes[overlap - 1];
    if (at !== known.head) throw new Fork(device.id, input.chain, known.acked);
  }
  const fresh = input.lines.slice(overlap);
  if (fresh.length > 0) {
    await insertRows(tx, device.id, input.chain, known.acked + 1, fresh, nowMs);
    await countDifferences(tx, device.id, fresh, nowMs);
    await tx.rows("update device_chains set acked_seq = $3, head = $4 where device_id = $1 and chain = $2", [
      device.id,
      input.chain,
      known.acked + fresh.length,
      hashes.at(-1) ?? known.head,
    ]);
    parts.counters.add("iddio_audit_rows_total", fresh.length);
  }
  return { ...standing(nowMs), acked_seq: known.acked + fresh.length };
}

/** Marks the chain, so that people see it. In a transaction of its own: the batch's was rolled back. */
export async function markFork(tx: Tx, { device, chain }: Fork, nowMs: number): Promise<void> {
  await tx.rows("update device_chains set alert = $3 where device_id = $1 and chain = $2", [
    device,
    chain,
    `rows were sent that differ from those that are stored, ${new Date(nowMs).toISOString()}`,
  ]);
  await writeAct(tx, nowMs, device, "audit.fork", chain);
}

function checkBatch({ chain, from_seq, prev, lines }: FleetInput<"audit">): void {
  const wrong = (what: string) => new Problem(400, "bad-input", what);
  if (!/^[0-9a-f]{16}$/.test(chain)) throw wrong("'chain' is not 16 hex digits");
  if (!Number.isSafeInteger(from_seq) || from_seq < 1) throw wrong("'from_seq' is not a positive number");
  if (!/^[0-9a-f]{64}$/.test(prev)) throw wrong("'prev' is not a hash");
  if (from_seq === 1 && prev !== ZEROS) throw wrong("nothing is before the first row");
  if (lines.length > MAX_LINES) throw wrong(`at most ${MAX_LINES} lines`);
  if (lines.some((line) => line.length > MAX_LINE || line.includes("\u0000")))
    throw wrong("a line is no row");
}

async function lockChain(tx: Tx, device: string, chain: string, nowMs: number): Promise<Chain> {
  const select = () =>
    tx.rows("select acked_seq, head from device_chains where device_id = $1 and chain = $2 for update", [
      device,
      chain,
    ]);
  let [row] = await select();
  if (row === undefined) {
    await tx.rows(
      "insert into device_chains (device_id, chain, acked_seq, head, started_ms) values ($1, $2, 0, $3, $4) on conflict do nothing",
      [device, chain, ZEROS, nowMs],
    );
    [row] = await select();
  }
  if (row === undefined) throw new Error("no chain");
  return { acked: numberOf(row, "acked_seq"), head: textOf(row, "head") };
}

function hashesOf(prev: string, lines: readonly string[]): readonly string[] {
  let hash = prev;
  return lines.map((line) => {
    hash = rowHash(hash, line);
    return hash;
  });
}

async function insertRows(
  tx: Tx,
  device: string,
  chain: string,
  firstSeq: number,
  lines: readonly string[],
  nowMs: number,
): Promise<void> {
  const rows = lines.map((line, index) => ({ seq: firstSeq + index, line, ...columnsOf(line, nowMs) }));
  await tx.rows(
    "insert into audit_rows (device_id, chain, seq, at_ms, received_day, op, outcome, tier, protocol, command, host, line) " +
      "select $1, $2, r.seq, r.at_ms, $3::text::date, r.op, r.outcome, r.tier, r.protocol, r.command, r.host, r.line " +
      "from json_to_recordset($4::text::json) as r(seq bigint, at_ms bigint, op text, outcome text, tier text, " +
      "protocol text, command text, host text, line text)",
    [device, chain, partitionDay(nowMs), JSON.stringify(rows)],
  );
}

/**
 * The columns by which rows are searched. A line that is no row of the audit log is kept all the same: it is
 * evidence.
 */
function columnsOf(line: string, nowMs: number): Readonly<Record<string, string | number | null>> {
  const row = parsed(line);
  const fields = (typeof row.fields === "object" && row.fields !== null ? row.fields : {}) as Readonly<
    Record<string, unknown>
  >;
  const at = row.timestamp_ms;
  const word = (value: unknown) =>
    typeof value === "string" ? value.slice(0, MAX_WORD).replaceAll("\u0000", "") : null;
  return {
    at_ms: typeof at === "number" && Number.isSafeInteger(at) && at > 0 ? at : nowMs,
    op: word(row.op) ?? "unreadable",
    outcome: word(fields.outcome),
    tier: word(fields.tier),
    protocol: word(fields.protocol),
    command: word(fields.command),
    host: word(fields.host),
  };
}

function parsed(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
