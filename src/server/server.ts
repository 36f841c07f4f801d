// The control plane: makes its parts, listens, and ends in order: first it says that it is not
// ready, then it lets what runs finish, then it closes the database. Servers keep nothing that
// another server would need.

import { endOverdue } from "./approvals/held.ts";
import type { Database } from "./database/database.ts";
import { dropPartitions, preparePartitions } from "./database/migrate.ts";
import { DeviceCalls } from "./fleet/answer-device.ts";
import { Ticks } from "./fleet/ticks.ts";
import { TenantForwarding } from "./forward/tenant-forwarding.ts";
import { type Answerers, answer, type ServePage } from "./http/answer.ts";
import { Problem } from "./http/problem.ts";
import { RateLimit } from "./http/rate-limit.ts";
import { TENANT_ROUTE, TenantOfRequest } from "./http/tenant-of-request.ts";
import { pruneNotices } from "./notify/notice-rows.ts";
import { TenantNotices } from "./notify/tenant-notices.ts";
import { Counters, type ServerParts } from "./parts.ts";
import { ApiCalls } from "./people/answer-person.ts";
import { Logins } from "./people/logins.ts";
import type { Sealer } from "./sealer.ts";

/** The inputs of a server. */
export interface ServerOptions {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly hostname: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Names of tenants are below it. Without one, and without `byPath`, there is one tenant. */
  readonly domain?: string;
  /** Tenants share the host: `/t/acme/`. Not together with a domain. */
  readonly byPath?: boolean;
  /** Where people reach a server without a domain: `https://iddio.example.com`. */
  readonly publicUrl?: string;
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Something in front speaks TLS, and only that can reach this port. */
  readonly isBehindProxy?: boolean;
  readonly metricsToken?: string;
  /** Audit rows of months that ended so long ago are dropped; never unless given. */
  readonly keepAuditMs?: number;
  /** Targets of notices may be in private networks. */
  readonly reachPrivate?: boolean;
  readonly leaseMs?: number;
  readonly log: ServerParts["log"];
  readonly page?: ServePage;
  readonly nowMs?: () => number;
}

/** A running server. */
export interface Server {
  readonly port: number;
  readonly url: string;
  readonly parts: ServerParts;
  /** Ends; what runs has `graceMs` to finish. The database is its maker's to close. */
  stop(graceMs?: number): Promise<void>;
}

const UPKEEP_MS = 60_000;
const PARTITIONS_MS = 6 * 60 * 60_000;
const GRACE_MS = 10_000;

/** Starts. The database is migrated already. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { database } = options;
  const ticks = new Ticks(database);
  const parts: ServerParts = {
    database,
    sealer: options.sealer,
    ticks,
    nowMs: options.nowMs ?? Date.now,
    log: options.log,
    counters: new Counters(),
  };
  const { reachPrivate = false, leaseMs } = options;
  const notifying = new TenantNotices(parts, { reachPrivate, ...(leaseMs === undefined ? {} : { leaseMs }) });
  parts.notifying = notifying;
  const forwarding = new TenantForwarding(parts, {
    reachPrivate,
    ...(leaseMs === undefined ? {} : { leaseMs }),
  });
  parts.forwarding = forwarding;
  const isSecure = options.tls !== undefined || options.isBehindProxy === true;
  const scheme = isSecure ? "https" : "http";
  let isReady = true;
  let ownPort = options.port;
  const originOf = (host: string): string => {
    if (options.domain !== undefined) return `${scheme}://${host.toLowerCase()}`;
    const origin = options.publicUrl ?? `${scheme}://localhost:${ownPort}`;
    // Another name for this address is another site to a browser.
    if (new URL(origin).host !== host.toLowerCase())
      throw new Problem(421, "not-this-host", `this server is ${origin}`);
    return origin;
  };
  const answerers: Answerers = {
    parts,
    tenants: new TenantOfRequest(database, options),
    originOf,
    devices: new DeviceCalls(parts),
    api: new ApiCalls(parts, originOf),
    logins: new Logins(parts, originOf),
    callbacks: new RateLimit(10, 100),
    page: options.page ?? (async () => undefined),
    metricsToken: options.metricsToken,
    isReady: () => isReady,
    isSecure,
  };
  const respond = (request: Request, self: Bun.Server<undefined>, sent?: string): Promise<Response> => {
    const peer = self.requestIP(request)?.address ?? "";
    const forwarded = request.headers.get("x-forwarded-for")?.split(",").at(-1)?.trim();
    const from = options.isBehindProxy === true ? (forwarded ?? peer) : peer;
    return answer(answerers, { request, from, ...(sent === undefined ? {} : { sent }) });
  };
  const server = Bun.serve({
    hostname: options.hostname,
    port: options.port,
    idleTimeout: 120,
    maxRequestBodySize: 16 * 1024 * 1024,
    development: false,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    // A request's `url` is resolved already; the route sees the path that was sent.
    ...(options.byPath === true
      ? { routes: { [TENANT_ROUTE]: (request, self) => respond(request, self, request.params.tenant) } }
      : {}),
    fetch: (request, self) => respond(request, self),
    error: () => new Response(null, { status: 500 }),
  });
  ownPort = server.port ?? options.port;
  const upkeep = startUpkeep(parts, answerers.tenants, options.keepAuditMs);
  const shownHost =
    options.hostname === "0.0.0.0" || options.hostname === "::" ? "localhost" : options.hostname;
  return {
    port: ownPort,
    url: options.publicUrl ?? `${scheme}://${shownHost === "127.0.0.1" ? "localhost" : shownHost}:${ownPort}`,
    parts,
    async stop(graceMs = GRACE_MS) {
      isReady = false;
      upkeep[Symbol.dispose]();
      ticks[Symbol.dispose]();
      await Promise.all([notifying[Symbol.asyncDispose](), forwarding[Symbol.asyncDispose]()]);
      const ended = server.stop(false);
      const late = new Promise<void>((resolve) => setTimeout(resolve, graceMs).unref());
      await Promise.race([ended, late]);
      await server.stop(true);
    },
  };
}

/**
 * Keeps the tables in order at intervals: partitions are made and dropped, and holds that no device will end
 * are ended.
 */
function startUpkeep(
  parts: ServerParts,
  tenants: TenantOfRequest,
  keepAuditMs: number | undefined,
): Disposable {
  let partitionsAtMs = Number.NEGATIVE_INFINITY;
  const run = async () => {
    const now = parts.nowMs();
    if (now - partitionsAtMs >= PARTITIONS_MS) {
      partitionsAtMs = now;
      await preparePartitions(parts.database, now);
      const dropped =
        keepAuditMs === undefined ? [] : await dropPartitions(parts.database, now - keepAuditMs);
      if (dropped.length > 0) parts.log("audit_dropped", { pieces: dropped });
    }
    for (const { id } of await tenants.all())
      await parts.database.run({ tenant: id }, async (tx) => {
        await endOverdue({ tx, nowMs: now });
        await pruneNotices(tx, now);
        await tx.rows("delete from device_nonces where ends_ms < $1", [now]);
      });
  };
  const attempt = () =>
    void run().catch((error: unknown) =>
      parts.log("upkeep_failed", { error: error instanceof Error ? error.message : String(error) }),
    );
  attempt();
  const timer = setInterval(attempt, UPKEEP_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
