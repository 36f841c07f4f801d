// `iddio server key` and `iddio server epoch`: how the owner of the database changes the keys that
// devices trust, and lets policies begin again after the database was put back.

import { UserError } from "../../../model/user-error.ts";
import type { TenantName } from "../../../server/tenants.ts";
import { type Command, type CommandContext, JSON_FLAG } from "../../kit/command.ts";
import { localTime } from "../../kit/local-time.ts";
import { DATABASE_FLAGS } from "./server.ts";
import { withDatabase } from "./server-tenant.ts";

type Opened = import("../../../server/open-database.ts").OpenDatabase;

/** Opens the database for the tenant of the first argument. */
export async function withTenant<T>(
  context: CommandContext,
  work: (opened: Opened, tenant: TenantName) => Promise<T>,
): Promise<T> {
  const [slug = ""] = context.args;
  return withDatabase(context, async (opened) => {
    const { listTenants } = await import("../../../server/tenants.ts");
    const tenant = (await listTenants(opened.database)).find((each) => each.slug === slug);
    if (tenant === undefined)
      throw new UserError(`there is no tenant '${slug}'`, { hint: "iddio server tenant list" });
    return work(opened, tenant);
  });
}

const WEEK_MS = 7 * 24 * 60 * 60_000;

/** Makes the next key. */
export const serverKeyRotateCommand: Command = {
  name: "server key rotate",
  summary: "Make a tenant's next signing key",
  args: [{ name: "tenant" }],
  flags: [
    {
      name: "after",
      value: "duration",
      kind: "duration",
      summary: "When it begins to sign (default 168h): devices pin it with a sync before",
    },
    ...DATABASE_FLAGS,
  ],
  details: [
    "Devices pin it with their next sync. Retire the key before it once it signs;",
    "a device that did not sync in between must be enrolled again.",
  ],
  examples: ["iddio server key rotate acme", "iddio server key rotate acme --after 48h"],
  async run(context) {
    const { flags, output } = context;
    const nowMs = Date.now();
    const signsFromMs = nowMs + (flags.durationMs("after") ?? WEEK_MS);
    await withTenant(context, async ({ database, sealer }, tenant) => {
      const { rotateKey } = await import("../../../server/key-rotation.ts");
      const id = await rotateKey(database, sealer, tenant.id, { nowMs, signsFromMs });
      output.line(`made ${id}, which signs from ${localTime(signsFromMs)}`);
    });
  },
};

/** Lists the keys. */
export const serverKeyListCommand: Command = {
  name: "server key list",
  summary: "List a tenant's signing keys",
  args: [{ name: "tenant" }],
  flags: [JSON_FLAG, ...DATABASE_FLAGS],
  async run(context) {
    const { flags, output } = context;
    const keys = await withTenant(context, async ({ database, sealer }, tenant) => {
      const { listKeys } = await import("../../../server/key-rotation.ts");
      return listKeys(database, sealer, tenant.id, Date.now());
    });
    if (flags.has("json")) return void output.json(keys);
    output.table(
      ["KEY", "STATE", "CREATED", "SIGNS FROM"],
      keys.map(({ id, state, created_ms, signs_from_ms }) => [
        id,
        state,
        localTime(created_ms),
        localTime(Math.max(created_ms, signs_from_ms)),
      ]),
    );
  },
};

/** Retires one. */
export const serverKeyRetireCommand: Command = {
  name: "server key retire",
  summary: "Let devices trust one of a tenant's keys no longer",
  args: [{ name: "tenant" }, { name: "key" }],
  flags: [...DATABASE_FLAGS],
  details: ["Devices forget it with their next sync. The key that signs cannot be retired."],
  examples: ["iddio server key retire acme key_1f0e9d8c"],
  async run(context) {
    const { args, output } = context;
    const [, id = ""] = args;
    await withTenant(context, async ({ database, sealer }, tenant) => {
      const { retireKey } = await import("../../../server/key-rotation.ts");
      await retireKey(database, sealer, { tenant: tenant.id, id, nowMs: Date.now() });
      output.line(`retired ${id}`);
    });
  },
};

/** Begins an epoch. */
export const serverEpochCommand: Command = {
  name: "server epoch",
  summary: "Begin a tenant's policies again, after a restored database",
  args: [{ name: "tenant" }],
  flags: [...DATABASE_FLAGS],
  details: [
    "Devices take no revision that is older than the one they have. After a restore",
    "from a backup the server has older ones: in a new epoch devices take them.",
  ],
  async run(context) {
    const { output } = context;
    await withTenant(context, async ({ database }, tenant) => {
      const { beginEpoch } = await import("../../../server/key-rotation.ts");
      output.line(`${tenant.slug} is in epoch ${await beginEpoch(database, tenant.id, Date.now())}`);
    });
  },
};
