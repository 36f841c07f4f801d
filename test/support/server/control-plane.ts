// A control plane for tests: a server on a database of the test's choice, tenants, people with
// sessions and tokens, devices.

import { randomBytes } from "node:crypto";
import { APP_ROLE, type Database } from "../../../src/server/database/database.ts";
import { migrate } from "../../../src/server/database/migrate.ts";
import { PAGE_HEADER } from "../../../src/server/people/own-page.ts";
import { openSession } from "../../../src/server/people/principal.ts";
import type { Role } from "../../../src/server/people/roles.ts";
import { cookieName } from "../../../src/server/people/session-cookie.ts";
import { hashOfSecret, newId, newSecret, Sealer, writeToken } from "../../../src/server/sealer.ts";
import { type Server, type ServerOptions, startServer } from "../../../src/server/server.ts";
import { createTenant, type TenantName } from "../../../src/server/tenants.ts";
import { SimulatedDevice } from "./simulated-device.ts";

/** The role that requests are answered as, for tests that look at the catalog. */
export const ROLE = APP_ROLE;

/** A person of a test. */
export interface TestPerson {
  readonly id: string;
  readonly token: string;
  /** The value of the session's cookie. */
  readonly session: string;
}

/** A JSON answer. */
export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it asked for.
  readonly body: any;
}

/** A server with its database. */
export class ControlPlane implements AsyncDisposable {
  readonly server: Server;
  readonly database: Database;
  readonly sealer: Sealer;
  readonly #byPath: boolean;

  private constructor(server: Server, database: Database, sealer: Sealer, byPath: boolean) {
    this.#byPath = byPath;
    this.server = server;
    this.database = database;
    this.sealer = sealer;
  }

  /** Migrates and starts. */
  static async start(database: Database, options: Partial<ServerOptions> = {}): Promise<ControlPlane> {
    await migrate(database);
    const sealer = options.sealer ?? new Sealer(randomBytes(32));
    const server = await startServer({
      database,
      sealer,
      hostname: "127.0.0.1",
      port: 0,
      log: () => undefined,
      ...options,
    });
    return new ControlPlane(server, database, sealer, options.byPath === true);
  }

  get url(): string {
    return `http://127.0.0.1:${this.server.port}`;
  }

  /** The Host header for a tenant, where names stand for tenants. */
  hostOf(tenant: TenantName): string {
    return this.#byPath ? `localhost:${this.server.port}` : `${tenant.slug}.localhost:${this.server.port}`;
  }

  /** Where a tenant is: its address with the path that it may have, and the Host header to send. */
  placeOf(tenant: TenantName): { readonly url: string; readonly host: string } {
    return { url: this.#byPath ? `${this.url}/t/${tenant.slug}` : this.url, host: this.hostOf(tenant) };
  }

  /** The headers that a tenant's own page sends with a session. */
  pageHeaders(tenant: TenantName, session: string): Readonly<Record<string, string>> {
    const site = { tenant, base: this.#byPath ? `/t/${tenant.slug}` : "" };
    return {
      host: this.hostOf(tenant),
      origin: `http://${this.hostOf(tenant)}`,
      cookie: `${cookieName(site, "session")}=${session}`,
      [PAGE_HEADER]: `${site.base}/`,
      "content-type": "application/json",
    };
  }

  tenant(slug: string): Promise<TenantName> {
    return createTenant(this.database, this.sealer, { slug, name: `The ${slug}`, nowMs: Date.now() });
  }

  /** A person with a token and a session. */
  person(tenant: TenantName, name: string, roles: readonly Role[]): Promise<TestPerson> {
    return this.database.run({ tenant: tenant.id }, async (tx) => {
      const [id, secret, now] = [newId("per"), newSecret(), Date.now()];
      await tx.rows(
        "insert into people (id, issuer, subject, name, roles, created_ms) values ($1, 'test', $1, $2, $3, $4)",
        [id, name, roles.join(","), now],
      );
      await tx.rows(
        "insert into api_tokens (id, hash, name, person_id, roles, created_ms, ends_ms) values ($1, $2, $3, $4, $5, $6, $7)",
        [newId("tok"), hashOfSecret(secret), name, id, roles.join(","), now, now + 3_600_000],
      );
      const session = await openSession(tx, id, undefined, now);
      return { id, token: writeToken("idat", tenant.id, secret), session: session.secret };
    });
  }

  /** A token that enrols a device for a person. */
  enrollToken(tenant: TenantName, owner: string, group = "default"): Promise<string> {
    return this.database.run({ tenant: tenant.id }, async (tx) => {
      const secret = newSecret();
      await tx.rows(
        "insert into enroll_tokens (id, hash, owner_id, device_group, created_ms, ends_ms) values ($1, $2, $3, $4, $5, $6)",
        [newId("ent"), hashOfSecret(secret), owner, group, Date.now(), Date.now() + 3_600_000],
      );
      return writeToken("idet", tenant.id, secret);
    });
  }

  /** An enrolled device of a person. */
  async device(
    tenant: TenantName,
    owner: string,
    name = "machine",
    group = "default",
  ): Promise<SimulatedDevice> {
    const device = new SimulatedDevice(this.placeOf(tenant));
    await device.enroll(await this.enrollToken(tenant, owner, group), name);
    return device;
  }

  /** Calls the REST API with a token. */
  async api(
    tenant: TenantName,
    token: string,
    method: string,
    path: string,
    input?: unknown,
  ): Promise<Answer> {
    const { url, host } = this.placeOf(tenant);
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        host,
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
      },
      ...(input === undefined ? {} : { body: JSON.stringify(input) }),
    });
    return { status: response.status, body: await response.json() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop(0);
    await this.database.close();
  }
}
