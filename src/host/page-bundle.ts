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

/** The text that packPage deflates, as JSON; bytes are in base64. */
interface PackedBundle {
  readonly html: string;
  readonly files: readonly (readonly [path: string, type: string, base64: string])[];
}

/** `packed` comes from the build; a program that runs from its sources has none, and bundles `source`, an HTML file. */
export function readPageBundle(packed: string | undefined, source: string): Promise<PageBundle> {
  return packed === undefined ? bundlePage(source) : Promise.resolve(unpackPage(packed));
}

/** Bundles a page from its sources. */
export async function bundlePage(source: string): Promise<PageBundle> {
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

/** The bundle as text that a build puts into the program; files by path, so that equal pages give equal texts. */
export function packPage({ html, files }: PageBundle): string {
  const packed: PackedBundle = {
    html,
    files: [...files]
      .map(([path, { type, bytes }]) => [path, type, Buffer.from(bytes).toString("base64")] as const)
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  };
  return Buffer.from(Bun.deflateSync(JSON.stringify(packed), { level: 9 })).toString("base64");
}

/** The reverse of packPage. */
function unpackPage(packed: string): PageBundle {
  const text = Buffer.from(Bun.inflateSync(Buffer.from(packed, "base64"))).toString();
  const { html, files } = JSON.parse(text) as PackedBundle;
  return {
    html,
    files: new Map(
      files.map(([path, type, base64]) => [
        path,
        { type, bytes: new Uint8Array(Buffer.from(base64, "base64")) },
      ]),
    ),
  };
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
