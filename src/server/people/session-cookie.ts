// The cookies of sessions and logins. On a host of the tenant's own they are bound to the host. On
// a host that tenants share each tenant's have a name and a path of their own; a session is found
// only among its tenant's, so a cookie that is sent to another tenant names nobody there.

import type { TenantSite } from "../http/tenant-of-request.ts";

/** The purpose of a cookie. */
export type CookiePurpose = "session" | "login";

/** A cookie's name: `__Host-iddio`, or `__Secure-iddio.acme` where the host is shared. */
export function cookieName({ tenant, base }: TenantSite, purpose: CookiePurpose): string {
  const name = purpose === "session" ? "iddio" : "iddio-login";
  return base === "" ? `__Host-${name}` : `__Secure-${name}.${tenant.slug}`;
}

/** The Set-Cookie header; a life of 0 removes it. */
export function writeCookie(site: TenantSite, purpose: CookiePurpose, value: string, lifeMs: number): string {
  const seconds = Math.floor(lifeMs / 1000);
  return `${cookieName(site, purpose)}=${value}; Path=${site.base}/; Secure; HttpOnly; SameSite=Lax; Max-Age=${seconds}`;
}

/** A cookie's value. Two of one name are none: another site of the domain may have planted one. */
export function readCookie(request: Request, site: TenantSite, purpose: CookiePurpose): string | undefined {
  const start = `${cookieName(site, purpose)}=`;
  const found = (request.headers.get("cookie") ?? "").split(/;\s*/).filter((each) => each.startsWith(start));
  const value = found.length === 1 ? found[0]?.slice(start.length) : undefined;
  return value === "" ? undefined : value;
}
