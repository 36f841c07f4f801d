// Which tenant a host's name stands for. With a domain, `acme.example.com` is the tenant acme, each
// with an origin and cookies of its own; without one the server has one tenant and any name will
// do. A path never names a tenant: paths share cookies.

import type { Database } from "../database/database.ts";
import { listTenants, type TenantName } from "../tenants.ts";
import { RateLimit } from "./rate-limit.ts";

const FRESH_MS = 5_000;

/** Looks tenants up, and keeps them for seconds. */
export class TenantOfHost {
  readonly #database: Database;
  readonly #domain: string | undefined;
  /** A name that is not known may be new; names that are made up do not become queries. */
  readonly #looks = new RateLimit(5, 50);
  #known: { readonly atMs: number; readonly tenants: readonly TenantName[] } | undefined;

  constructor(database: Database, domain: string | undefined) {
    this.#database = database;
    this.#domain = domain?.toLowerCase();
  }

  /** Whether names of hosts stand for tenants. */
  get byName(): boolean {
    return this.#domain !== undefined;
  }

  /** The tenant of a Host header; undefined when it stands for none. */
  async find(host: string): Promise<TenantName | undefined> {
    if (this.#domain === undefined) {
      const tenants = await this.#tenants();
      return tenants.length === 1 ? tenants[0] : undefined;
    }
    const name = host.toLowerCase().replace(/:\d+$/, "");
    if (!name.endsWith(`.${this.#domain}`)) return undefined;
    const slug = name.slice(0, -this.#domain.length - 1);
    const found = (await this.#tenants()).find((tenant) => tenant.slug === slug);
    if (found !== undefined || this.#looks.take("", performance.now()) !== undefined) return found;
    this.#known = undefined;
    return (await this.#tenants()).find((tenant) => tenant.slug === slug);
  }

  /** Lists the tenants, from memory where they were read lately. */
  async all(): Promise<readonly TenantName[]> {
    return this.#tenants();
  }

  async #tenants(): Promise<readonly TenantName[]> {
    const now = performance.now();
    if (this.#known === undefined || now - this.#known.atMs > FRESH_MS)
      this.#known = { atMs: now, tenants: await listTenants(this.#database) };
    return this.#known.tenants;
  }
}
