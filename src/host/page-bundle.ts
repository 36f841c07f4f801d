// A page with its scripts and styles, which are inside the program: bundled when it is compiled,
// and on the first request when it runs from its sources. Only the bundle's paths are served: a
// path that it does not list is not looked for anywhere.

/** A file of the bundle. */
export interface PageFile {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A page and its files, by their paths: `/chunk-1a2b.js`. */
export interface PageBundle {
  readonly html: string;
  readonly files: ReadonlyMap<string, PageFile>;
}

/** Reads what `import page from "./page.html"` gave; `source` is that file's path, for a program that is not compiled. */
export function readPageBundle(page: unknown, source: string): Promise<PageBundle> {
  return isBundled(page) ? bundled(page) : built(source);
}

interface Manifest {
  readonly index: string;
  readonly files: readonly { readonly path: string; readonly loader: string }[];
}

/** A compiled program has a list of files in the place of the page. */
function isBundled(value: unknown): value is Manifest {
  return Array.isArray((value as Manifest).files);
}

async function bundled({ index, files }: Manifest): Promise<PageBundle> {
  const read = await Promise.all(
    files
      .filter(({ path }) => path !== index)
      .map(async ({ path, loader }): Promise<readonly [string, PageFile]> => {
        const bytes = new Uint8Array(await Bun.file(path).arrayBuffer());
        return [`/${nameOf(path)}`, { bytes, type: typeOf(path, loader) }];
      }),
  );
  return { html: await Bun.file(index).text(), files: new Map(read) };
}

/** The same from the sources, for tests and development. */
async function built(source: string): Promise<PageBundle> {
  const result = await Bun.build({ entrypoints: [source], minify: true, splitting: true });
  let html = "";
  const files = new Map<string, PageFile>();
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
