// The console of the compiled program in Debian's Chromium: where the browser is, why there may be
// none, and a page that `iddio console` has opened.

import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { GatewayProcess } from "./gateway.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);

/** Why there is no browser; undefined when there is one. Throws where one is demanded. */
export function withoutBrowser(what: string): string | undefined {
  if (CHROMIUM !== undefined) return undefined;
  if (process.env.IDDIO_REQUIRE_CLIENTS === "1")
    throw new Error("no chromium, and IDDIO_REQUIRE_CLIENTS=1 demands it");
  process.stderr.write(`no chromium: ${what} have nothing to run\n`);
  return "no chromium";
}

/** Starts the browser, with further arguments of Chromium. */
export function launchBrowser(args: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    ...(CHROMIUM === undefined ? {} : { executablePath: CHROMIUM }),
    args: ["--no-sandbox", ...args],
  });
}

/** The address with a fresh token. */
export async function consoleUrl(
  gateway: Pick<GatewayProcess, "run">,
  args: readonly string[] = [],
): Promise<string> {
  const { code, stdout, stderr } = await gateway.run(["console", "--no-open", ...args]);
  if (code !== 0) throw new Error(`iddio console: ${stderr}`);
  return stdout.trim();
}

/** A page with a session; `problems` collects what the browser complains of. */
export interface ConsolePage {
  readonly page: Page;
  readonly problems: string[];
}

/** Opens the console in a page of its own. */
export async function openConsole(
  context: BrowserContext,
  gateway: Pick<GatewayProcess, "run">,
  where = "",
): Promise<ConsolePage> {
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  await page.goto(await consoleUrl(gateway));
  await page.waitForSelector(".shell h1", { timeout: 30_000 });
  if (where !== "") await page.evaluate(`location.hash = ${JSON.stringify(`#/${where}`)}`);
  return { page, problems };
}
