// Tenants: how they are made, named and found, and the keys that sign for their devices. The
// private halves are sealed with the server's secret. Finding a tenant by its name is the only
// question that is asked of all tenants at once.

import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import type { ServerKey } from "../api/fleet/protocol.ts";
import { writePublicKey } from "../api/fleet/request-signature.ts";
import { UserError } from "../model/user-error.ts";
import type { Database, Tx } from "./database/database.ts";
import { numberOf, sqlState, textOf, UNIQUE_VIOLATION } from "./database/database.ts";
import type { Sealer } from "./sealer.ts";

/** A tenant's names. */
export interface TenantName {
  readonly id: string;
  /** In the host's name, `acme` of `acme.example.com`, or in the path. */
  readonly slug: string;
}

/** How its people log in and their roles. */
export interface TenantSettings {
  readonly oidc?: {
    readonly issuer: string;
    readonly client_id: string;
    readonly sealed_secret?: string;
    /** The claim that holds groups. */
    readonly groups_claim: string;
    /** Groups to roles: `{ "ops": ["approver"] }`. */
    readonly roles: Readonly<Record<string, readonly string[]>>;
    readonly scopes: string;
  };
}

/** A tenant. */
export interface Tenant extends TenantName {
  readonly name: string;
  readonly epoch: number;
  readonly tick: number;
  readonly settings: TenantSettings;
}

const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?$/;

/** Makes a tenant with its first key. */
export async function createTenant(
  database: Database,
  sealer: Sealer,
  { slug, name, nowMs }: { readonly slug: string; readonly name: string; readonly nowMs: number },
): Promise<TenantName> {
  if (!SLUG.test(slug))
    throw new UserError(`'${slug}' cannot be a tenant's name`, {
      hint: "lower-case letters, digits and hyphens, at most 42",
    });
  const id = randomBytes(8).toString("hex");
  await database
    .run({ tenant: id }, async (tx) => {
      await tx.rows("insert into tenants (slug, name, created_ms) values ($1, $2, $3)", [slug, name, nowMs]);
      await addKey(tx, sealer, id, nowMs);
    })
    .catch((error: unknown) => {
      if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
      throw new UserError(`there is a tenant '${slug}' already`, { hint: "iddio server tenant list" });
    });
  return { id, slug };
}

/** The tenant of a server that has one; made when there is none. */
export async function ensureTenant(database: Database, sealer: Sealer, nowMs: number): Promise<void> {
  const tenants = await listTenants(database);
  if (tenants.length === 0) await createTenant(database, sealer, { slug: "default", name: "default", nowMs });
  if (tenants.length > 1)
    throw new UserError(`there are ${tenants.length} tenants, and each needs a name of its own`, {
      hint: "type: iddio server --domain example.com, or iddio server --tenant-paths",
    });
}

/** All tenants, by name. */
export async function listTenants(database: Database): Promise<readonly TenantName[]> {
  const rows = await database.run("scan", (tx) =>
    tx.rows("select tenant_id, slug from tenants order by slug"),
  );
  return rows.map((row) => ({ id: textOf(row, "tenant_id"), slug: textOf(row, "slug") }));
}

/** The tenant that a transaction is for. */
export async function currentTenant(tx: Tx): Promise<Tenant | undefined> {
  const [row] = await tx.rows("select tenant_id, slug, name, epoch, tick, settings from tenants");
  if (row === undefined) return undefined;
  return {
    id: textOf(row, "tenant_id"),
    slug: textOf(row, "slug"),
    name: textOf(row, "name"),
    epoch: numberOf(row, "epoch"),
    tick: numberOf(row, "tick"),
    settings: JSON.parse(textOf(row, "settings")) as TenantSettings,
  };
}

/** Changes the settings of the transaction's tenant. */
export async function writeSettings(tx: Tx, settings: TenantSettings): Promise<void> {
  await tx.rows("update tenants set settings = $1", [JSON.stringify(settings)]);
}

/** The public keys that devices pin, the signing one first. */
export async function publicKeys(tx: Tx): Promise<readonly ServerKey[]> {
  const rows = await tx.rows(
    "select id, public_key from tenant_keys where retired_ms is null order by created_ms desc, id",
  );
  return rows.map((row) => ({ id: textOf(row, "id"), public_key: textOf(row, "public_key") }));
}

/** A key with its private half. */
interface SigningKey {
  readonly id: string;
  readonly privateKey: KeyObject;
}

/** The key that signs now: the newest whose time has come. */
export function tenantSigningKey(tx: Tx, sealer: Sealer, tenant: string, nowMs: number): Promise<SigningKey> {
  return openKey(tx, sealer, tenant, "and signs_from_ms <= $1 order by signs_from_ms desc, created_ms desc", [
    nowMs,
  ]);
}

/** The oldest key that is not retired: every device has it, so it signs the list of keys. */
export function oldestKey(tx: Tx, sealer: Sealer, tenant: string): Promise<SigningKey> {
  return openKey(tx, sealer, tenant, "order by created_ms", []);
}

async function openKey(
  tx: Tx,
  sealer: Sealer,
  tenant: string,
  which: string,
  values: readonly number[],
): Promise<SigningKey> {
  const [row] = await tx.rows(
    `select id, sealed_key from tenant_keys where retired_ms is null ${which} limit 1`,
    values,
  );
  if (row === undefined) throw new Error("the tenant has no key");
  const id = textOf(row, "id");
  const pem = sealer.open(`${tenant}/keys/${id}`, textOf(row, "sealed_key"));
  return { id, privateKey: createPrivateKey(pem) };
}

/** Makes a key of the transaction's tenant; devices pin it with their next sync, and it signs from `signsFromMs` on. */
export async function addKey(
  tx: Tx,
  sealer: Sealer,
  tenant: string,
  nowMs: number,
  signsFromMs = 0,
): Promise<string> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const id = `key_${randomBytes(4).toString("hex")}`;
  const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  await tx.rows(
    "insert into tenant_keys (id, public_key, sealed_key, created_ms, signs_from_ms) values ($1, $2, $3, $4, $5)",
    [id, writePublicKey(privateKey), sealer.seal(`${tenant}/keys/${id}`, pem), nowMs, signsFromMs],
  );
  return id;
}
