// One tenant sees and changes nothing of another: every endpoint with every role, every table by
// the catalog and by trying, where hosts name tenants and where paths do. A table or an endpoint
// that is added is in here without a line.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { FLEET_ENDPOINTS } from "../../src/api/fleet/protocol.ts";
import { ENDPOINTS } from "../../src/server/api/endpoints.ts";
import { APP_ROLE, type Database, type Row, SCAN_ROLE } from "../../src/server/database/database.ts";
import { preparePartitions } from "../../src/server/database/migrate.ts";
import { openPostgres } from "../../src/server/database/postgres.ts";
import type { TenantForm } from "../../src/server/http/tenant-of-request.ts";
import { ROLES, rightsOf } from "../../src/server/people/roles.ts";
import type { TenantName } from "../../src/server/tenants.ts";
import { ControlPlane, type TestPerson } from "../support/server/control-plane.ts";
import { openFreshEmbedded } from "../support/server/embedded-folder.ts";
import { type PostgresCluster, postgresFolder, startPostgres } from "../support/server/postgres-cluster.ts";
import { auditLine, SimulatedDevice } from "../support/server/simulated-device.ts";

const LONG = 120_000;
/** Nobody, or a stranger who asks too often. */
const REFUSED = [401, 429];
const POLICY = "kubectl:\n  inspect: ['CANARY']\n  default: deny\n";

interface Installation {
  readonly name: string;
  readonly isThere: boolean;
  readonly form: TenantForm;
  readonly open: () => Promise<Database>;
}

let cluster: PostgresCluster | undefined;
const hasPostgres = postgresFolder() !== undefined || process.env.IDDIO_REQUIRE_CLIENTS === "1";
const onPostgres = (database: string) => async () => {
  cluster ??= await startPostgres();
  return openPostgres({ url: await cluster.database(database) });
};
const [BY_HOST, BY_PATH]: readonly TenantForm[] = [{ domain: "localhost" }, { byPath: true }];
const INSTALLATIONS = [
  { name: "PostgreSQL", isThere: hasPostgres, form: BY_HOST, open: onPostgres("hosts") },
  { name: "PostgreSQL, tenants by path", isThere: hasPostgres, form: BY_PATH, open: onPostgres("paths") },
  { name: "the embedded database", isThere: true, form: BY_HOST, open: () => openFreshEmbedded() },
] as readonly Installation[];

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
}, LONG);

/** Everything of a tenant, and the ids by which another would ask for it. */
interface Filled {
  readonly tenant: TenantName;
  readonly people: Readonly<Record<string, TestPerson>>;
  readonly ids: Readonly<Record<string, string>>;
  readonly device: SimulatedDevice;
  readonly digest: string;
}

async function fill(plane: ControlPlane, slug: string): Promise<Filled> {
  const tenant = await plane.tenant(slug);
  const people: Record<string, TestPerson> = {};
  for (const role of ROLES) people[role] = await plane.person(tenant, `CANARY-${slug}-${role}`, [role]);
  const admin = people.admin as TestPerson;
  const device = await plane.device(tenant, admin.id, `CANARY-${slug}-device`);
  const held = await device.hold({ command: `CANARY-${slug}-command` });
  await device.sendRows([auditLine({ command: `CANARY-${slug}-row` })]);
  const post = (path: string, input: object) => plane.api(tenant, admin.token, "POST", path, input);
  const policy = POLICY.replace("CANARY", `canary-${slug}.example.com`);
  const revision = await post("/api/v1/revisions", { policy, note: `CANARY-${slug}-note` });
  await post("/api/v1/enroll-tokens", { owner: admin.id });
  await post("/api/v1/notify-targets", { name: `canary-${slug}`, target: "https://198.51.100.1/CANARY" });
  await post("/api/v1/forward-sinks", { name: `canary-${slug}`, target: "https://198.51.100.1/CANARY" });
  await plane.database.run({ tenant: tenant.id }, (tx) =>
    tx.rows(
      "insert into forward_refused (sink, device_id, chain, seq, day, reason, at_ms) values ($1, $2, $3, 1, current_date, $4, 1)",
      [`canary-${slug}`, device.id, device.chain, `CANARY-${slug}-reason`],
    ),
  );
  const token = await post("/api/v1/tokens", {
    name: `CANARY-${slug}-token`,
    roles: ["viewer"],
    for_ms: 60_000,
  });
  return {
    tenant,
    people,
    device,
    digest: held.digest,
    ids: {
      devices: device.id,
      device: device.id,
      nonce: held.nonce,
      revision: String(revision.body.revision),
      people: admin.id,
      tokens: token.body.entry.id,
      name: `canary-${slug}`,
    },
  };
}

/** The path of an endpoint with the ids of a tenant. */
function pathOf(template: string, ids: Filled["ids"]): string {
  const noun = template.split("/")[3] ?? "";
  return template.replace(/\{(\w+)\}/g, (_, name: string) => ids[name === "id" ? noun : name] ?? "none");
}

/** A body that every change would take. */
function bodyOf(path: string, filled: Filled): object {
  const { ids, digest } = filled;
  if (path.endsWith("/decide")) return { verb: "deny", digest };
  if (path.endsWith("/revoke") && path.includes("devices")) return { reason: "x" };
  if (path.endsWith("/move")) return { group: "other" };
  if (path.endsWith("/widen")) return { percent: 100 };
  if (path.endsWith("/enroll-tokens")) return { owner: ids.people };
  if (path.endsWith("/api/v1/revisions")) return { policy: POLICY, note: "x" };
  if (path.endsWith("/api/v1/people")) return { name: "x" };
  if (path.endsWith("/api/v1/tokens")) return { name: "x", roles: ["viewer"], for_ms: 1000 };
  if (path.endsWith("/break-glass")) return { reason: "x" };
  // Answers in the name of another tenant's person.
  if (path.endsWith("/notify-targets"))
    return { name: "intruder", target: "https://198.51.100.1/x", replies_as: ids.people };
  if (path.endsWith("/forward-sinks"))
    return { name: "intruder", target: "https://198.51.100.1/x", from: "start" };
  return {};
}

for (const { name, isThere, form, open } of INSTALLATIONS)
  describe(name, () => {
    if (!isThere) {
      test("is not installed", () => undefined);
      return;
    }
    let plane: ControlPlane;
    let database: Database;
    let acme: Filled;
    let other: Filled;

    const tables = async (): Promise<readonly string[]> => {
      const rows = await database.asOwner((tx) =>
        tx.rows(
          "select relname::text as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1",
        ),
      );
      return rows.map((row) => String(row.name)).filter((table) => table !== "schema_steps");
    };
    /** All rows of a tenant, as the owner sees them. */
    const dump = async (tenant: TenantName) => {
      const names = await tables();
      return database.asOwner(async (tx) => {
        const all: Record<string, readonly Row[]> = {};
        for (const table of names)
          all[table] = await tx.rows(
            // A lease is renewed, with how it goes, whatever anybody does.
            `select (to_jsonb(x) - 'leased_by' - 'leased_until_ms' - 'problem' - 'failing_since_ms')::text as row from ${table} x where tenant_id = $1 order by 1`,
            [tenant.id],
          );
        return JSON.stringify(all);
      });
    };

    beforeAll(async () => {
      database = await open();
      plane = await ControlPlane.start(database, form);
      await preparePartitions(database, Date.now());
      acme = await fill(plane, "acme");
      other = await fill(plane, "other");
    }, LONG);

    afterAll(async () => {
      await plane[Symbol.asyncDispose]();
    }, LONG);

    test(
      "every endpoint with every role: the right is asked for, and nothing of another tenant is seen or changed",
      async () => {
        const before = await dump(acme.tenant);
        const seen: string[] = [];
        for (const endpoint of ENDPOINTS)
          for (const role of ROLES) {
            const person = other.people[role] as TestPerson;
            const path = pathOf(endpoint.path, acme.ids);
            const input = endpoint.method === "POST" ? bodyOf(path, acme) : undefined;
            // His own host with another's ids.
            const crossed = await plane.api(other.tenant, person.token, endpoint.method, path, input);
            const text = JSON.stringify(crossed.body);
            const hasRight = rightsOf([role]).has(endpoint.right);
            const line = `${endpoint.method} ${path} ${role}`;
            if (text.includes("CANARY-acme") || text.includes("canary-acme"))
              seen.push(`${line}: sees ${text}`);
            if (hasRight === (crossed.body.code === "not-permitted"))
              seen.push(`${line}: ${text.slice(0, 100)}`);
            if (crossed.status >= 500) seen.push(`${line}: ${crossed.status}`);
            // Another's host with his own token and session.
            const strange = await plane.api(acme.tenant, person.token, endpoint.method, path, input);
            if (!REFUSED.includes(strange.status))
              seen.push(`${line}: token at another's host ${strange.status}`);
            const cookie = await fetch(`${plane.placeOf(acme.tenant).url}${path}`, {
              method: endpoint.method,
              headers: plane.pageHeaders(acme.tenant, person.session),
              ...(input === undefined ? {} : { body: JSON.stringify(input) }),
            });
            if (!REFUSED.includes(cookie.status))
              seen.push(`${line}: session at another's host ${cookie.status}`);
            await cookie.body?.cancel();
          }
        expect(seen).toEqual([]);
        expect(await dump(acme.tenant)).toBe(before);
      },
      LONG,
    );

    test(
      "the same calls do something for one's own tenant, so that the test above is about something",
      async () => {
        const admin = acme.people.admin as TestPerson;
        const wrong: string[] = [];
        for (const endpoint of ENDPOINTS.filter(({ method }) => method === "GET")) {
          const { status, body } = await plane.api(
            acme.tenant,
            admin.token,
            "GET",
            pathOf(endpoint.path, acme.ids),
          );
          if (status !== 200 || !/canary-acme|acme/i.test(JSON.stringify(body)))
            wrong.push(`${endpoint.path} ${status}`);
        }
        expect(wrong).toEqual([]);
      },
      LONG,
    );

    test(
      "every call of a device with another tenant's name or device is refused",
      async () => {
        const before = await dump(acme.tenant);
        const { device } = other;
        const codes = new Set<string>();
        for (const { path } of Object.values(FLEET_ENDPOINTS))
          for (const claim of [
            { tenant: acme.tenant.id, id: device.id },
            { tenant: acme.tenant.id, id: acme.device.id },
            { tenant: other.tenant.id, id: acme.device.id },
          ]) {
            const forged = Object.assign(Object.create(Object.getPrototypeOf(device)), device, claim, {
              server: plane.placeOf(claim.tenant === acme.tenant.id ? acme.tenant : other.tenant),
            }) as SimulatedDevice;
            if (path.endsWith("/enroll")) continue;
            const call = path.split("/").at(-1) as "preflight";
            const { status, body } = await forged.call(call, {} as never);
            expect(status).toBe(401);
            codes.add(body.code ?? "");
          }
        expect([...codes].sort()).toEqual(["bad-signature", "unknown-device"]);
        // Its own name at another's host.
        const lost = Object.assign(Object.create(Object.getPrototypeOf(device)), device, {
          server: plane.placeOf(acme.tenant),
        }) as SimulatedDevice;
        expect((await lost.preflight()).status).toBe(401);
        // Its own token there: it is not used up.
        const token = await plane.enrollToken(other.tenant, other.people.admin?.id ?? "");
        expect(await lost.enroll(token).catch(({ message }: Error) => message)).toBe("bad-token");
        const welcome = new SimulatedDevice(plane.placeOf(other.tenant));
        expect((await welcome.enroll(token)).tenant).toBe(other.tenant.id);
        expect(await dump(acme.tenant)).toBe(before);
      },
      LONG,
    );

    test("by the catalog, every table has forced policies and keys that begin with the tenant, and no role owns or bypasses", async () => {
      const [open, roles, keys, grants, functions] = await database.asOwner(async (tx) => [
        await tx.rows(
          "select relname::text as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm') " +
            "and relname <> 'schema_steps' and not (relrowsecurity and relforcerowsecurity)",
        ),
        await tx.rows(
          "select rolname::text as name from pg_roles r where rolname in ($1, $2) and (rolsuper or rolbypassrls or rolcanlogin or rolcreaterole " +
            "or exists (select from pg_class c where c.relowner = r.oid))",
          [APP_ROLE, SCAN_ROLE],
        ),
        await tx.rows(
          "select i.indexrelid::regclass::text as name from pg_index i join pg_class c on c.oid = i.indrelid " +
            "join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0] " +
            "where c.relnamespace = 'public'::regnamespace and a.attname <> 'tenant_id' and c.relname not in ('schema_steps')",
        ),
        // A piece of a divided table does not know the table's policies: nobody may reach it by its own name.
        await tx.rows(
          "select table_name::text || ' ' || privilege_type as name from information_schema.role_table_grants where grantee in ($1, $2, 'PUBLIC') " +
            "and table_schema = 'public' and (table_name in (select relname::text from pg_class where relispartition) or table_name = 'schema_steps')",
          [APP_ROLE, SCAN_ROLE],
        ),
        await tx.rows(
          "select proname::text as name from pg_proc where pronamespace = 'public'::regnamespace",
        ),
      ]);
      expect(open).toEqual([]);
      expect(roles).toEqual([]);
      // A tenant's name is a host's name, and is unique as such.
      expect(keys?.map((row) => row.name)).toEqual(["tenants_slug_key"]);
      expect(grants).toEqual([]);
      expect(functions).toEqual([]);
    });

    test(
      "by trying, every table: without a tenant nothing, with one only its rows, and none for another",
      async () => {
        const wrong: string[] = [];
        for (const table of await tables()) {
          const isPiece = /^audit_rows_/.test(table);
          for (const tenant of ["", acme.tenant.id]) {
            const rows = await database
              .run({ tenant }, (tx) => tx.rows(`select distinct tenant_id from ${table}`))
              .catch(() => "refused");
            const seen =
              rows === "refused" ? rows : (rows as readonly Row[]).map((row) => row.tenant_id).join();
            const wanted = isPiece ? ["refused"] : tenant === "" ? [""] : ["", acme.tenant.id];
            if (!wanted.includes(seen)) wrong.push(`${table} as '${tenant}' sees ${seen}`);
          }
          if (isPiece) continue;
          const moved = await database
            .run({ tenant: other.tenant.id }, (tx) =>
              tx.rows(`update ${table} set tenant_id = $1 returning tenant_id`, [acme.tenant.id]),
            )
            .catch(() => []);
          if (moved.length > 0) wrong.push(`${table}: rows were given to another tenant`);
        }
        expect(wrong).toEqual([]);
        const foreign = database.run({ tenant: other.tenant.id }, (tx) =>
          tx.rows(
            "insert into acts (tenant_id, id, at_ms, who, act, about, details) values ($1, 'x', 1, '', '', '', '{}')",
            [acme.tenant.id],
          ),
        );
        expect(foreign).rejects.toThrow("row-level security");
      },
      LONG,
    );

    test("what is evidence is inserted and never changed; the role that scans sees names and nothing else", async () => {
      const run = (text: string) =>
        database
          .run({ tenant: acme.tenant.id }, (tx) => tx.rows(text))
          .then(
            () => "done",
            () => "refused",
          );
      for (const text of [
        "update audit_rows set line = ''",
        "delete from audit_rows",
        "update acts set who = ''",
        "delete from acts",
        "update policies set body = ''",
        "drop table acts",
        "alter table acts disable row level security",
      ])
        expect([text, await run(text)]).toEqual([text, "refused"]);
      const scan = (text: string) =>
        database
          .run("scan", (tx) => tx.rows(text))
          .then(
            (rows) => rows.length,
            () => "refused",
          );
      expect(await scan("select tenant_id, slug, tick from tenants")).toBe(2);
      for (const text of [
        "select settings from tenants",
        "select * from devices",
        "update tenants set tick = 0",
      ])
        expect([text, await scan(text)]).toEqual([text, "refused"]);
    });
  });
