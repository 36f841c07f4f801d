// From a request to an answer: which part of the server it is for, of which tenant, and what every
// answer has in common. A part's refusal becomes a reply; an unexpected error becomes a 500 that
// tells nothing and a line in the log.

import { CALLBACK_MAX_BYTES, CALLBACK_PATH } from "../../host/notices/webhook-callback.ts";
import { sqlState } from "../database/database.ts";
import type { DeviceCalls } from "../fleet/answer-device.ts";
import { takeReply } from "../notify/webhook-replies.ts";
import type { ServerParts } from "../parts.ts";
import type { ApiCalls } from "../people/answer-person.ts";
import type { Logins, OriginOf } from "../people/logins.ts";
import type { TenantName } from "../tenants.ts";
import { renderMetrics } from "./metrics.ts";
import { jsonResponse, Problem, problemResponse } from "./problem.ts";
import type { RateLimit } from "./rate-limit.ts";
import { readOctets } from "./read-body.ts";
import type { TenantOfRequest } from "./tenant-of-request.ts";

/** Headers of every answer. */
const COMMON: Readonly<Record<string, string>> = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

const CLOSED = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/** Errors of the data, not of the server: a zero octet, a number that no column holds. */
const BAD_DATA = new Set(["22021", "22P05", "22003", "22P02"]);

/** Gives a page or a file of it; `home` is the address below which the page may load and ask, its origin without. */
export type ServePage = (path: string, home?: string) => Promise<Response | undefined>;

/** Who asks for what. */
export interface ServerRequest {
  readonly request: Request;
  /** The peer's address. */
  readonly from: string;
  /** The tenant in the path as it was sent. */
  readonly sent?: string;
}

/** The parts that answer. */
export interface Answerers {
  readonly parts: ServerParts;
  readonly tenants: TenantOfRequest;
  readonly originOf: OriginOf;
  readonly devices: DeviceCalls;
  readonly api: ApiCalls;
  readonly logins: Logins;
  /** How often an address may call back. */
  readonly callbacks: RateLimit;
  readonly page: ServePage;
  readonly metricsToken: string | undefined;
  /** False while the server ends: balancers are told so. */
  readonly isReady: () => boolean;
  readonly isSecure: boolean;
}

/** Answers one request. */
export async function answer(all: Answerers, asked: ServerRequest): Promise<Response> {
  const { request } = asked;
  // A Host that no address can have.
  if (!URL.canParse(request.url))
    return problemResponse(new Problem(400, "bad-input", "there is no such host"));
  const url = new URL(request.url);
  const started = performance.now();
  let response: Response;
  try {
    response = await route(all, url, asked);
  } catch (error) {
    response = problemResponse(problemOf(all, error, url.pathname));
  }
  for (const [name, value] of Object.entries(COMMON))
    if (!response.headers.has(name)) response.headers.set(name, value);
  if (!response.headers.has("content-security-policy"))
    response.headers.set("content-security-policy", CLOSED);
  if (all.isSecure) response.headers.set("strict-transport-security", "max-age=31536000");
  const part = /^(?:\/t\/[^/]+)?\/(fleet|api|auth)\//.exec(url.pathname)?.[1] ?? "page";
  all.parts.counters.add(`iddio_requests_total{part="${part}",code="${response.status}"}`);
  all.parts.counters.add(`iddio_request_seconds_sum{part="${part}"}`, (performance.now() - started) / 1000);
  return response;
}

async function route(all: Answerers, url: URL, { request, from, sent }: ServerRequest): Promise<Response> {
  if (url.pathname === "/healthz") return jsonResponse({ status: "ok" });
  if (url.pathname === "/readyz") return ready(all);
  if (url.pathname === "/metrics") return metrics(all, request, from);
  const { tenants } = all;
  const host = request.headers.get("host") ?? url.host;
  const { site, path } = await tenants.find(host, url.pathname, sent);
  if (path.startsWith("/fleet/v1/") && (site !== undefined || !tenants.isNamed)) {
    const only = tenants.isNamed ? site?.tenant.id : undefined;
    return jsonResponse(await all.devices.answer(path, request, from, only));
  }
  if (path === "/openapi.json") {
    const { openApiDocument } = await import("./openapi.ts");
    const document = openApiDocument(tenants.byPath, site);
    return jsonResponse(document, 200, { "access-control-allow-origin": "*" });
  }
  if (site === undefined) return withSlash(tenants, host, url.pathname);
  const own = new URL(url);
  own.pathname = path;
  if (path === CALLBACK_PATH) return callback(all, site.tenant, request, from);
  if (path.startsWith("/auth/")) return all.logins.answer(site, own, request, from);
  if (path.startsWith("/api/v1/")) return all.api.answer(site, own, request, from);
  if (request.method !== "GET" && request.method !== "HEAD")
    throw new Problem(405, "bad-input", "there is no such call");
  const home = site.base === "" ? undefined : `${all.originOf(host)}${site.base}/`;
  return (
    (await all.page(path, home)) ?? problemResponse(new Problem(404, "not-found", "there is no such page"))
  );
}

/** `/t/acme` goes on at `/t/acme/`, since the page's own addresses are below it; everything else is no tenant's. */
async function withSlash(tenants: TenantOfRequest, host: string, pathname: string): Promise<Response> {
  const more = tenants.byPath ? { detail: "each tenant is at /t/<name>/" } : {};
  const { site } = await tenants.find(host, `${pathname}/`, pathname.slice("/t/".length));
  if (site === undefined || site.base === "")
    throw new Problem(404, "no-tenant", "no tenant has this name", more);
  return new Response(null, { status: 308, headers: { location: `${site.base}/` } });
}

/** An answer of a webhook's receiver; whether it counts is decided by its signature. */
async function callback(
  { parts, callbacks }: Answerers,
  tenant: TenantName,
  request: Request,
  from: string,
): Promise<Response> {
  if (request.method !== "POST") throw new Problem(405, "bad-input", "a callback is a POST");
  callbacks.require(`${tenant.id}/${from}`, parts.nowMs());
  const body = new TextDecoder().decode(await readOctets(request, CALLBACK_MAX_BYTES));
  const header = (name: string) => request.headers.get(name) ?? undefined;
  const { status, said } = await takeReply(parts, tenant, { header, body });
  return new Response(`${said}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  });
}

async function ready({ parts, isReady }: Answerers): Promise<Response> {
  if (!isReady()) return jsonResponse({ status: "ending" }, 503);
  try {
    await parts.database.run("scan", (tx) => tx.rows("select 1 as one"));
    return jsonResponse({ status: "ok" });
  } catch {
    return jsonResponse({ status: "no database" }, 503);
  }
}

/** Numbers of the whole server are for its operator: with the token, or from this machine where none is set. */
async function metrics(all: Answerers, request: Request, from: string): Promise<Response> {
  const isAllowed =
    all.metricsToken === undefined
      ? /^(?:127\.|::1$|::ffff:127\.)/.test(from) && request.headers.get("x-forwarded-for") === null
      : request.headers.get("authorization") === `Bearer ${all.metricsToken}`;
  if (!isAllowed) throw new Problem(403, "not-permitted", "metrics are for the operator");
  return new Response(await renderMetrics(all.parts), {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
  });
}

function problemOf({ parts }: Answerers, error: unknown, path: string): Problem {
  if (error instanceof Problem) return error;
  if (BAD_DATA.has(sqlState(error) ?? "")) return new Problem(400, "bad-input", "a value cannot be stored");
  parts.log("failed", { path, error: error instanceof Error ? error.message : String(error) });
  parts.counters.add("iddio_failures_total");
  return new Problem(503, "unavailable", "the server failed", { retry_after_s: 5 });
}
