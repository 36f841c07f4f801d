// The console's page and scripts, which are inside the program: bundled when it is compiled, and on
// the first request when it runs from its sources. Loaded when a page is asked for, not before.
// Serves only the files that the bundle lists.

import { randomBytes } from "node:crypto";
import { type PageBundle, readPageBundle } from "../../host/page-bundle.ts";

/** The page as the build packed it. */
declare const IDDIO_CONSOLE_PAGE: string | undefined;

/** Where a nonce goes into the page. */
const NONCE = "nonce-goes-here";

let bundle: Promise<PageBundle> | undefined;

function load(): Promise<PageBundle> {
  const packed = typeof IDDIO_CONSOLE_PAGE === "string" ? IDDIO_CONSOLE_PAGE : undefined;
  bundle ??= readPageBundle(packed, `${import.meta.dir}/app/console.html`);
  return bundle;
}

/** The page; `nonce` lets the editor add its style. */
export async function consolePage(): Promise<Response> {
  const { html } = await load();
  const nonce = randomBytes(16).toString("base64");
  return new Response(html.replaceAll(NONCE, nonce), {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        `style-src 'self' 'nonce-${nonce}'`,
        "connect-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "worker-src 'none'",
        "require-trusted-types-for 'script'",
        // The one of recordings/templates.ts, which lets the player's own buttons pass.
        "trusted-types default",
      ].join("; "),
    },
  });
}

/** A script or style of the bundle; undefined when the bundle does not list it. */
export async function consoleFile(path: string): Promise<Response | undefined> {
  const file = (await load()).files.get(path);
  return file && new Response(file.bytes, { headers: { "content-type": file.type } });
}
