// Operations of Cloudflare's that are judged by their body: D1, SQLite behind the API, by its SQL
// (`query` and `raw`, one statement or a batch, and wrangler's --command), and batches of DNS
// records by whether they delete.

import type { Classification } from "../../model/classification.ts";
import type { RequestBody } from "../../model/request.ts";
import { parseStrictJson } from "../../wire/jsonrpc/strict-json.ts";
import { judgeSql } from "../sql.ts";
import { doubtful } from "../unknown.ts";

/** Whether the body of an operation decides, too. */
export function isCloudflareJudgedByBody(id: string): boolean {
  return isD1Query(id) || id === BATCH;
}

const BATCH = "dns.records.batch";

function isD1Query(id: string): boolean {
  return id === "d1.database.query" || id === "d1.database.raw";
}

/** The classification of such an operation with what its body says. */
export function withBody(plain: Classification, body: RequestBody): Classification {
  if (body.kind === "none") return plain;
  if (body.kind === "unread") return doubtful(plain, `the body decides, and ${body.why}`);
  const parsed = parseStrictJson(new TextDecoder().decode(body.bytes));
  if ("problem" in parsed) return doubtful(plain, `the body decides, and ${parsed.problem}`);
  if (isD1Query(plain.command)) return withSql(plain, sqlIn(parsed.value));
  return deletes(parsed.value) ? { ...plain, tier: "sensitive", reason: `${plain.reason}; deletes` } : plain;
}

function deletes(value: unknown): boolean {
  if (typeof value !== "object" || value === null || !("deletes" in value)) return false;
  return !(value.deletes === null || (Array.isArray(value.deletes) && value.deletes.length === 0));
}

/** The classification with what texts of SQL say; nothing of them leaves it as it is. */
export function withSql(plain: Classification, texts: readonly string[]): Classification {
  const found = judgeSql(texts);
  return found === undefined
    ? plain
    : { ...plain, tier: found.tier, reason: `${plain.reason}; ${found.reason}` };
}

/** `{sql}`, a list of them, or `{batch: [{sql}]}`. */
function sqlIn(value: unknown, depth = 0): string[] {
  if (typeof value !== "object" || value === null || depth > 3) return [];
  if (Array.isArray(value)) return value.flatMap((item) => sqlIn(item, depth + 1));
  const { sql, batch } = value as { readonly sql?: unknown; readonly batch?: unknown };
  return [...(typeof sql === "string" ? [sql] : []), ...sqlIn(batch, depth + 1)];
}
