// A browser sends its cookies whatever page asks. A change comes from the tenant's own page: its
// origin says so, and where tenants share an origin, the place that the page names in a header.

import { Problem } from "../http/problem.ts";
import type { TenantSite } from "../http/tenant-of-request.ts";

/**
 * The path of the page that asks. A form or a link cannot send it, and a page of one tenant that is led astray, by an
 * id that holds `../..`, names its own place at another's.
 */
export const PAGE_HEADER = "iddio-page";

/** Throws the problem unless a call with a session's cookie comes from the tenant's own page. */
export function requireOwnPage(request: Request, { base }: TenantSite, origin: string): void {
  const refused = new Problem(403, "not-permitted", "not from this page");
  const site = request.headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") throw refused;
  if (base !== "" && request.headers.get(PAGE_HEADER) !== `${base}/`) throw refused;
  if (request.method !== "GET" && request.headers.get("origin") !== origin) throw refused;
}
