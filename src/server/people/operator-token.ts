// The token of the database's owner: it makes the first people and devices, and decides nothing,
// since it is nobody's.

import { writeAct } from "../audit/acts.ts";
import type { Database } from "../database/database.ts";
import { hashOfSecret, newId, newSecret, writeToken } from "../sealer.ts";

const MAX_MS = 366 * 24 * 60 * 60_000;

/** Makes one and gives it; it is kept nowhere. */
export function makeOperatorToken(
  database: Database,
  tenant: string,
  role: string,
  forMs: number,
  nowMs: number,
): Promise<string> {
  return database.run({ tenant }, async (tx) => {
    const [id, secret] = [newId("tok"), newSecret()];
    await tx.rows(
      "insert into api_tokens (id, hash, name, roles, created_ms, ends_ms) values ($1, $2, 'operator', $3, $4, $5)",
      [id, hashOfSecret(secret), role, nowMs, nowMs + Math.min(MAX_MS, forMs)],
    );
    await writeAct(tx, nowMs, "operator", "token.make", id, { roles: [role] });
    return writeToken("idat", tenant, secret);
  });
}
