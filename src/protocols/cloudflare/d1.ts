// D1, SQLite behind Cloudflare's API: what a query does stands in the SQL of its body. Serves `query` and `raw`, one
// statement or a batch, and wrangler's --command.

import type { Classification } from "../../model/classification.ts";
import type { RequestBody } from "../../model/request.ts";
import { judgeSql } from "../sql.ts";
import { parseStrictJson } from "../strict-json.ts";
import { doubtful } from "../unknown.ts";

/** Whether the body of an operation is SQL for D1. */
export function isD1Query(id: string): boolean {
  return id === "d1.database.query" || id === "d1.database.raw";
}

/** The classification of a D1 query with what its body says. */
export function withD1Body(plain: Classification, body: RequestBody): Classification {
  if (body.kind === "none") return plain;
  if (body.kind === "unread") return doubtful(plain, `the SQL decides, and ${body.why}`);
  const parsed = parseStrictJson(new TextDecoder().decode(body.bytes));
  if ("problem" in parsed) return doubtful(plain, `the SQL decides, and ${parsed.problem}`);
  return withSql(plain, sqlIn(parsed.value));
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
