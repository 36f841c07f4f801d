// Who asks: a person with a session, or a token. Looked up for every request, so that a disabled or
// revoked person is out at once.

import { maybeText, numberOf, type Tx, textOf } from "../database/database.ts";
import { hashOfSecret, newSecret, readToken } from "../sealer.ts";
import { type Right, type Role, readRoles, rightsOf } from "./roles.ts";

/** Who asks. */
export interface ServerPrincipal {
  /** Of the person, or of the token. */
  readonly id: string;
  /** Undefined for a token of the operator, which decides nothing. */
  readonly personId: string | undefined;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly rights: ReadonlySet<Right>;
  readonly via: "session" | "token";
}

const SESSION_MS = 12 * 60 * 60_000;
/** How stale the time of a token's last use may be. */
const USED_MS = 60_000;

/** Opens a session; gives the secret that names it, which is kept nowhere. */
export async function openSession(
  tx: Tx,
  personId: string,
  sid: string | undefined,
  nowMs: number,
): Promise<{ readonly secret: string; readonly endsMs: number }> {
  const secret = newSecret();
  const endsMs = nowMs + SESSION_MS;
  await tx.rows("delete from sessions where ends_ms < $1", [nowMs]);
  await tx.rows(
    "insert into sessions (hash, person_id, sid, created_ms, ends_ms) values ($1, $2, $3, $4, $5)",
    [hashOfSecret(secret), personId, sid ?? null, nowMs, endsMs],
  );
  return { secret, endsMs };
}

/** Ends the session of a secret. */
export async function endSession(tx: Tx, secret: string): Promise<void> {
  await tx.rows("delete from sessions where hash = $1", [hashOfSecret(secret)]);
}

/** The person of a session. */
export async function personOfSession(
  tx: Tx,
  secret: string,
  nowMs: number,
): Promise<ServerPrincipal | undefined> {
  const [row] = await tx.rows(
    "select p.id, p.name, p.roles from sessions s join people p on p.id = s.person_id " +
      "where s.hash = $1 and s.ends_ms > $2 and p.disabled_ms is null",
    [hashOfSecret(secret), nowMs],
  );
  if (row === undefined) return undefined;
  const roles = readRoles(textOf(row, "roles"));
  const id = textOf(row, "id");
  return { id, personId: id, name: textOf(row, "name"), roles, rights: rightsOf(roles), via: "session" };
}

/** Who a token speaks for. Its rights are never more than its person has now. */
export async function principalOfToken(
  tx: Tx,
  token: string,
  nowMs: number,
): Promise<ServerPrincipal | undefined> {
  const secret = readToken("idat", token)?.secret;
  if (secret === undefined) return undefined;
  const [row] = await tx.rows(
    "select t.id, t.name, t.roles, t.person_id, t.used_ms, p.roles as person_roles, p.disabled_ms " +
      "from api_tokens t left join people p on p.id = t.person_id " +
      "where t.hash = $1 and t.ends_ms > $2 and t.revoked_ms is null",
    [hashOfSecret(secret), nowMs],
  );
  if (row === undefined) return undefined;
  const personId = maybeText(row, "person_id");
  if (personId !== undefined && (row.disabled_ms !== null || row.person_roles === null)) return undefined;
  const roles = readRoles(textOf(row, "roles"));
  const limits = personId === undefined ? undefined : rightsOf(readRoles(textOf(row, "person_roles")));
  const rights = [...rightsOf(roles)].filter((right) => limits === undefined || limits.has(right));
  if (row.used_ms === null || nowMs - numberOf(row, "used_ms") > USED_MS)
    await tx.rows("update api_tokens set used_ms = $2 where id = $1", [textOf(row, "id"), nowMs]);
  return {
    id: textOf(row, "id"),
    personId,
    name: textOf(row, "name"),
    roles,
    rights: new Set(rights),
    via: "token",
  };
}
