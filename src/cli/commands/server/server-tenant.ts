// `iddio server tenant` and `iddio server token`: the steps of the database's owner before anybody
// can log in. With the embedded database they run while no server does.

import { UserError } from "../../../model/user-error.ts";
import { type Command, type CommandContext, JSON_FLAG } from "../../kit/command.ts";
import { DATABASE_FLAGS } from "./server.ts";

/** Opens the database for one command. */
export async function withDatabase<T>(
  { flags, env, paths }: CommandContext,
  work: (opened: import("../../../server/open-database.ts").OpenDatabase) => Promise<T>,
): Promise<T> {
  const { openServerDatabase, databasePlace } = await import("../../../server/open-database.ts");
  await using opened = await openServerDatabase(
    databasePlace((name) => flags.text(name), env, paths),
    paths,
    false,
  );
  return await work(opened);
}

/** Makes a tenant, or changes how its people log in. */
export const serverTenantCommand: Command = {
  name: "server tenant set",
  summary: "Make a tenant, or say how its people log in",
  args: [{ name: "name" }],
  flags: [
    { name: "title", value: "text", summary: "The tenant's name for people" },
    { name: "issuer", value: "url", summary: "OpenID Connect provider" },
    { name: "client-id", value: "id", summary: "The provider's client id for this server" },
    { name: "client-secret", summary: "Read the provider's secret from standard input" },
    { name: "groups-claim", value: "name", summary: "Claim that holds groups (default groups)" },
    {
      name: "role",
      value: "role=group",
      isRepeatable: true,
      summary: "Role of a group's people: viewer, approver, author or admin",
    },
    ...DATABASE_FLAGS,
  ],
  details: [
    "The provider sends people back to <address of the tenant>/auth/callback: of its host,",
    "or with --tenant-paths <public-url>/t/<name>/auth/callback.",
  ],
  examples: [
    "iddio server tenant set acme --issuer https://id.example.com --client-id iddio",
    "iddio server tenant set acme --role admin=ops --role viewer=staff",
  ],
  async run(context) {
    const { args, flags, output } = context;
    const [slug = ""] = args;
    const roles = rolesOf(flags.texts("role"));
    const secret = flags.has("client-secret") ? (await Bun.stdin.text()).trim() : undefined;
    await withDatabase(context, async ({ database, sealer }) => {
      const { createTenant, currentTenant, listTenants, writeSettings } = await import(
        "../../../server/tenants.ts"
      );
      const found = (await listTenants(database)).find((tenant) => tenant.slug === slug);
      const title = flags.text("title") ?? slug;
      const tenant =
        found ?? (await createTenant(database, sealer, { slug, name: title, nowMs: Date.now() }));
      const [issuer, clientId] = [flags.text("issuer"), flags.text("client-id")];
      await database.run({ tenant: tenant.id }, async (tx) => {
        const now = (await currentTenant(tx))?.settings.oidc;
        const next = {
          issuer: issuer ?? now?.issuer,
          client_id: clientId ?? now?.client_id,
          groups_claim: flags.text("groups-claim") ?? now?.groups_claim ?? "groups",
          roles: Object.keys(roles).length > 0 ? roles : (now?.roles ?? {}),
          scopes: now?.scopes ?? "openid profile email",
        };
        if (next.issuer === undefined || next.client_id === undefined) return;
        const sealed = secret === undefined ? now?.sealed_secret : sealer.seal(`${tenant.id}/oidc`, secret);
        await writeSettings(tx, {
          oidc: {
            ...next,
            issuer: next.issuer,
            client_id: next.client_id,
            ...(sealed === undefined ? {} : { sealed_secret: sealed }),
          },
        });
      });
      output.line(`${found === undefined ? "made" : "changed"} tenant ${slug}`);
    });
  },
};

/** Lists the tenants. */
export const serverTenantsCommand: Command = {
  name: "server tenant list",
  summary: "List the tenants of the control plane",
  flags: [JSON_FLAG, ...DATABASE_FLAGS],
  async run(context) {
    const { flags, output } = context;
    const { listTenants } = await import("../../../server/tenants.ts");
    const tenants = await withDatabase(context, ({ database }) => listTenants(database));
    if (flags.has("json")) return void output.json(tenants);
    if (tenants.length === 0) return void output.note("there is no tenant");
    output.table(
      ["NAME", "ID"],
      tenants.map(({ slug, id }) => [slug, id]),
    );
  },
};

/** Makes a token for the owner of the database. */
export const serverTokenCommand: Command = {
  name: "server token",
  summary: "Make an API token of the operator, which decides nothing",
  args: [{ name: "tenant" }],
  flags: [
    {
      name: "role",
      value: "role",
      choices: ["viewer", "author", "admin"],
      summary: "Its role (default admin)",
    },
    {
      name: "for",
      value: "duration",
      kind: "duration",
      summary: "How long it is good (default 1h, at most 366 days)",
    },
    ...DATABASE_FLAGS,
  ],
  details: ["It prints the token, once. Use it to make the first people and devices."],
  examples: ["iddio server token acme --for 8h"],
  async run(context) {
    const { args, flags, output } = context;
    const [slug = ""] = args;
    const forMs = flags.durationMs("for") ?? 60 * 60_000;
    const role = flags.text("role") ?? "admin";
    await withDatabase(context, async ({ database }) => {
      const { listTenants } = await import("../../../server/tenants.ts");
      const tenant = (await listTenants(database)).find((each) => each.slug === slug);
      if (tenant === undefined)
        throw new UserError(`there is no tenant '${slug}'`, { hint: "iddio server tenant list" });
      const { makeOperatorToken } = await import("../../../server/people/operator-token.ts");
      output.line(await makeOperatorToken(database, tenant.id, role, forMs, Date.now()));
    });
  },
};

function rolesOf(texts: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const roles: Record<string, string[]> = {};
  for (const text of texts) {
    const match = /^(viewer|approver|author|admin)=(.+)$/.exec(text);
    if (match?.[1] === undefined || match[2] === undefined)
      throw new UserError(`expected role=group, got '${text}'`, {
        exitCode: 2,
        hint: "roles: viewer, approver, author, admin",
      });
    roles[match[2]] = [...(roles[match[2]] ?? []), match[1]];
  }
  return roles;
}
