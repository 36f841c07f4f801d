// /auth/: the way into a session and out of it. A login belongs to the browser that began it: its
// secret is in a cookie that the state at the provider is derived from, and is good once.

import { createHash } from "node:crypto";
import { writeAct } from "../audit/acts.ts";
import { maybeText, type Tx, textOf } from "../database/database.ts";
import { Problem } from "../http/problem.ts";
import { RateLimit } from "../http/rate-limit.ts";
import { readOctets } from "../http/read-body.ts";
import type { TenantSite } from "../http/tenant-of-request.ts";
import type { ServerParts } from "../parts.ts";
import { hashOfSecret, newId, newSecret } from "../sealer.ts";
import { currentTenant, type TenantName, type TenantSettings } from "../tenants.ts";
import type { Identity, Provider } from "./oidc.ts";
import { requireOwnPage } from "./own-page.ts";
import { endSession, openSession } from "./principal.ts";
import { ROLES, type Role } from "./roles.ts";
import { readCookie, writeCookie } from "./session-cookie.ts";

const LOGIN_MS = 10 * 60_000;
const MAX_LOGOUT_BYTES = 32 * 1024;

/** `https://acme.example.com`, for a Host header; throws the problem where the server is not meant. */
export type OriginOf = (host: string) => string;

/** Logs people in and out. A server has one of these, because it counts their rate. */
export class Logins {
  readonly #parts: ServerParts;
  readonly #originOf: OriginOf;
  readonly #limit = new RateLimit(5, 150);

  constructor(parts: ServerParts, originOf: OriginOf) {
    this.#parts = parts;
    this.#originOf = originOf;
  }

  /** Answers below /auth/; `url` is the address as the tenant's own. */
  async answer(site: TenantSite, url: URL, request: Request, from: string): Promise<Response> {
    this.#limit.require(from, this.#parts.nowMs(), "logins");
    const origin = this.#originOf(request.headers.get("host") ?? url.host);
    switch (`${request.method} ${url.pathname}`) {
      case "GET /auth/login":
        return this.#begin(site, url, origin);
      case "GET /auth/callback":
        return this.#finish(site, url, request, origin);
      case "POST /auth/logout":
        return this.#logout(site, request, origin);
      case "POST /auth/back-channel":
        return this.#backChannel(site.tenant, request);
      default:
        throw new Problem(404, "not-found", "there is no such page");
    }
  }

  async #begin(site: TenantSite, url: URL, origin: string): Promise<Response> {
    const { tenant, base } = site;
    const provider = await this.#provider(tenant);
    const { loginUrl, newLogin } = await import("./oidc.ts");
    const secret = newSecret();
    const pending = newLogin(stateOf(secret));
    const now = this.#parts.nowMs();
    const to = ownPath(`${origin}${base}`, url.searchParams.get("to"));
    await this.#parts.database.run({ tenant: tenant.id }, async (tx) => {
      await tx.rows("delete from logins where ends_ms < $1", [now]);
      await tx.rows(
        "insert into logins (hash, nonce, verifier, return_to, ends_ms) values ($1, $2, $3, $4, $5)",
        [hashOfSecret(secret), pending.nonce, pending.verifier, to, now + LOGIN_MS],
      );
    });
    const target = await loginUrl(provider, `${origin}${base}/auth/callback`, pending);
    return redirect(target.href, [writeCookie(site, "login", secret, LOGIN_MS)]);
  }

  async #finish(site: TenantSite, url: URL, request: Request, origin: string): Promise<Response> {
    const { tenant, base } = site;
    const provider = await this.#provider(tenant);
    const { database, nowMs, log } = this.#parts;
    const secret = readCookie(request, site, "login");
    const refused = new Problem(403, "not-logged-in", "this login is not, or no longer, open", {
      detail: `begin again at ${base}/auth/login`,
    });
    if (secret === undefined) throw refused;
    const [pending] = await database.run({ tenant: tenant.id }, (tx) =>
      tx.rows("delete from logins where hash = $1 and ends_ms > $2 returning nonce, verifier, return_to", [
        hashOfSecret(secret),
        nowMs(),
      ]),
    );
    if (pending === undefined) throw refused;
    const { finishLogin } = await import("./oidc.ts");
    let identity: Identity;
    try {
      identity = await finishLogin(provider, new URL(`${origin}${base}${url.pathname}${url.search}`), {
        state: stateOf(secret),
        nonce: textOf(pending, "nonce"),
        verifier: textOf(pending, "verifier"),
      });
    } catch (error) {
      log("login_refused", { tenant: tenant.slug, error: error instanceof Error ? error.message : "" });
      throw new Problem(403, "not-logged-in", "the identity provider's answer does not hold");
    }
    const roles = rolesOf(identity, provider.settings);
    if (roles.length === 0)
      throw new Problem(403, "no-role", `${identity.name} has no role here`, {
        detail: "an administrator maps a group to a role",
      });
    const session = await database.run({ tenant: tenant.id }, async (tx) => {
      const personId = await keepPerson(tx, identity, roles, nowMs());
      if (personId === undefined) return undefined;
      await writeAct(tx, nowMs(), personId, "login", personId);
      return openSession(tx, personId, identity.sid, nowMs());
    });
    if (session === undefined) throw new Problem(403, "disabled", `${identity.name} may not log in`);
    return redirect(textOf(pending, "return_to"), [
      writeCookie(site, "session", session.secret, session.endsMs - nowMs()),
      writeCookie(site, "login", "", 0),
    ]);
  }

  async #logout(site: TenantSite, request: Request, origin: string): Promise<Response> {
    requireOwnPage(request, site, origin);
    const secret = readCookie(request, site, "session");
    if (secret !== undefined)
      await this.#parts.database.run({ tenant: site.tenant.id }, (tx) => endSession(tx, secret));
    return new Response(null, {
      status: 204,
      headers: { "set-cookie": writeCookie(site, "session", "", 0), "clear-site-data": '"storage"' },
    });
  }

  /** The provider says that a person's session there has ended: here it ends, too. */
  async #backChannel(tenant: TenantName, request: Request): Promise<Response> {
    const provider = await this.#provider(tenant);
    const form = new URLSearchParams(new TextDecoder().decode(await readOctets(request, MAX_LOGOUT_BYTES)));
    const { endedSession } = await import("./oidc.ts");
    const ended = await endedSession(provider, form.get("logout_token") ?? "").catch(() => undefined);
    if (ended === undefined || (ended.sid === undefined && ended.subject === undefined))
      throw new Problem(400, "bad-input", "it is no logout token");
    await this.#parts.database.run({ tenant: tenant.id }, (tx) =>
      ended.sid === undefined
        ? tx.rows(
            "delete from sessions where person_id in (select id from people where issuer = $1 and subject = $2)",
            [provider.settings.issuer, ended.subject ?? ""],
          )
        : tx.rows("delete from sessions where sid = $1", [ended.sid]),
    );
    return new Response(null, { status: 200, headers: { "cache-control": "no-store" } });
  }

  async #provider(tenant: TenantName): Promise<Provider> {
    const found = await this.#parts.database.run({ tenant: tenant.id }, currentTenant);
    const settings = found?.settings.oidc;
    if (settings === undefined) throw new Problem(404, "no-provider", "this tenant has no identity provider");
    const { sealed_secret: sealed } = settings;
    return {
      settings,
      secret: sealed === undefined ? undefined : this.#parts.sealer.open(`${tenant.id}/oidc`, sealed),
    };
  }
}

function stateOf(secret: string): string {
  return createHash("sha256").update(`state ${secret}`).digest("base64url");
}

/** A path of the tenant's own, and nothing that a browser takes for another host or another tenant's. */
function ownPath(home: string, to: string | null): string {
  const start = new URL(`${home}/`);
  if (to === null || !/^\/(?![/\\])[\w\-./?&=#%]*$/.test(to)) return start.pathname;
  const { pathname, search, hash } = new URL(`${home}${to}`);
  return pathname.startsWith(start.pathname) ? `${pathname}${search}${hash}` : start.pathname;
}

function rolesOf(identity: Identity, settings: NonNullable<TenantSettings["oidc"]>): readonly Role[] {
  const given = identity.groups.flatMap((group) =>
    Object.hasOwn(settings.roles, group) ? (settings.roles[group] ?? []) : [],
  );
  return ROLES.filter((role) => given.includes(role));
}

/** Known by issuer and subject alone; an address can be given to somebody else. Undefined when he is disabled. */
async function keepPerson(
  tx: Tx,
  { issuer, subject, name, email }: Identity,
  roles: readonly Role[],
  nowMs: number,
): Promise<string | undefined> {
  const [row] = await tx.rows(
    "insert into people (id, issuer, subject, name, email, roles, created_ms, seen_ms) values ($1, $2, $3, $4, $5, $6, $7, $7) " +
      "on conflict (tenant_id, issuer, subject) do update set name = $4, email = $5, roles = $6, seen_ms = $7 " +
      "returning id, disabled_ms::text as disabled",
    [newId("per"), issuer, subject, name, email ?? null, roles.join(","), nowMs],
  );
  return row === undefined || maybeText(row, "disabled") !== undefined ? undefined : textOf(row, "id");
}

function redirect(location: string, cookies: readonly string[]): Response {
  const headers = new Headers({ location, "cache-control": "no-store" });
  for (const each of cookies) headers.append("set-cookie", each);
  return new Response(null, { status: 303, headers });
}
