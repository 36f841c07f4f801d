// Logging in at an identity provider, sessions, roles and tokens, and every lie of a provider that
// must not log anybody in.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { currentTenant, type TenantName, writeSettings } from "../../src/server/tenants.ts";
import { type LoggedIn, logIn } from "../support/server/browser-login.ts";
import { ControlPlane } from "../support/server/control-plane.ts";
import { openTestDatabase } from "../support/server/test-database.ts";
import { IdentityProvider } from "../support/stand-ins/identity-provider.ts";

const LONG = 120_000;
let plane: ControlPlane;
let provider: IdentityProvider;
let acme: TenantName;
let server: { url: string; host: string };

beforeAll(async () => {
  provider = new IdentityProvider();
  plane = await ControlPlane.start(await openTestDatabase(), { domain: "localhost" });
  acme = await plane.tenant("acme");
  server = { url: plane.url, host: plane.hostOf(acme) };
  await plane.database.run({ tenant: acme.id }, (tx) =>
    writeSettings(tx, {
      oidc: {
        issuer: provider.issuer,
        client_id: provider.clientId,
        sealed_secret: plane.sealer.seal(`${acme.id}/oidc`, provider.clientSecret),
        groups_claim: "groups",
        roles: { staff: ["viewer"], oncall: ["approver"], ops: ["admin"] },
        scopes: "openid profile",
      },
    }),
  );
}, LONG);

afterAll(async () => {
  await plane[Symbol.asyncDispose]();
  provider[Symbol.dispose]();
}, LONG);

const me = async ({ cookie }: Pick<LoggedIn, "cookie">) => {
  const response = await fetch(`${plane.url}/api/v1/me`, { headers: { host: server.host, cookie } });
  return {
    status: response.status,
    body: (await response.json()) as { name?: string; roles?: string[]; id?: string },
  };
};

test("a person logs in, has the roles of his groups, and is sent to where he wanted", async () => {
  provider.account = { sub: "7", name: "Ada", groups: ["staff", "oncall", "strangers"] };
  const done = await logIn(server, "/approvals");
  expect([done.status, done.location]).toEqual([303, "/approvals"]);
  const { body } = await me(done);
  expect([body.name, body.roles]).toEqual(["Ada", ["viewer", "approver"]]);
  // Known by issuer and subject: another name and address, the same person; other groups, other roles.
  provider.account = { sub: "7", name: "Ada L.", groups: ["ops"], email: "ada@example.com" };
  const again = await me(await logIn(server));
  expect([again.body.id, again.body.name, again.body.roles]).toEqual([body.id, "Ada L.", ["admin"]]);
  provider.account = { sub: "8", name: "Ada L.", groups: ["staff"], email: "ada@example.com" };
  expect((await me(await logIn(server))).body.id).not.toBe(body.id);
});

test("nobody is sent to another site, and without a mapped group nobody gets in", async () => {
  provider.account = { sub: "7", name: "Ada", groups: ["staff"] };
  for (const to of ["//evil.example.com", "https://evil.example.com", "/\\evil.example.com", "javascript:x"])
    expect((await logIn(server, to)).location).toBe("/");
  provider.account = { sub: "9", name: "Eve", groups: ["strangers", "__proto__", "constructor"] };
  const refused = await logIn(server);
  expect([refused.status, refused.cookie]).toEqual([403, ""]);
  expect(refused.text).toContain("no-role");
});

const LIES: readonly {
  name: string;
  lies?: IdentityProvider["lies"];
  back?: (url: URL) => URL;
  cookie?: () => string;
}[] = [
  { name: "another nonce", lies: { claims: { nonce: "other" } } },
  { name: "another issuer", lies: { claims: { iss: "https://evil.example.com" } } },
  { name: "another audience", lies: { claims: { aud: "other" } } },
  { name: "an expired token", lies: { claims: { exp: 1 } } },
  { name: "a key that is not published", lies: { isForged: true } },
  { name: "another issuer in the redirect", lies: { iss: "https://evil.example.com" } },
  {
    name: "another state",
    back: (url) => {
      url.searchParams.set("state", "other");
      return url;
    },
  },
  {
    name: "another code",
    back: (url) => {
      url.searchParams.set("code", "other");
      return url;
    },
  },
  {
    name: "another browser's cookie",
    cookie: () => "__Host-iddio-login=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  },
  { name: "no cookie", cookie: () => "" },
];
for (const { name, lies = {}, back, cookie } of LIES)
  test(`a login with ${name} is refused`, async () => {
    provider.account = { sub: "7", name: "Ada", groups: ["staff"] };
    provider.lies = lies;
    try {
      const refused = await logIn(server, "/", back, cookie);
      expect([refused.status, refused.cookie]).toEqual([403, ""]);
    } finally {
      provider.lies = {};
    }
  });

test("a login is good once", async () => {
  provider.account = { sub: "7", name: "Ada", groups: ["staff"] };
  let address = new URL("http://none");
  let cookies = "";
  const first = await logIn(
    server,
    "/",
    (url) => {
      address = url;
      return url;
    },
    (cookie) => {
      cookies = cookie;
      return cookie;
    },
  );
  expect(first.status).toBe(303);
  const again = await fetch(`${plane.url}${address.pathname}${address.search}`, {
    redirect: "manual",
    headers: { host: server.host, cookie: cookies },
  });
  expect(again.status).toBe(403);
});

test("the provider's notice that a session has ended ends it here; a forged one does not", async () => {
  provider.account = { sub: "7", name: "Ada", groups: ["staff"] };
  const session = await logIn(server);
  const notify = (token: string) =>
    fetch(`${plane.url}/auth/back-channel`, {
      method: "POST",
      headers: { host: server.host, "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ logout_token: token }),
    });
  provider.lies = { isForged: true };
  const forged = provider.logoutToken({ sub: "7", sid: "sid-7" });
  provider.lies = {};
  const noEvent = provider.logoutToken({ sub: "7", sid: "sid-7", events: {} });
  const other = provider.logoutToken({ sub: "7", sid: "sid-7", aud: "other" });
  for (const token of [forged, noEvent, other, "x"]) expect((await notify(token)).status).toBe(400);
  expect((await me(session)).status).toBe(200);
  expect((await notify(provider.logoutToken({ sub: "7", sid: "sid-7" }))).status).toBe(200);
  expect((await me(session)).status).toBe(401);
});

test("a change by a session comes from our own page; one by a token may come from anywhere", async () => {
  provider.account = { sub: "10", name: "Olga", groups: ["ops"] };
  const { cookie } = await logIn(server);
  const post = (headers: Record<string, string>) =>
    fetch(`${plane.url}/api/v1/people`, {
      method: "POST",
      headers: { host: server.host, cookie, "content-type": "application/json", ...headers },
      body: JSON.stringify({ name: "x" }),
    });
  const own = `http://${server.host}`;
  for (const headers of [
    {},
    { origin: "http://evil.example.com" },
    { origin: `http://other.localhost:${plane.server.port}` },
    { origin: own, "sec-fetch-site": "cross-site" },
  ])
    expect((await post(headers as Record<string, string>)).status).toBe(403);
  expect((await post({ origin: own, "content-type": "text/plain" })).status).toBe(415);
  expect((await post({ origin: own, "sec-fetch-site": "same-origin" })).status).toBe(200);
});

test("a token has no more than its person has now, and ends with him", async () => {
  const ada = await plane.person(acme, "Anna", ["admin"]);
  const olga = await plane.person(acme, "Olaf", ["admin"]);
  const made = await plane.api(acme, ada.token, "POST", "/api/v1/tokens", {
    name: "ci",
    roles: ["admin"],
    for_ms: 60_000,
  });
  const { token } = made.body;
  expect((await plane.api(acme, token, "GET", "/api/v1/tokens")).status).toBe(200);
  expect(JSON.stringify((await plane.api(acme, token, "GET", "/api/v1/tokens")).body)).not.toContain(token);
  await plane.database.run({ tenant: acme.id }, (tx) =>
    tx.rows("update people set roles = 'viewer' where id = $1", [ada.id]),
  );
  expect((await plane.api(acme, token, "GET", "/api/v1/tokens")).status).toBe(403);
  const more = await plane.api(acme, token, "POST", "/api/v1/tokens", {
    name: "x",
    roles: ["approver"],
    for_ms: 1000,
  });
  expect(more.body.code).toBe("not-permitted");
  await plane.api(acme, olga.token, "POST", `/api/v1/people/${ada.id}/disable`, {});
  expect((await plane.api(acme, token, "GET", "/api/v1/me")).status).toBe(401);
  expect((await me({ cookie: `__Host-iddio=${ada.session}` })).status).toBe(401);
});

test("a change with an idempotency key is done once", async () => {
  const olga = await plane.person(acme, "Oda", ["admin"]);
  const make = (name: string) =>
    fetch(`${plane.url}/api/v1/people`, {
      method: "POST",
      headers: {
        host: server.host,
        authorization: `Bearer ${olga.token}`,
        "content-type": "application/json",
        "idempotency-key": "k1",
      },
      body: JSON.stringify({ name }),
    });
  const [first, second] = [await make("robot"), await make("robot")];
  expect(await second.json()).toEqual(await first.json());
  expect((await make("other")).status).toBe(422);
  const kept = await plane.database.run({ tenant: acme.id }, (tx) => tx.rows("select body from replies"));
  expect(kept).toHaveLength(1);
  expect(JSON.stringify(kept)).not.toContain("robot");
  const { body } = await plane.api(acme, olga.token, "GET", "/api/v1/people?limit=500");
  expect(body.items.filter(({ name }: { name: string }) => name === "robot")).toHaveLength(1);
});

test("the provider may change its keys", async () => {
  provider.account = { sub: "7", name: "Ada", groups: ["staff"] };
  provider.rotate();
  const done = await logIn(server);
  expect([done.status, done.text]).toEqual([303, ""]);
  expect(await plane.database.run({ tenant: acme.id }, currentTenant)).toMatchObject({ slug: "acme" });
});
