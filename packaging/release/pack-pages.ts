// The step of the build that bundles the pages, one after the other and before the program: as modules of the
// program their files came in whichever order its threads had read them, and two builds were not equal.

import { join } from "node:path";
import { bundlePage, packPage } from "../../src/host/page-bundle.ts";

/** Each page by the constant that its text replaces in the program. */
const PAGES = {
  IDDIO_CONSOLE_PAGE: "src/features/console/app/console.html",
  IDDIO_SERVER_PAGE: "src/server/ui/app/server.html",
} as const;

/** The build's definitions of all pages, as JavaScript strings. */
export async function packPages(root: string): Promise<Record<string, string>> {
  const defined: Record<string, string> = {};
  for (const [constant, path] of Object.entries(PAGES))
    defined[constant] = JSON.stringify(packPage(await bundlePage(join(root, path))));
  return defined;
}
