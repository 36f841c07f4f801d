// Answers the REST API. Everything about a call but its function is here: the caller, his rights,
// his origin, his rate, the shape of input and output, and that a change that is sent twice is done
// once. A call is one transaction of one tenant.

import { createHash } from "node:crypto";
import { valueProblem } from "../../api/check-value.ts";
import { object } from "../../api/schema.ts";
import type { AnyEndpoint, EndpointCall } from "../api/endpoint.ts";
import { ENDPOINTS } from "../api/endpoints.ts";
import { numberOf, sqlState, type Tx, textOf, UNIQUE_VIOLATION } from "../database/database.ts";
import { Problem } from "../http/problem.ts";
import { RateLimit } from "../http/rate-limit.ts";
import { isLargeBody, readJson, readOctets } from "../http/read-body.ts";
import type { TenantSite } from "../http/tenant-of-request.ts";
import type { ServerParts } from "../parts.ts";
import type { OriginOf } from "./logins.ts";
import { requireOwnPage } from "./own-page.ts";
import { personOfSession, principalOfToken, type ServerPrincipal } from "./principal.ts";
import { readCookie } from "./session-cookie.ts";

interface Found {
  readonly endpoint: AnyEndpoint;
  readonly path: Readonly<Record<string, string>>;
}

interface Reply {
  readonly status: number;
  readonly body: string;
}

/** Answers the calls of people. A server has one of these, because it counts their rate. */
export class ApiCalls {
  readonly #parts: ServerParts;
  readonly #originOf: OriginOf;
  readonly #ofPeople = new RateLimit(20, 200);
  readonly #ofStrangers = new RateLimit(2, 60);

  constructor(parts: ServerParts, originOf: OriginOf) {
    this.#parts = parts;
    this.#originOf = originOf;
  }

  /** Answers below /api/v1/; `url` is the address as the tenant's own. */
  async answer(site: TenantSite, url: URL, request: Request, from: string): Promise<Response> {
    const { tenant } = site;
    const { endpoint, path } = find(request.method, url.pathname);
    const origin = this.#originOf(request.headers.get("host") ?? url.host);
    this.#checkOrigin(request, site, origin);
    const nowMs = this.#parts.nowMs();
    if (isLargeBody(request))
      await this.#parts.database.run({ tenant: tenant.id }, (tx) =>
        this.#person(tx, site, request, from, nowMs),
      );
    const octets = await readOctets(request, endpoint.inputMaxBytes);
    const waiting: (() => void)[] = [];
    const reply = await this.#parts.database
      .run({ tenant: tenant.id }, async (tx) => {
        const principal = await this.#person(tx, site, request, from, nowMs);
        this.#ofPeople.require(`${tenant.id}/${principal.id}`, nowMs);
        if (!principal.rights.has(endpoint.right))
          throw new Problem(403, "not-permitted", `this needs the right '${endpoint.right}'`);
        const call: EndpointCall = {
          parts: this.#parts,
          tenant,
          tx,
          principal,
          nowMs,
          afterwards: (work) => waiting.push(work),
        };
        const key = request.headers.get("idempotency-key");
        if (endpoint.method === "GET" || key === null) return run(endpoint, path, url, octets, call);
        return once(call, `${principal.id}/${key}`, `${url.pathname}${url.search}`, octets, nowMs, () =>
          run(endpoint, path, url, octets, call),
        );
      })
      .catch((error: unknown) => {
        if (sqlState(error) === UNIQUE_VIOLATION)
          throw new Problem(409, "conflict", "the same was done at the same time");
        throw error;
      });
    for (const work of waiting) work();
    return new Response(reply.body, {
      status: reply.status,
      headers: { "content-type": "application/json", "cache-control": "no-store" },
    });
  }

  /** Who calls; throws the problem for a stranger. */
  async #person(
    tx: Tx,
    site: TenantSite,
    request: Request,
    from: string,
    nowMs: number,
  ): Promise<ServerPrincipal> {
    const principal = await this.#principal(tx, site, request, nowMs);
    if (principal !== undefined) return principal;
    this.#ofStrangers.require(from, nowMs);
    throw new Problem(401, "not-logged-in", "nobody is logged in", {
      detail: `log in at ${site.base}/auth/login`,
    });
  }

  async #principal(
    tx: Tx,
    site: TenantSite,
    request: Request,
    nowMs: number,
  ): Promise<ServerPrincipal | undefined> {
    const bearer = /^Bearer (\S+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
    if (bearer !== undefined) return principalOfToken(tx, bearer, nowMs);
    const secret = readCookie(request, site, "session");
    return secret === undefined ? undefined : personOfSession(tx, secret, nowMs);
  }

  /** A program that has a token sends it; a browser sends its cookies for any page. */
  #checkOrigin(request: Request, site: TenantSite, origin: string): void {
    if (request.headers.has("authorization")) return;
    requireOwnPage(request, site, origin);
    if (request.method === "GET") return;
    if (request.headers.get("content-type") !== "application/json")
      throw new Problem(415, "bad-input", "the body is not JSON");
  }
}

/** The endpoint of a path. */
function find(method: string, pathname: string): Found {
  let isOther = false;
  for (const endpoint of ENDPOINTS) {
    const path = matchPath(endpoint.path, pathname);
    if (path === undefined) continue;
    if (endpoint.method === method) return { endpoint, path };
    isOther = true;
  }
  throw isOther
    ? new Problem(405, "bad-input", "this is not called so")
    : new Problem(404, "not-found", "there is no such call");
}

function matchPath(template: string, pathname: string): Readonly<Record<string, string>> | undefined {
  const wanted = template.split("/");
  const given = pathname.split("/");
  if (wanted.length !== given.length) return undefined;
  const found: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    const value = given[index] ?? "";
    if (name === undefined) {
      if (part !== value) return undefined;
    } else {
      if (!/^[\w.:-]{1,128}$/.test(value)) return undefined;
      found[name] = value;
    }
  }
  return found;
}

async function run(
  endpoint: AnyEndpoint,
  path: Readonly<Record<string, string>>,
  url: URL,
  octets: Uint8Array,
  call: EndpointCall,
): Promise<Reply> {
  const query = Object.fromEntries(url.searchParams);
  const problem = valueProblem(object(endpoint.query), query, "strict");
  if (problem !== undefined) throw new Problem(400, "bad-input", problem);
  const input = endpoint.input === undefined ? undefined : readJson(endpoint.input, octets, "strict");
  const output = await endpoint.handle(call, { path, query, input } as never);
  const wrong = valueProblem(endpoint.output, output, "strict");
  if (wrong !== undefined) throw new Error(`${endpoint.path} answers ${wrong}`);
  return { status: 200, body: JSON.stringify(output) };
}

const KEY_MS = 24 * 60 * 60_000;

/** Does it once for a key, and gives the same answer again for the same request. */
async function once(
  { tx, tenant, parts: { sealer } }: EndpointCall,
  key: string,
  target: string,
  octets: Uint8Array,
  nowMs: number,
  work: () => Promise<Reply>,
): Promise<Reply> {
  if (key.length > 200) throw new Problem(400, "bad-input", "the idempotency key is too long");
  const place = `${tenant.id}/replies/${key}`;
  const request = createHash("sha256").update(`${target}\n`).update(octets).digest("hex");
  const [found] = await tx.rows(
    "select request, status, body from replies where key = $1 and created_ms > $2",
    [key, nowMs - KEY_MS],
  );
  if (found !== undefined) {
    if (textOf(found, "request") !== request)
      throw new Problem(422, "bad-input", "this idempotency key was used for another request");
    return { status: numberOf(found, "status"), body: sealer.open(place, textOf(found, "body")) };
  }
  const reply = await work();
  await tx.rows("delete from replies where created_ms <= $1", [nowMs - KEY_MS]);
  await tx.rows("insert into replies (key, request, status, body, created_ms) values ($1, $2, $3, $4, $5)", [
    key,
    request,
    reply.status,
    // An answer may hold a token, which is kept nowhere in clear.
    sealer.seal(place, reply.body),
    nowMs,
  ]);
  return reply;
}
