// Which tenant a request is for. With a domain a host's name says it: `acme.example.com` has an
// origin and cookies of its own. On one host a path can say it: `/t/acme/`; browsers see no
// boundary between paths, so session-cookie.ts and own-page.ts make one. Else there is one tenant.

import type { Database } from "../database/database.ts";
import { listTenants, type TenantName } from "../tenants.ts";
import { RateLimit } from "./rate-limit.ts";

const FRESH_MS = 5_000;

/** The path below which tenants are, as a route of Bun's: it matches what was sent, before dots are resolved. */
export const TENANT_ROUTE = "/t/:tenant/*";

/** How requests name tenants. */
export interface TenantForm {
  /** Names of hosts below it stand for tenants. */
  readonly domain?: string;
  /** Paths stand for tenants; not together with a domain. */
  readonly byPath?: boolean;
}

/** The place of a tenant at this server. */
export interface TenantSite {
  readonly tenant: TenantName;
  /** `/t/acme`; empty where the whole host is the tenant's. */
  readonly base: string;
}

/** A request's place, and its path there. */
export interface Placed {
  readonly site: TenantSite | undefined;
  readonly path: string;
}

/** Looks tenants up, and keeps them for seconds. */
export class TenantOfRequest {
  readonly #database: Database;
  readonly #domain: string | undefined;
  readonly #byPath: boolean;
  /** A name that is not known may be new; names that are made up do not become queries. */
  readonly #looks = new RateLimit(5, 50);
  #known: { readonly atMs: number; readonly tenants: readonly TenantName[] } | undefined;

  constructor(database: Database, { domain, byPath = false }: TenantForm) {
    this.#database = database;
    this.#domain = domain?.toLowerCase();
    this.#byPath = byPath;
  }

  /** Whether names of tenants are in paths. */
  get byPath(): boolean {
    return this.#byPath;
  }

  /** Whether a request names its tenant; else there is one. */
  get isNamed(): boolean {
    return this.#domain !== undefined || this.#byPath;
  }

  /**
   * The place of a request. `sent` is the tenant in the path as it was sent: where a path was written so that it
   * is another's once it is resolved, it is nobody's.
   */
  async find(host: string, pathname: string, sent: string | undefined): Promise<Placed> {
    if (this.#byPath) return this.#findInPath(pathname, sent);
    const tenant = await this.#findByHost(host);
    return { site: tenant && { tenant, base: "" }, path: pathname };
  }

  /** Lists the tenants, from memory where they were read lately. */
  async all(): Promise<readonly TenantName[]> {
    return this.#tenants();
  }

  async #findInPath(pathname: string, sent: string | undefined): Promise<Placed> {
    const [, slug, path] = /^\/t\/([a-z0-9-]+)(\/.*)$/.exec(pathname) ?? [];
    const tenant = slug === undefined || slug !== sent ? undefined : await this.#named(slug);
    if (tenant === undefined || path === undefined) return { site: undefined, path: pathname };
    return { site: { tenant, base: `/t/${tenant.slug}` }, path };
  }

  async #findByHost(host: string): Promise<TenantName | undefined> {
    if (this.#domain === undefined) {
      const tenants = await this.#tenants();
      return tenants.length === 1 ? tenants[0] : undefined;
    }
    const name = host.toLowerCase().replace(/:\d+$/, "");
    if (!name.endsWith(`.${this.#domain}`)) return undefined;
    return this.#named(name.slice(0, -this.#domain.length - 1));
  }

  async #named(slug: string): Promise<TenantName | undefined> {
    const found = (await this.#tenants()).find((tenant) => tenant.slug === slug);
    if (found !== undefined || this.#looks.take("", performance.now()) !== undefined) return found;
    this.#known = undefined;
    return (await this.#tenants()).find((tenant) => tenant.slug === slug);
  }

  async #tenants(): Promise<readonly TenantName[]> {
    const now = performance.now();
    if (this.#known === undefined || now - this.#known.atMs > FRESH_MS)
      this.#known = { atMs: now, tenants: await listTenants(this.#database) };
    return this.#known.tenants;
  }
}
