// Installation tokens of a GitHub App: a JWT that is signed with the app's key buys a token for an
// hour, narrowed to repositories and permissions. Nothing about the token's shape is relied on:
// GitHub has changed it before.

import { createPrivateKey, type KeyObject } from "node:crypto";
import { sendRequest } from "../../../host/outgoing/send-request.ts";
import { UserError } from "../../../model/user-error.ts";
import { keptOut, readTrusted } from "../../../state/trusted-file.ts";
import type { GithubApp } from "../stored-credential.ts";
import { issuersWords, lifeOf, type Minted } from "./minted.ts";
import { signedJwt } from "./signed-jwt.ts";

const MAX_KEY_BYTES = 64 * 1024;
/** GitHub's clock may be behind ours, and it takes nothing that is valid for longer than ten minutes. */
const BACKDATED_S = 60;
const VALID_S = 9 * 60;

/** Buys a token. Throws a `UserError` that quotes neither key nor token. */
export async function mintInstallationToken(app: GithubApp, proxy: string): Promise<Minted> {
  const nowS = Math.floor(Date.now() / 1000);
  const claims = { iat: nowS - BACKDATED_S, exp: nowS + VALID_S, iss: app.appId };
  const token = signedJwt(claims, await keyOf(app.keyPath));
  const { repositories, permissions } = app;
  const answer = await sendRequest({
    url: `${app.api}/app/installations/${app.installationId}/access_tokens`,
    reach: "private",
    proxy,
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "user-agent": "iddio",
      "x-github-api-version": "2022-11-28",
    },
    body: JSON.stringify({
      ...(repositories.length === 0 ? {} : { repositories }),
      ...(Object.keys(permissions).length === 0 ? {} : { permissions }),
    }),
  });
  if (answer.kind === "unreachable") throw failed(answer.reason);
  if (answer.status !== 201) throw failed(`GitHub answered ${answer.status}${messageOf(answer.text, token)}`);
  const minted = mintedOf(answer.text);
  if (minted === undefined) throw failed("GitHub's answer holds no token");
  return {
    value: minted.value,
    lifeMs: lifeOf(minted.endMs, answer.dateMs),
    scope: { installation: app.installationId, repositories, permissions },
  };
}

/** Ends a token at once; false when GitHub did not confirm it. */
export async function revokeInstallationToken(
  app: GithubApp,
  value: string,
  proxy: string,
): Promise<boolean> {
  const answer = await sendRequest({
    url: `${app.api}/installation/token`,
    method: "DELETE",
    reach: "private",
    proxy,
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${value}`,
      "user-agent": "iddio",
    },
  });
  return answer.kind === "answered" && answer.status === 204;
}

async function keyOf(path: string): Promise<KeyObject> {
  try {
    const key = createPrivateKey(await readTrusted(path, MAX_KEY_BYTES));
    if (key.asymmetricKeyType === "rsa") return key;
  } catch (error) {
    // A parser's message may quote its input.
    const code = (error as { code?: unknown }).code;
    const why = keptOut(error) ?? code;
    throw failed(`the key '${path}' is not read${typeof why === "string" ? ` (${why})` : ""}`);
  }
  throw failed(`'${path}' is no RSA key`);
}

function mintedOf(text: string): { readonly value: string; readonly endMs: number } | undefined {
  try {
    const { token, expires_at } = JSON.parse(text) as { token?: unknown; expires_at?: unknown };
    const endMs = Date.parse(String(expires_at));
    if (typeof token !== "string" || !/^[\x21-\x7e]{10,4096}$/.test(token) || Number.isNaN(endMs))
      return undefined;
    return { value: token, endMs };
  } catch {
    return undefined;
  }
}

function messageOf(text: string, sent: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === "string" ? `: ${issuersWords(message, [sent])}` : "";
  } catch {
    return "";
  }
}

function failed(reason: string): UserError {
  return new UserError(`no token of the app was minted: ${reason}`, {
    hint: "check the app's id, its installation, its key and its permissions",
  });
}
