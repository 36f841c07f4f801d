// Tenants that share a host: a path is no boundary to a browser, so the server makes one. What is
// no tenant's path, whose cookie counts where, which page may ask, and where a login leads.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { type TenantName, writeSettings } from "../../src/server/tenants.ts";
import { serverPage } from "../../src/server/ui/server-page.ts";
import { logIn } from "../support/server/browser-login.ts";
import { ControlPlane, type TestPerson } from "../support/server/control-plane.ts";
import { openTestDatabase } from "../support/server/test-database.ts";
import { IdentityProvider } from "../support/stand-ins/identity-provider.ts";

const LONG = 100_000;
let plane: ControlPlane;
let provider: IdentityProvider;
let acme: TenantName;
let other: TenantName;
let olga: TestPerson;

beforeAll(async () => {
  provider = new IdentityProvider();
  plane = await ControlPlane.start(await openTestDatabase(), { byPath: true, page: serverPage });
  [acme, other] = [await plane.tenant("acme"), await plane.tenant("other")];
  olga = await plane.person(acme, "Olga", ["admin"]);
  for (const { id } of [acme, other])
    await plane.database.run({ tenant: id }, (tx) =>
      writeSettings(tx, {
        oidc: {
          issuer: provider.issuer,
          client_id: provider.clientId,
          sealed_secret: plane.sealer.seal(`${id}/oidc`, provider.clientSecret),
          groups_claim: "groups",
          roles: { ops: ["admin"] },
          scopes: "openid profile",
        },
      }),
    );
}, LONG);

afterAll(async () => {
  await plane[Symbol.asyncDispose]();
  provider[Symbol.dispose]();
}, LONG);

/** Sends a path as it is written, which `fetch` would tidy up; gives the whole answer. */
async function sendRaw(path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(new Error(`no answer to ${path}`)), 30_000);
  let text = "";
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: plane.server.port,
    socket: {
      data: (_socket, data) => {
        text += data.toString("latin1");
      },
      close: () => resolve(text),
    },
  });
  const all = { host: plane.hostOf(acme), connection: "close", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.end();
  }
}

/** Paths that are no tenant's: unknown ones, and those that another program may read as another tenant's. */
const NOBODYS: readonly string[] = [
  "/",
  "/api/v1/me",
  "/fleet/v1/enroll",
  "/auth/login",
  "/iddio/v1/answers",
  "/t",
  "/t/",
  "/t/nobody/api/v1/me",
  "/t/nobody/openapi.json",
  "/t/nobody/fleet/v1/preflight",
  "/t/nobody",
  "/t/ACME/api/v1/me",
  "/T/acme/api/v1/me",
  "/t/acme./api/v1/me",
  "/t/.acme/api/v1/me",
  "/t//acme/api/v1/me",
  "//t/acme/api/v1/me",
  "/t/acme%2fapi/v1/me",
  "/t%2facme/api/v1/me",
  "/t/%61cme/api/v1/me",
  "/%74/acme/api/v1/me",
  "/t/acme%00/api/v1/me",
  "/t/acme%20/api/v1/me",
  "/t/acme;x/api/v1/me",
  "/t/other/../acme/api/v1/me",
  "/t/other/%2e%2e/acme/api/v1/me",
  "/t/other/.%2E/acme/api/v1/me",
  "/t/other\\..\\acme/api/v1/me",
  "/t\\acme/api/v1/me",
  "/x/../t/acme/api/v1/me",
  "/./t/acme/api/v1/me",
  "/t/./acme/api/v1/me",
];

test(
  "a path that is no tenant's, or becomes one's only when it is tidied up, is refused in one way",
  async () => {
    const token = { authorization: `Bearer ${olga.token}` };
    expect(await sendRaw("/t/acme/api/v1/me", token)).toContain('"tenant":"acme"');
    const answers = await Promise.all(
      NOBODYS.map(async (path) => {
        const answer = await sendRaw(path, token);
        return [path, answer.split("\r\n")[0], /"code":"[\w-]+"/.exec(answer)?.[0]];
      }),
    );
    const refusal = ["HTTP/1.1 404 Not Found", '"code":"no-tenant"'];
    expect(answers).toEqual(NOBODYS.map((path) => [path, ...refusal]));
    // Double slashes and encoded ones further on are no call either.
    for (const rest of ["//api/v1/me", "/api//v1/me", "/api%2fv1%2fme", "/healthz", "/metrics"])
      expect(await sendRaw(`/t/acme${rest}`, token)).toContain('"code":"not-found"');
    expect(await sendRaw("/t/acme")).toMatch(/^HTTP\/1\.1 308 [\s\S]*\r\nlocation: \/t\/acme\/\r\n/i);
  },
  LONG,
);

test("a session counts for its tenant alone, under one name, sent once", async () => {
  const olgaThere = await plane.person(other, "Olga", ["admin"]);
  const ask = async (tenant: TenantName, cookie: string) => {
    const headers = { ...plane.pageHeaders(tenant, ""), cookie };
    return (await fetch(`${plane.placeOf(tenant).url}/api/v1/me`, { headers })).status;
  };
  const [mine, hers] = [`__Secure-iddio.acme=${olga.session}`, `__Secure-iddio.other=${olgaThere.session}`];
  expect([await ask(acme, mine), await ask(other, hers)]).toEqual([200, 200]);
  // A browser sends what belongs to the path; whatever else is sent changes nothing.
  expect([await ask(acme, `${hers}; ${mine}`), await ask(other, mine)]).toEqual([200, 401]);
  for (const cookie of [
    `__Secure-iddio.other=${olga.session}`,
    `__Host-iddio=${olgaThere.session}`,
    `__Secure-iddio-login.other=${olgaThere.session}`,
    // Planted by another site of the domain.
    `__Secure-iddio.other=planted; ${hers}`,
    `${hers}; ${hers}`,
  ])
    expect([cookie, await ask(other, cookie)]).toEqual([cookie, 401]);
});

test("a session's call comes from the tenant's own page, one by a token from anywhere", async () => {
  const { url } = plane.placeOf(acme);
  const own = plane.pageHeaders(acme, olga.session);
  const call = async (method: "GET" | "POST", change: Readonly<Record<string, string>>, path = "people") => {
    const headers = new Headers({ ...own, ...change });
    for (const [name, value] of Object.entries(change)) if (value === "") headers.delete(name);
    const body = method === "POST" ? { body: JSON.stringify({ name: "x" }) } : {};
    return (await fetch(`${url}/api/v1/${path}`, { method, headers, ...body })).status;
  };
  const isOwn = { "sec-fetch-site": "same-origin" };
  expect([await call("GET", isOwn), await call("POST", isOwn)]).toEqual([200, 200]);
  // The same origin: a form, a link, a page of the other tenant that an id with `../..` led here.
  for (const page of ["", "/", "/t/other/", "/t/acme", "/t/acme/x", "/t/other/../acme/"])
    for (const method of ["GET", "POST"] as const)
      expect([page, await call(method, { ...isOwn, "iddio-page": page })]).toEqual([page, 403]);
  for (const change of [{ origin: "" }, { origin: "http://evil.example.com" }, { origin: "null" }])
    expect(await call("POST", change)).toBe(403);
  for (const site of ["cross-site", "same-site"])
    expect(await call("GET", { "sec-fetch-site": site })).toBe(403);
  const token = { authorization: `Bearer ${olga.token}`, cookie: "", origin: "", "iddio-page": "" };
  expect(await call("POST", token)).toBe(200);
  // Nobody is logged out by another page.
  const logOut = (change: Readonly<Record<string, string>>) =>
    fetch(`${url}/auth/logout`, { method: "POST", headers: { ...own, ...change } });
  expect((await logOut({ "iddio-page": "/t/other/" })).status).toBe(403);
  expect(await call("GET", isOwn)).toBe(200);
});

test(
  "a login leads back to the tenant's path, its end ends it there, and what began at one tenant is not finished at another",
  async () => {
    provider.account = { sub: "7", name: "Ada", groups: ["ops"] };
    const [here, there] = [plane.placeOf(acme), plane.placeOf(other)];
    for (const [to, leads] of [
      ["/", "/t/acme/"],
      ["/#/fleet", "/t/acme/#/fleet"],
      ["/../other/", "/t/acme/"],
      ["/%2e%2e/other/", "/t/acme/"],
      ["//evil.example.com", "/t/acme/"],
      ["/../../t/acme/x", "/t/acme/x"],
    ] as const)
      expect([to, (await logIn(here, to)).location]).toEqual([to, leads]);
    const toOther = (back: URL) => {
      back.pathname = back.pathname.replace("acme", "other");
      return back;
    };
    expect((await logIn(here, "/", toOther)).status).toBe(403);
    const renamed = (cookie: string) => cookie.replace("acme", "other");
    expect((await logIn(here, "/", toOther, renamed)).status).toBe(403);

    const both = [(await logIn(here)).cookie, (await logIn(there)).cookie];
    const me = async () =>
      Promise.all(
        [acme, other].map(async (tenant, at) => {
          const headers = { ...plane.pageHeaders(tenant, ""), cookie: both[at] ?? "" };
          return (await fetch(`${plane.placeOf(tenant).url}/api/v1/me`, { headers })).status;
        }),
      );
    expect(await me()).toEqual([200, 200]);
    const ended = await fetch(`${here.url}/auth/back-channel`, {
      method: "POST",
      headers: { host: here.host, "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ logout_token: provider.logoutToken({ sub: "7", sid: "sid-7" }) }),
    });
    expect([ended.status, await me()]).toEqual([200, [401, 200]]);
  },
  LONG,
);

test(
  "the page may load and ask below its own path only, at its own host, and the document names the path",
  async () => {
    const { url, host } = plane.placeOf(acme);
    const page = await fetch(`${url}/`, { headers: { host } });
    const policy = page.headers.get("content-security-policy") ?? "";
    for (const kind of ["script-src", "style-src", "connect-src", "img-src"])
      expect(policy).toContain(`${kind} http://${host}/t/acme/;`);
    expect(policy).not.toContain("'self'");
    expect((await fetch(`${url}/`, { headers: { host: "evil.example.com" } })).status).toBe(421);
    const document = async (at: string) => (await fetch(`${at}/openapi.json`, { headers: { host } })).json();
    const [own, all] = (await Promise.all([document(url), document(plane.url)])) as {
      servers: unknown;
      components: { securitySchemes: { session: { name: string } } };
    }[];
    expect([own?.servers, own?.components.securitySchemes.session.name]).toEqual([
      [{ url: "/t/acme" }],
      "__Secure-iddio.acme",
    ]);
    expect(all?.servers).toMatchObject([{ url: "/t/{tenant}" }]);
  },
  LONG,
);
