// The login endpoints of Google's command line tools: token exchange and refresh, device
// codes, token information. Every command needs them, so they are observe; revoking a
// token is not. Impersonation goes to iamcredentials and is no login.

import type { Classification } from "../model/classification.ts";
import type { TierOrUnknown } from "../model/tier.ts";

const HOSTS: ReadonlySet<string> = new Set([
  "oauth2.googleapis.com",
  "oauth2.mtls.googleapis.com",
  "accounts.google.com",
  "www.googleapis.com",
  "sts.googleapis.com",
  "sts.mtls.googleapis.com",
]);

/** What each path is called; matched against the whole path. */
const PATHS: readonly (readonly [path: RegExp, command: string, tier: TierOrUnknown, reason: string])[] = [
  [/^\/(?:o\/)?(?:oauth2\/(?:v\d\/)?)?token$/, "oauth2.token", "observe", "the login of command line tools"],
  [/^\/v1(?:beta)?\/(?:oauth)?token$/, "sts.token", "observe", "the login of command line tools"],
  [/^\/v1(?:beta)?\/introspect$/, "sts.introspect", "observe", "reads what a token is good for"],
  [/^\/(?:oauth2\/(?:v\d\/)?)?tokeninfo$/, "oauth2.tokeninfo", "observe", "reads what a token is good for"],
  [/^\/(?:o\/oauth2\/)?device\/code$/, "oauth2.deviceCode", "observe", "the login of command line tools"],
  [/^\/(?:o\/oauth2\/)?revoke$/, "oauth2.revoke", "modify", "revokes a token"],
];

/** Classifies a request to a login endpoint; undefined for any other. */
export function classifyLogin(host: string, path: string, method: string): Classification | undefined {
  if (!HOSTS.has(host) || (method !== "POST" && method !== "GET")) return undefined;
  // On www only paths that name OAuth are logins; on the others `/token` is enough.
  if (host === "www.googleapis.com" && !path.startsWith("/oauth2/")) return undefined;
  for (const [pattern, command, tier, reason] of PATHS)
    if (pattern.test(path)) return { protocol: "gcloud", tier, command, aliases: [], labels: {}, reason };
  return undefined;
}
