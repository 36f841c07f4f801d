// Logging in at a real OpenID provider, the npm package oidc-provider: code, PKCE, state and nonce
// as it checks them, and groups that become roles.

import { expect, test } from "bun:test";
import { writeSettings } from "../../src/server/tenants.ts";
import { ControlPlane } from "../support/server/control-plane.ts";
import { startOidcServer, throughProvider } from "../support/server/oidc-server.ts";
import { openTestDatabase } from "../support/server/test-database.ts";

const LONG = 100_000;

test(
  "people of oidc-provider log in, have the roles of their groups, and a code counts once",
  async () => {
    await using plane = await ControlPlane.start(await openTestDatabase());
    const url = `http://localhost:${plane.server.port}`;
    const acme = await plane.tenant("acme");
    await using provider = await startOidcServer(`${url}/auth/callback`);
    await plane.database.run({ tenant: acme.id }, (tx) =>
      writeSettings(tx, {
        oidc: {
          issuer: provider.issuer,
          client_id: provider.clientId,
          sealed_secret: plane.sealer.seal(`${acme.id}/oidc`, provider.clientSecret),
          groups_claim: "groups",
          roles: { oncall: ["approver"], ops: ["admin"] },
          scopes: "openid profile",
        },
      }),
    );
    const cookieOf = (response: Response, name: string) =>
      response.headers
        .getSetCookie()
        .find((each) => each.startsWith(`${name}=`))
        ?.split(";")[0] ?? "";
    const logIn = async () => {
      const begun = await fetch(`${url}/auth/login?to=/fleet`, { redirect: "manual" });
      const back = await throughProvider(begun.headers.get("location") ?? "");
      const cookie = cookieOf(begun, "__Host-iddio-login");
      const finished = await fetch(back, { redirect: "manual", headers: { cookie } });
      return { back, cookie, finished, session: cookieOf(finished, "__Host-iddio") };
    };
    const me = async (cookie: string) =>
      (await (await fetch(`${url}/api/v1/me`, { headers: { cookie } })).json()) as Record<string, unknown>;

    provider.account = { sub: "ada-1", name: "Ada", groups: ["oncall", "strangers"] };
    const ada = await logIn();
    expect([ada.finished.status, ada.finished.headers.get("location")]).toEqual([303, "/fleet"]);
    expect(await me(ada.session)).toMatchObject({ name: "Ada", roles: ["approver"], tenant: "acme" });
    // The same code again, in the same browser and in one that begins anew.
    for (const cookie of [ada.cookie, ""])
      expect((await fetch(ada.back, { redirect: "manual", headers: { cookie } })).status).toBe(403);
    provider.account = { sub: "olga-1", name: "Olga", groups: ["ops"] };
    const olga = await logIn();
    expect(await me(olga.session)).toMatchObject({ name: "Olga", roles: ["admin"] });
    provider.account = { sub: "eve-1", name: "Eve", groups: ["others"] };
    const eve = await logIn();
    expect([eve.finished.status, eve.session]).toEqual([403, ""]);
    const people = await plane.database.run({ tenant: acme.id }, (tx) =>
      tx.rows("select issuer, subject from people order by subject"),
    );
    expect(people.map((row) => ({ ...row }))).toEqual([
      { issuer: provider.issuer, subject: "ada-1" },
      { issuer: provider.issuer, subject: "olga-1" },
    ]);
  },
  LONG,
);
