// The console's page and scripts, which are inside the program: bundled when it is compiled, and on the first request when
// it runs from its sources. Loaded when a page is asked for, not before. Serves nothing but what the bundle lists.

import { randomBytes } from "node:crypto";
import page from "./app/console.html";

/** A file of the bundle. */
interface Asset {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface Bundle {
  readonly html: string;
  readonly files: ReadonlyMap<string, Asset>;
}

/** Where a nonce goes into the page. */
const NONCE = "nonce-goes-here";

let bundle: Promise<Bundle> | undefined;

function load(): Promise<Bundle> {
  bundle ??= isBundled(page) ? bundled(page) : built();
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

interface Manifest {
  readonly index: string;
  readonly files: readonly { readonly path: string; readonly loader: string }[];
}

/** A compiled program has a list of files in the place of the page. */
function isBundled(value: unknown): value is Manifest {
  return Array.isArray((value as Manifest).files);
}

async function bundled({ index, files }: Manifest): Promise<Bundle> {
  const read = await Promise.all(
    files
      .filter(({ path }) => path !== index)
      .map(async ({ path, loader }): Promise<readonly [string, Asset]> => {
        const bytes = new Uint8Array(await Bun.file(path).arrayBuffer());
        return [`/${nameOf(path)}`, { bytes, type: typeOf(path, loader) }];
      }),
  );
  return { html: await Bun.file(index).text(), files: new Map(read) };
}

/** The same from the sources, for tests and development. */
async function built(): Promise<Bundle> {
  const result = await Bun.build({
    entrypoints: [`${import.meta.dir}/app/console.html`],
    minify: true,
    splitting: true,
  });
  let html = "";
  const files = new Map<string, Asset>();
  for (const output of result.outputs) {
    const bytes = new Uint8Array(await output.arrayBuffer());
    if (output.path.endsWith(".html")) html = new TextDecoder().decode(bytes);
    else files.set(`/${nameOf(output.path)}`, { bytes, type: typeOf(output.path, output.loader) });
  }
  return { html, files };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function typeOf(path: string, loader: string): string {
  if (loader === "css" || path.endsWith(".css")) return "text/css; charset=utf-8";
  if (path.endsWith(".svg")) return "image/svg+xml";
  if (path.endsWith(".wasm")) return "application/wasm";
  return "text/javascript; charset=utf-8";
}
