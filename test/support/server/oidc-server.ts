// A real OpenID provider for tests: the npm package oidc-provider, certified for OpenID Connect, on a
// port of its own. It insists on PKCE, and logs in whom the test names without asking.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-expect-error It comes without types; what is used of it is here.
import Provider from "oidc-provider";

/** A person whom the provider knows. */
export interface OidcAccount {
  readonly sub: string;
  readonly name: string;
  readonly groups: readonly string[];
}

/** A running provider. */
export interface OidcServer extends AsyncDisposable {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Who logs in next. */
  account: OidcAccount;
}

/** Starts it for one client, whose people are sent back to one of these addresses. */
export async function startOidcServer(...redirectUris: readonly string[]): Promise<OidcServer> {
  let answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) =>
    void response.end();
  const server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  const [clientId, clientSecret] = ["iddio", "a secret of the provider, long enough for it"];
  const running: OidcServer = {
    ...{ issuer, clientId, clientSecret },
    account: { sub: "1", name: "Ada", groups: [] },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [...redirectUris],
        grant_types: ["authorization_code"],
        response_types: ["code"],
        // Over http only as a native application may: on loopback.
        application_type: "native",
      },
    ],
    pkce: { required: () => true },
    claims: { openid: ["sub"], profile: ["name", "groups"] },
    // Claims of scopes are in the ID token, as those who map groups have it set up.
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context: unknown, { uid }: { readonly uid: string }) => `/interaction/${uid}` },
    cookies: { keys: ["of this test"] },
    findAccount: (_context: unknown, sub: string) => ({
      accountId: sub,
      claims: () => ({ ...running.account, sub, groups: [...running.account.groups] }),
    }),
    // Nobody is asked whether the client may know his name.
    async loadExistingGrant({
      oidc,
    }: {
      oidc: { client?: { clientId: string }; session?: { accountId?: string } };
    }) {
      const grant = new provider.Grant({
        clientId: oidc.client?.clientId ?? "",
        accountId: oidc.session?.accountId ?? "",
      });
      grant.addOIDCScope("openid profile");
      await grant.save();
      return grant;
    },
  } as never);
  const callback = provider.callback();
  answer = (request, response) => {
    if (request.url?.startsWith("/interaction/") !== true) return void callback(request, response);
    // A native client's people are asked each time; here they agree.
    const login = { login: { accountId: running.account.sub }, consent: {} };
    void provider.interactionFinished(request, response, login).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  };
  return running;
}

/** Follows the provider as a browser does, with its cookies, until it sends back elsewhere. */
export async function throughProvider(start: string): Promise<URL> {
  const cookies = new Map<string, string>();
  const { origin } = new URL(start);
  for (let [at, steps] = [new URL(start), 0]; steps < 10; steps += 1) {
    if (at.origin !== origin) return at;
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(at, { redirect: "manual", headers: { cookie } });
    for (const each of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(each) ?? [];
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
    const next = response.headers.get("location");
    if (next === null) throw new Error(`the provider answered ${response.status}: ${await response.text()}`);
    at = new URL(next, at);
  }
  throw new Error("the provider sends on and on");
}
