// The server's page and its scripts. The page is the same for everybody and holds nothing: it asks
// the API for its data, with the session of the person.

import { type PageBundle, readPageBundle } from "../../host/page-bundle.ts";

/** The page as the build packed it. */
declare const IDDIO_SERVER_PAGE: string | undefined;

let bundle: Promise<PageBundle> | undefined;

/** Where the page may load from and ask: a tenant's part of a shared host, and nothing of another's. */
const policyOf = (home: string) =>
  [
    "default-src 'none'",
    `script-src ${home}`,
    `style-src ${home}`,
    `connect-src ${home}`,
    `img-src ${home}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "worker-src 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");

/** The page, or a file of its bundle; undefined for other paths. `home` is the address of a tenant that shares its host. */
export async function serverPage(path: string, home = "'self'"): Promise<Response | undefined> {
  const packed = typeof IDDIO_SERVER_PAGE === "string" ? IDDIO_SERVER_PAGE : undefined;
  bundle ??= readPageBundle(packed, `${import.meta.dir}/app/server.html`);
  const { html, files } = await bundle;
  if (path === "/")
    return new Response(html, {
      headers: {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "content-security-policy": policyOf(home),
      },
    });
  const file = files.get(path);
  return (
    file && new Response(file.bytes, { headers: { "content-type": file.type, "cache-control": "no-cache" } })
  );
}
