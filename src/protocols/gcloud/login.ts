// Classifies the requests that Google's command line tools send on their own behalf: token exchange
// and refresh, device codes, token information, usage reports. Every command does, and none acts on
// anybody's resources, so they are observe; revoking a token is not. Impersonation goes to
// iamcredentials and is no login.

import type { Classification } from "../../model/classification.ts";
import type { TierOrUnknown } from "../../model/tier.ts";

const HOSTS: ReadonlySet<string> = new Set([
  "oauth2.googleapis.com",
  "oauth2.mtls.googleapis.com",
  "accounts.google.com",
  "www.googleapis.com",
  "sts.googleapis.com",
  "sts.mtls.googleapis.com",
  "play.googleapis.com",
]);

/** The command and tier of each path; a pattern matches the whole path. */
const PATHS: readonly (readonly [path: RegExp, command: string, tier: TierOrUnknown, reason: string])[] = [
  [/^\/(?:o\/)?(?:oauth2\/(?:v\d\/)?)?token$/, "oauth2.token", "observe", "the login of command line tools"],
  [/^\/v1(?:beta)?\/(?:oauth)?token$/, "sts.token", "observe", "the login of command line tools"],
  [/^\/v1(?:beta)?\/introspect$/, "sts.introspect", "observe", "reads what a token is good for"],
  [/^\/(?:oauth2\/(?:v\d\/)?)?tokeninfo$/, "oauth2.tokeninfo", "observe", "reads what a token is good for"],
  [/^\/(?:o\/oauth2\/)?device\/code$/, "oauth2.deviceCode", "observe", "the login of command line tools"],
  [/^\/(?:o\/oauth2\/)?revoke$/, "oauth2.revoke", "modify", "revokes a token"],
];

/** Classifies a tool's requests on its own behalf; undefined for any other request. */
export function classifyLogin(host: string, path: string, method: string): Classification | undefined {
  if (!HOSTS.has(host) || (method !== "POST" && method !== "GET")) return undefined;
  // On www only paths that name OAuth are logins; on the others `/token` is enough.
  if (host === "www.googleapis.com" && !path.startsWith("/oauth2/")) return undefined;
  if (host === "play.googleapis.com")
    return path === "/log" && method === "POST"
      ? found("observe", "clearcut.log", "the usage report of a command line tool")
      : undefined;
  for (const [pattern, command, tier, reason] of PATHS)
    if (pattern.test(path)) return found(tier, command, reason);
  return undefined;
}

function found(tier: TierOrUnknown, command: string, reason: string): Classification {
  return { protocol: "gcloud", tier, command, aliases: [], labels: {}, reason };
}
