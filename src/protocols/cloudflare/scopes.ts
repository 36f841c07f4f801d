// Which accounts and zones a request to Cloudflare acts in without naming them: a zone's account,
// zones that something of their account changes, lists over all of them. Goes by the words of the
// path. Knows no tiers but one.

import type { CloudflareOperation } from "./operations.ts";

/** First words of paths outside of accounts: Cloudflare itself, and the caller with the names of his things. */
const NOWHERE: ReadonlySet<string> = new Set([
  "ips",
  "radar",
  "oauth",
  "user",
  "memberships",
  "billing",
  "accounts",
  "tenants",
]);

/** Words of an account's path below which things stand that decide what happens in its zones. */
const OVER_ZONES: ReadonlySet<string> = new Set([
  ...["rulesets", "rules", "domains", "routes", "registrar", "dns_settings", "load_balancers", "access"],
  ...["access_rules", "custom_ns", "secondary_dns", "dns_firewall", "cfd_tunnel", "registrations"],
]);

/** The labels of scopes that an operation acts in and does not name; `isRead` says that it changes nothing. */
export function unnamedByCloudflare(
  { words, account, zone }: Pick<CloudflareOperation, "words" | "account" | "zone">,
  isRead: boolean,
): readonly string[] {
  if (zone !== undefined) return account === undefined ? ["account"] : [];
  const isOverZones = !isRead && (words.some((word) => OVER_ZONES.has(word)) || words.at(-1) === "accounts");
  if (account !== undefined) return isOverZones ? ["zone"] : [];
  // A deployment's files are uploaded with a token that stands for one project of one account.
  if (words[0] === "pages") return ["account"];
  if (!NOWHERE.has(words[0] ?? "")) return ["account", "zone"];
  if (isOverZones) return ["account", "zone"];
  const isPersonal = isRead || words[0] === "user" || words[0] === "oauth";
  return isPersonal ? [] : ["account"];
}
