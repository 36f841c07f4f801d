// The contract of one endpoint of the REST API: who may call it, its input and output, and its
// function. The server, the OpenAPI document, the page's client and the test of isolation read the
// same list (endpoints.ts).

import type { Fields, ObjectValue, Schema } from "../../api/schema.ts";
import { list, object, optional, text } from "../../api/schema.ts";
import type { Tx } from "../database/database.ts";
import { Problem } from "../http/problem.ts";
import type { ServerParts } from "../parts.ts";
import type { ServerPrincipal } from "../people/principal.ts";
import type { Right } from "../people/roles.ts";
import type { TenantName } from "../tenants.ts";

/** An endpoint's call, in the transaction of its tenant. */
export interface EndpointCall {
  readonly parts: ServerParts;
  readonly tenant: TenantName;
  readonly tx: Tx;
  readonly principal: ServerPrincipal;
  readonly nowMs: number;
  /** Runs when the transaction is committed, and not when it is not. */
  readonly afterwards: (work: () => void) => void;
}

type Names<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Names<Rest>
  : never;

/** An endpoint. */
export interface Endpoint<Path extends string, Q extends Fields, I, O> {
  readonly method: "GET" | "POST";
  readonly path: Path;
  readonly about: string;
  readonly right: Right;
  /** All of them texts that may be absent. */
  readonly query: Q;
  readonly input?: Schema<I>;
  readonly output: Schema<O>;
  readonly errors: Readonly<Record<string, string>>;
  readonly inputMaxBytes: number;
  handle(
    call: EndpointCall,
    asked: {
      readonly path: Readonly<Record<Names<Path>, string>>;
      readonly query: ObjectValue<Q>;
      readonly input: I;
    },
  ): Promise<O>;
}

/** An endpoint whose types do not matter. */
export interface AnyEndpoint {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly about: string;
  readonly right: Right;
  readonly query: Fields;
  readonly input?: Schema<unknown>;
  readonly output: Schema<unknown>;
  readonly errors: Readonly<Record<string, string>>;
  readonly inputMaxBytes: number;
  handle(call: EndpointCall, asked: never): Promise<unknown>;
}

type Rest<Path extends string, Q extends Fields, I, O> = Omit<
  Endpoint<Path, Q, I, O>,
  "method" | "path" | "query" | "errors" | "inputMaxBytes"
> & {
  readonly query?: Q;
  readonly errors?: Readonly<Record<string, string>>;
  readonly inputMaxBytes?: number;
};

/** Writes a read. */
export function get<const Path extends string, O, Q extends Fields = Record<never, never>>(
  path: Path,
  rest: Rest<Path, Q, undefined, O>,
): Endpoint<Path, Q, undefined, O> {
  return { query: {} as Q, errors: {}, inputMaxBytes: 0, ...rest, method: "GET", path };
}

/** Writes a change. */
export function post<const Path extends string, I, O, Q extends Fields = Record<never, never>>(
  path: Path,
  rest: Rest<Path, Q, I, O>,
): Endpoint<Path, Q, I, O> {
  return { query: {} as Q, errors: {}, inputMaxBytes: 64 * 1024, ...rest, method: "POST", path };
}

/** The query of a list. */
export const PAGE_QUERY = {
  cursor: optional(text("`next` of the page before")),
  limit: optional(text("1 to 500; 100 unless given")),
} as const;

/** A page of a list. */
export const pageOf = <T>(item: Schema<T>) =>
  object({ items: list(item), next: optional(text("cursor of the next page; absent on the last")) });

/** How many rows are asked for. */
export function limitOf({ limit }: { readonly limit?: string }): number {
  if (limit === undefined) return 100;
  const number = Number(limit);
  if (!/^\d{1,3}$/.test(limit) || number < 1 || number > 500)
    throw new Problem(400, "bad-input", "'limit' is not between 1 and 500");
  return number;
}

/** Reads a cursor: the keys of the last row of the page before. Undefined when it is malformed. */
export function readCursor(
  cursor: string | undefined,
  length: number,
): readonly (string | number)[] | undefined {
  if (cursor === undefined) return undefined;
  try {
    const keys: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    const isKey = (key: unknown) => typeof key === "string" || Number.isSafeInteger(key);
    if (Array.isArray(keys) && keys.length === length && keys.every(isKey)) return keys;
  } catch {
    // Told below.
  }
  throw new Problem(400, "bad-input", "'cursor' is not one of this list");
}

/** A page of rows of which one more than the limit was asked. */
export function page<R, T>(
  rows: readonly R[],
  limit: number,
  item: (row: R) => T,
  keys: (row: R) => readonly (string | number)[],
): { readonly items: readonly T[]; readonly next?: string } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next =
    rows.length > limit && last !== undefined
      ? Buffer.from(JSON.stringify(keys(last))).toString("base64url")
      : undefined;
  return { items: shown.map(item), ...(next === undefined ? {} : { next }) };
}
