// A page on disk that leads the browser to the console. Only the user can read it; it holds the
// token instead of the browser's command line, which everybody can read, and is gone after a
// minute.

import { randomBytes } from "node:crypto";
import { mkdir, readdir, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { escapeXml } from "../../text/escape-xml.ts";

const LIFE_MS = 60_000;
const NAME = /^console-[0-9a-f]{16}\.html$/;

/** Writes the page and gives its `file:` URL; pages of before are removed. */
export async function writeRedirectPage(folder: string, url: string): Promise<string> {
  // The URL is ours: hex digits, a port, nothing to escape.
  const html = `<!doctype html><meta charset="utf-8"><title>iddio</title><meta name="referrer" content="no-referrer">
<script>location.replace(${JSON.stringify(url)})</script>
<p>iddio console: <a href="${url}">open</a></p>
`;
  return write(folder, html);
}

/** A page that says why there is no console, for a person who started it from a menu. */
export async function writeProblemPage(folder: string, message: string, hint: string): Promise<string> {
  return write(
    folder,
    `<!doctype html><meta charset="utf-8"><title>iddio</title>
<body style="font: 16px/1.6 system-ui, sans-serif; max-width: 36rem; margin: 12vh auto; padding: 0 1rem; color-scheme: light dark">
<h1 style="font-size: 1.4rem">The console does not open</h1>
<p>${escapeXml(message)}</p><p>In a terminal: <code>${escapeXml(hint)}</code></p>
`,
  );
}

async function write(folder: string, html: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await removeOld(folder);
  const path = join(folder, `console-${randomBytes(8).toString("hex")}.html`);
  await writeFile(path, html, { mode: 0o600, flag: "wx" });
  return pathToFileURL(path).href;
}

async function removeOld(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!NAME.test(name)) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > LIFE_MS)
      await unlink(path).catch(() => undefined);
  }
}
