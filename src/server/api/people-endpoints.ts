// Endpoints about people, their roles, and the tokens that programs use in their place. Secrets of
// tokens are told once and kept nowhere.

import { list, number, object, optional, text, words } from "../../api/schema.ts";
import { writeAct } from "../audit/acts.ts";
import { maybeNumber, maybeText, numberOf, type Row, textOf } from "../database/database.ts";
import { Problem } from "../http/problem.ts";
import { beginBreakGlass } from "../people/break-glass.ts";
import { mayGive, ROLES, type Role, readRoles } from "../people/roles.ts";
import { hashOfSecret, newId, newSecret, writeToken } from "../sealer.ts";
import { type AnyEndpoint, get, limitOf, PAGE_QUERY, page, pageOf, post, readCursor } from "./endpoint.ts";

const person = object({
  id: text(),
  name: text(),
  email: optional(text()),
  issuer: text("local for those who were made here"),
  roles: list(words(ROLES)),
  state: words(["active", "disabled"]),
  created_ms: number(),
  seen_ms: optional(number()),
});

const token = object({
  id: text(),
  name: text(),
  roles: list(words(ROLES)),
  person: optional(text("id of the person it speaks for")),
  created_ms: number(),
  ends_ms: number(),
  used_ms: optional(number()),
  state: words(["active", "revoked"]),
});

const MAX_TOKEN_MS = 366 * 24 * 60 * 60_000;
const MAX_NAME = 200;

function optionalNumber(row: Row, column: string) {
  const value = maybeNumber(row, column);
  return value === undefined ? {} : { [column]: value };
}

function personJson(row: Row) {
  const email = maybeText(row, "email");
  return {
    id: textOf(row, "id"),
    name: textOf(row, "name"),
    ...(email === undefined ? {} : { email }),
    issuer: textOf(row, "issuer"),
    roles: readRoles(textOf(row, "roles")),
    state: maybeNumber(row, "disabled_ms") === undefined ? ("active" as const) : ("disabled" as const),
    created_ms: numberOf(row, "created_ms"),
    ...optionalNumber(row, "seen_ms"),
  };
}

function tokenJson(row: Row) {
  const personId = maybeText(row, "person_id");
  return {
    id: textOf(row, "id"),
    name: textOf(row, "name"),
    roles: readRoles(textOf(row, "roles")),
    ...(personId === undefined ? {} : { person: personId }),
    created_ms: numberOf(row, "created_ms"),
    ends_ms: numberOf(row, "ends_ms"),
    ...optionalNumber(row, "used_ms"),
    state: maybeNumber(row, "revoked_ms") === undefined ? ("active" as const) : ("revoked" as const),
  };
}

/** The endpoints about people, roles and tokens. */
export const PEOPLE_ENDPOINTS: readonly AnyEndpoint[] = [
  get("/api/v1/me", {
    about: "who asks, and what he may",
    right: "look",
    output: object({
      id: text(),
      name: text(),
      tenant: text(),
      roles: list(words(ROLES)),
      rights: list(text()),
      via: words(["session", "token"]),
    }),
    async handle({ principal, tenant }) {
      const { id, name, roles, rights, via } = principal;
      return { id, name, tenant: tenant.slug, roles, rights: [...rights], via };
    },
  }),
  get("/api/v1/people", {
    about: "the people, by id",
    right: "look",
    query: PAGE_QUERY,
    output: pageOf(person),
    async handle({ tx }, { query }) {
      const limit = limitOf(query);
      const [after] = readCursor(query.cursor, 1) ?? [""];
      const rows = await tx.rows("select * from people where id > $1 order by id limit $2", [
        String(after),
        limit + 1,
      ]);
      return page(rows, limit, personJson, (row) => [textOf(row, "id")]);
    },
  }),
  post("/api/v1/people", {
    about: "makes a person who does not log in, such as the owner of a build machine's device",
    right: "administer",
    input: object({ name: text() }),
    output: person,
    async handle({ tx, principal, nowMs }, { input }) {
      const id = newId("per");
      const [row] = await tx.rows(
        "insert into people (id, issuer, subject, name, roles, created_ms) values ($1, 'local', $1, $2, '', $3) returning *",
        [id, input.name.slice(0, MAX_NAME), nowMs],
      );
      await writeAct(tx, nowMs, principal.id, "person.make", id);
      if (row === undefined) throw new Error("no person");
      return personJson(row);
    },
  }),
  post("/api/v1/people/{id}/disable", {
    about: "ends a person's sessions and tokens, and lets him in no more",
    right: "administer",
    input: object({}),
    output: person,
    errors: { "not-found": "there is no such person" },
    async handle({ tx, principal, nowMs }, { path }) {
      const [row] = await tx.rows(
        "update people set disabled_ms = coalesce(disabled_ms, $2) where id = $1 returning *",
        [path.id, nowMs],
      );
      if (row === undefined) throw new Problem(404, "not-found", "there is no such person");
      await tx.rows("delete from sessions where person_id = $1", [path.id]);
      await tx.rows("update api_tokens set revoked_ms = coalesce(revoked_ms, $2) where person_id = $1", [
        path.id,
        nowMs,
      ]);
      await writeAct(tx, nowMs, principal.id, "person.disable", path.id);
      return personJson(row);
    },
  }),
  get("/api/v1/tokens", {
    about: "the API tokens, by id",
    right: "administer",
    query: PAGE_QUERY,
    output: pageOf(token),
    async handle({ tx }, { query }) {
      const limit = limitOf(query);
      const [after] = readCursor(query.cursor, 1) ?? [""];
      const rows = await tx.rows("select * from api_tokens where id > $1 order by id limit $2", [
        String(after),
        limit + 1,
      ]);
      return page(rows, limit, tokenJson, (row) => [textOf(row, "id")]);
    },
  }),
  post("/api/v1/tokens", {
    about: "makes an API token for the caller, with roles that he has; it is shown once",
    right: "look",
    input: object({
      name: text(),
      roles: list(words(ROLES)),
      for_ms: number("at most 366 days"),
    }),
    output: object({ token: text(), entry: token }),
    errors: { "not-permitted": "nobody gives a role that he lacks" },
    async handle({ tx, principal, nowMs, tenant }, { input }) {
      const roles = input.roles as readonly Role[];
      const isLong = !Number.isSafeInteger(input.for_ms) || input.for_ms < 1 || input.for_ms > MAX_TOKEN_MS;
      if (isLong || roles.length === 0)
        throw new Problem(400, "bad-input", "a token needs a role and an end within 366 days");
      if (!mayGive(principal.rights, roles))
        throw new Problem(403, "not-permitted", "nobody gives a role that he lacks");
      const [id, secret] = [newId("tok"), newSecret()];
      const [row] = await tx.rows(
        "insert into api_tokens (id, hash, name, person_id, roles, created_ms, ends_ms) values ($1, $2, $3, $4, $5, $6, $7) returning *",
        [
          id,
          hashOfSecret(secret),
          input.name.slice(0, MAX_NAME),
          principal.personId ?? null,
          roles.join(","),
          nowMs,
          nowMs + input.for_ms,
        ],
      );
      await writeAct(tx, nowMs, principal.id, "token.make", id, { roles });
      if (row === undefined) throw new Error("no token");
      return { token: writeToken("idat", tenant.id, secret), entry: tokenJson(row) };
    },
  }),
  post("/api/v1/tokens/{id}/revoke", {
    about: "ends an API token: one's own, or any for an administrator",
    right: "look",
    input: object({}),
    output: token,
    errors: { "not-found": "there is no such token" },
    async handle({ tx, principal, nowMs }, { path }) {
      const [row] = await tx.rows(
        "update api_tokens set revoked_ms = coalesce(revoked_ms, $2) where id = $1 and ($3 or person_id = $4) returning *",
        [path.id, nowMs, principal.rights.has("administer"), principal.personId ?? ""],
      );
      if (row === undefined) throw new Problem(404, "not-found", "there is no such token");
      await writeAct(tx, nowMs, principal.id, "token.revoke", path.id);
      return tokenJson(row);
    },
  }),
  post("/api/v1/break-glass", {
    about: "takes the right to publish alone what widens, for an hour; it is written among the acts",
    right: "administer",
    input: object({ reason: text() }),
    output: object({ until_ms: number() }),
    errors: { "needs-person": "a token without a person takes no such right" },
    async handle({ tx, principal, nowMs }, { input }) {
      if (principal.personId === undefined)
        throw new Problem(403, "needs-person", "a token without a person takes no such right");
      if (input.reason.trim() === "") throw new Problem(400, "bad-input", "a reason is needed");
      const until = await beginBreakGlass(tx, principal, input.reason.slice(0, 500), nowMs);
      return { until_ms: until };
    },
  }),
];
