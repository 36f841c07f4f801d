// Where a policy that is only tried would have decided otherwise: counted from the rows of devices
// as they arrive, in their transaction, so that a row that is sent twice counts once.

import { numberOf, type Row, type Tx, textOf } from "../database/database.ts";

interface Counted {
  readonly revision: number;
  readonly protocol: string;
  readonly command: string;
  readonly tier: string;
  readonly decided: string;
  readonly dry: string;
  readonly dry_rule: string;
  count: number;
}

const MAX_WORD = 500;

/** Counts the differences in new rows of a device. */
export async function countDifferences(
  tx: Tx,
  device: string,
  lines: readonly string[],
  nowMs: number,
): Promise<void> {
  const counted = new Map<string, Counted>();
  for (const line of lines) {
    // Most rows have none, and are not read for it.
    const difference = line.includes('"dry"') ? differenceOf(line) : undefined;
    if (difference === undefined) continue;
    const key = JSON.stringify(difference);
    const found = counted.get(key) ?? { ...difference, count: 0 };
    found.count += 1;
    counted.set(key, found);
  }
  if (counted.size === 0) return;
  await tx.rows(
    "insert into dry_differences (revision, device_id, protocol, command, tier, decided, dry, dry_rule, count, first_ms, last_ms) " +
      "select r.revision, $1, r.protocol, r.command, r.tier, r.decided, r.dry, r.dry_rule, r.count, $2, $2 " +
      "from json_to_recordset($3::text::json) as r(revision bigint, protocol text, command text, tier text, decided text, dry text, " +
      "dry_rule text, count bigint) on conflict (tenant_id, revision, device_id, protocol, command, tier, decided, dry, dry_rule) " +
      "do update set count = dry_differences.count + excluded.count, last_ms = excluded.last_ms",
    [device, nowMs, JSON.stringify([...counted.values()])],
  );
}

/** One kind of request that a tried policy would decide otherwise. */
export interface DifferenceCount extends Omit<Counted, "revision" | "dry_rule"> {
  readonly rule: string;
  readonly devices: number;
  readonly first_ms: number;
  readonly last_ms: number;
}

/** The differences of a revision, the most frequent first. */
export async function differencesOf(
  tx: Tx,
  revision: number,
  limit: number,
): Promise<readonly DifferenceCount[]> {
  const rows = await tx.rows(
    "select protocol, command, tier, decided, dry, dry_rule, sum(count)::bigint as count, count(distinct device_id) as devices, " +
      "min(first_ms) as first_ms, max(last_ms) as last_ms from dry_differences where revision = $1 " +
      "group by protocol, command, tier, decided, dry, dry_rule order by sum(count) desc, protocol, command limit $2",
    [revision, limit],
  );
  return rows.map((row: Row) => ({
    protocol: textOf(row, "protocol"),
    command: textOf(row, "command"),
    tier: textOf(row, "tier"),
    decided: textOf(row, "decided"),
    dry: textOf(row, "dry"),
    rule: textOf(row, "dry_rule"),
    count: numberOf(row, "count"),
    devices: numberOf(row, "devices"),
    first_ms: numberOf(row, "first_ms"),
    last_ms: numberOf(row, "last_ms"),
  }));
}

function differenceOf(line: string): Omit<Counted, "count"> | undefined {
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = (JSON.parse(line) as { fields?: Readonly<Record<string, unknown>> }).fields ?? {};
  } catch {
    return undefined;
  }
  const { revision, decided, would_be, rule } = (fields.dry ?? {}) as Readonly<Record<string, unknown>>;
  if (!Number.isSafeInteger(revision) || (revision as number) < 1) return undefined;
  const word = (value: unknown) =>
    typeof value === "string" ? value.slice(0, MAX_WORD).replaceAll("\u0000", "") : "";
  return {
    revision: revision as number,
    protocol: word(fields.protocol),
    command: word(fields.command),
    tier: word(fields.tier),
    decided: word(decided),
    dry: word(would_be),
    dry_rule: word(rule),
  };
}
