// A page on disk that leads the browser to the console. Only the user can read it; it holds the token instead of the
// browser's command line, which everybody can read, and is gone after a minute.

import { randomBytes } from "node:crypto";
import { readdir, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

const LIFE_MS = 60_000;
const NAME = /^console-[0-9a-f]{16}\.html$/;

/** Writes the page and gives its `file:` URL; pages of before are removed. */
export async function writeRedirectPage(folder: string, url: string): Promise<string> {
  await removeOld(folder);
  const path = join(folder, `console-${randomBytes(8).toString("hex")}.html`);
  // The URL is ours: hex digits, a port, nothing to escape.
  const html = `<!doctype html><meta charset="utf-8"><title>iddio</title><meta name="referrer" content="no-referrer">
<script>location.replace(${JSON.stringify(url)})</script>
<p>iddio console: <a href="${url}">open</a></p>
`;
  await writeFile(path, html, { mode: 0o600, flag: "wx" });
  return `file://${path}`;
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
