// Access tokens of Google: a service account's key buys one with a signed JWT (RFC 7523), a machine
// at Google has one of its own, and whoever has one that may act as another service account buys a
// shorter one of that account with `generateAccessToken`.

import { createPrivateKey } from "node:crypto";
import { readGoogleMetadata } from "../../../host/outgoing/google-metadata.ts";
import { sendRequest } from "../../../host/outgoing/send-request.ts";
import type { Environment } from "../../../host/process/environment.ts";
import { UserError } from "../../../model/user-error.ts";
import { readTrusted } from "../../../state/trusted-file.ts";
import { isSecureUrl } from "../../../text/secure-url.ts";
import type { GoogleOrigin } from "../stored-credential.ts";
import { issuersWords, lifeOf, type Minted } from "./minted.ts";
import { signedJwt } from "./signed-jwt.ts";

const MAX_KEY_BYTES = 64 * 1024;
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** Mints one. `base` reads the access token that is there already, where the origin has no key. Throws a `UserError`. */
export async function mintGoogleToken(
  origin: GoogleOrigin,
  base: () => Promise<string>,
  proxyFor: (url: string) => string,
  env: Environment,
): Promise<Minted> {
  const { base: from, account, scopes } = origin;
  const isOwn = account === "";
  if (from.from === "key") {
    const own = await grant(from.path, isOwn ? scopes : [CLOUD_PLATFORM], proxyFor);
    return isOwn ? own : generate(origin, own.value, proxyFor);
  }
  if (from.from === "metadata") {
    const own = await ofMachine(env);
    return isOwn ? own : generate(origin, own.value, proxyFor);
  }
  if (isOwn) throw failed("neither a key nor an account is named");
  return generate(origin, await base(), proxyFor);
}

const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";

/** The token of the machine that this runs on. */
async function ofMachine(env: Environment): Promise<Minted> {
  const answer = await readGoogleMetadata("instance/service-accounts/default/token", env);
  if (answer.kind === "unreachable") throw failed(answer.reason);
  if (answer.status !== 200) throw failed(`the metadata service answered ${answer.status}`);
  const { access_token, expires_in } = fieldsOf(answer.text);
  if (typeof expires_in !== "number") throw failed("its answer does not say how long the token lasts");
  return {
    value: tokenOf(access_token),
    lifeMs: expires_in * 1000,
    scope: { service_account: "of this machine" },
  };
}

interface Key {
  readonly client_email: string;
  readonly private_key: string;
  readonly private_key_id: string;
  readonly token_uri: string;
}

async function grant(
  path: string,
  scopes: readonly string[],
  proxyFor: (url: string) => string,
): Promise<Minted> {
  const key = await keyOf(path);
  const proof = assertion(key, scopes, Date.now());
  const answer = await sendRequest({
    url: key.token_uri,
    reach: "private",
    proxy: proxyFor(key.token_uri),
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: new URLSearchParams({
      grant_type: GRANT,
      assertion: proof,
    }).toString(),
  });
  if (answer.kind === "unreachable") throw failed(answer.reason);
  const { access_token, expires_in, error, error_description } = fieldsOf(answer.text);
  if (answer.status !== 200)
    throw failed(`Google answered ${answer.status}${reasonOf(error_description ?? error, proof)}`);
  if (typeof expires_in !== "number") throw failed("Google's answer does not say how long the token lasts");
  return {
    value: tokenOf(access_token),
    lifeMs: expires_in * 1000,
    id: key.private_key_id,
    scope: { service_account: key.client_email, scopes },
  };
}

/** The signed statement that proves the service account (RFC 7523 3); one clock may be a little behind the other. */
function assertion(key: Key, scopes: readonly string[], nowMs: number): string {
  const nowS = Math.floor(nowMs / 1000);
  const claims = {
    iss: key.client_email,
    scope: scopes.join(" "),
    aud: key.token_uri,
    iat: nowS - 30,
    exp: nowS + 3_000,
  };
  try {
    return signedJwt(claims, createPrivateKey(key.private_key), { kid: key.private_key_id });
  } catch {
    // The parser's message may quote its input.
    throw failed("the key's private key cannot be used");
  }
}

async function generate(
  { account, scopes, ttlS, api }: GoogleOrigin,
  token: string,
  proxyFor: (url: string) => string,
): Promise<Minted> {
  const url = `${api}/v1/projects/-/serviceAccounts/${account}:generateAccessToken`;
  const answer = await sendRequest({
    url,
    reach: "private",
    proxy: proxyFor(url),
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json",
    },
    body: JSON.stringify({ scope: scopes, lifetime: `${ttlS}s` }),
  });
  if (answer.kind === "unreachable") throw failed(answer.reason);
  const { accessToken, expireTime, error } = fieldsOf(answer.text);
  if (answer.status !== 200) {
    const message = typeof error === "object" && error !== null ? Reflect.get(error, "message") : undefined;
    throw failed(`Google answered ${answer.status}${reasonOf(message, token)}`);
  }
  const endMs = Date.parse(String(expireTime));
  if (Number.isNaN(endMs)) throw failed("Google's answer does not say when the token ends");
  return {
    value: tokenOf(accessToken),
    lifeMs: lifeOf(endMs, answer.dateMs),
    scope: { service_account: account, scopes },
  };
}

async function keyOf(path: string): Promise<Key> {
  let value: Partial<Key>;
  try {
    value = JSON.parse(await readTrusted(path, MAX_KEY_BYTES)) as Partial<Key>;
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    const why =
      error instanceof SyntaxError ? " (it is not JSON)" : typeof code === "string" ? ` (${code})` : "";
    throw failed(`the key '${path}' is not read${why}`);
  }
  const { client_email, private_key, private_key_id = "", token_uri = "" } = value;
  if (typeof client_email !== "string" || typeof private_key !== "string" || !isSecureUrl(token_uri))
    throw failed(`'${path}' is not the key of a service account`);
  return { client_email, private_key, private_key_id: String(private_key_id), token_uri };
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function tokenOf(value: unknown): string {
  if (typeof value === "string" && /^[\x21-\x7e]{10,8192}$/.test(value)) return value;
  throw failed("Google's answer holds no token");
}

function reasonOf(message: unknown, sent: string): string {
  return typeof message === "string" ? `: ${issuersWords(message, [sent])}` : "";
}

function failed(reason: string): UserError {
  return new UserError(`no access token of Google was minted: ${reason}`, {
    hint: "check the key, and that it may act as the account (roles/iam.serviceAccountTokenCreator)",
  });
}
