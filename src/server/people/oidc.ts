// Logging in at an identity provider: authorization code with PKCE, state and nonce, the issuer
// checked, the signature of the ID token checked with the provider's keys, which may change. The
// protocol is openid-client's; here are its parameters.

import { createRemoteJWKSet, jwtVerify } from "jose";
import * as openid from "openid-client";
import type { TenantSettings } from "../tenants.ts";

/** How a tenant's people log in. */
export interface Provider {
  readonly settings: NonNullable<TenantSettings["oidc"]>;
  readonly secret: string | undefined;
}

/** A person as the login provider describes him. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
  readonly name: string;
  readonly email?: string;
  readonly groups: readonly string[];
  /** The provider's own session, for its notice that it has ended. */
  readonly sid?: string;
}

/** The facts of a login that are needed when the browser comes back. */
export interface PendingLogin {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

const FRESH_MS = 10 * 60_000;
const LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout";
const known = new Map<string, { readonly atMs: number; readonly metadata: Promise<openid.ServerMetadata> }>();

/** The address of the provider to which the browser goes. */
export async function loginUrl(
  provider: Provider,
  redirectUri: string,
  { state, nonce, verifier }: PendingLogin,
): Promise<URL> {
  const config = await configurationOf(provider);
  return openid.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: provider.settings.scopes,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  });
}

/** A fresh verifier and nonce. */
export function newLogin(state: string): PendingLogin {
  return { state, nonce: openid.randomNonce(), verifier: openid.randomPKCECodeVerifier() };
}

/** Takes the code that the browser brought. Throws when anything of it does not hold. */
export async function finishLogin(provider: Provider, url: URL, pending: PendingLogin): Promise<Identity> {
  const config = await configurationOf(provider);
  const tokens = await openid.authorizationCodeGrant(config, url, {
    pkceCodeVerifier: pending.verifier,
    expectedState: pending.state,
    expectedNonce: pending.nonce,
    idTokenExpected: true,
  });
  const claims = tokens.claims();
  if (claims === undefined) throw new Error("the provider gave no ID token");
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  const groups = claims[provider.settings.groups_claim];
  const email = text(claims.email);
  const sid = text(claims.sid);
  return {
    issuer: claims.iss,
    subject: claims.sub,
    name: (text(claims.name) ?? text(claims.preferred_username) ?? email ?? claims.sub).slice(0, 200),
    ...(email === undefined ? {} : { email: email.slice(0, 200) }),
    groups: Array.isArray(groups) ? groups.filter((group) => typeof group === "string") : [],
    ...(sid === undefined ? {} : { sid }),
  };
}

/** Whose session has ended, as a logout token of the provider says; throws when it is none (OpenID Back-Channel Logout). */
export async function endedSession(
  provider: Provider,
  logoutToken: string,
): Promise<{ readonly subject?: string; readonly sid?: string }> {
  const metadata = (await configurationOf(provider)).serverMetadata();
  if (metadata.jwks_uri === undefined) throw new Error("the provider has no keys");
  const { payload } = await jwtVerify(logoutToken, createRemoteJWKSet(new URL(metadata.jwks_uri)), {
    issuer: metadata.issuer,
    audience: provider.settings.client_id,
    maxTokenAge: "5m",
    clockTolerance: "1m",
  });
  const events = payload.events as Readonly<Record<string, unknown>> | undefined;
  if (events === undefined || !Object.hasOwn(events, LOGOUT_EVENT)) throw new Error("it is no logout token");
  if (payload.nonce !== undefined) throw new Error("a logout token has no nonce");
  return {
    ...(payload.sub === undefined ? {} : { subject: payload.sub }),
    ...(typeof payload.sid === "string" ? { sid: payload.sid } : {}),
  };
}

/** A client of the provider. Its keys are asked for by each login: they may have changed since the last. */
async function configurationOf(provider: Provider): Promise<openid.Configuration> {
  const { settings, secret } = provider;
  const authentication = secret === undefined ? openid.None() : openid.ClientSecretBasic(secret);
  const metadata = await metadataOf(settings.issuer, settings.client_id);
  const config = new openid.Configuration(metadata, settings.client_id, undefined, authentication);
  openid.enableNonRepudiationChecks(config);
  if (isHere(settings.issuer)) openid.allowInsecureRequests(config);
  return config;
}

/** The provider's metadata; fetched again after FRESH_MS. */
function metadataOf(issuer: string, clientId: string): Promise<openid.ServerMetadata> {
  const found = known.get(issuer);
  if (found !== undefined && performance.now() - found.atMs < FRESH_MS) return found.metadata;
  const metadata = openid
    .discovery(new URL(issuer), clientId, undefined, openid.None(), {
      execute: isHere(issuer) ? [openid.allowInsecureRequests] : [],
    })
    .then((config) => config.serverMetadata());
  const entry = { atMs: performance.now(), metadata };
  known.set(issuer, entry);
  // A provider that was away is asked again by the next login.
  metadata.catch(() => {
    if (known.get(issuer) === entry) known.delete(issuer);
  });
  return metadata;
}

/** Without TLS only a provider on this machine: a trial or a test. */
function isHere(issuer: string): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(new URL(issuer).hostname);
}
