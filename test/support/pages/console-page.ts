// The console of the compiled program in Debian's Chromium: where the browser is, why there may be
// none, and a page that `iddio console` has opened. The shell is the same engine without a window, whose page costs
// a quarter.

import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page, type Request } from "playwright-core";
import { eventually } from "../eventually.ts";
import type { GatewayProcess } from "../gateway.ts";

const CHROMIUM = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
  .map((name) => `/usr/bin/${name}`)
  .find((path) => existsSync(path));

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
  /** Resolves when the page stands still: its requests are answered, but for streams, and what moves has arrived. */
  settled(): Promise<void>;
}

/** Within this a page does what is asked, on a machine that does much else too. */
const SOON_MS = 100_000;
const STREAM = /event-stream|ndjson|jsonl/;
/** Two frames on both sides of the end of each animation that ends. */
const STILL = `(async () => {
  const frames = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  await frames();
  const ends = (each) => Number.isFinite(Number(each.effect?.getComputedTiming().endTime));
  await Promise.allSettled(document.getAnimations().filter(ends).map(({ finished }) => finished));
  await frames();
})()`;

/** Opens the console in a page of its own. */
export async function openConsole(
  context: BrowserContext,
  gateway: Pick<GatewayProcess, "run">,
  where = "",
): Promise<ConsolePage> {
  context.setDefaultTimeout(SOON_MS);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  const asked = new Set<Request>();
  page.on("request", (request) => asked.add(request));
  page.on("requestfinished", (request) => asked.delete(request));
  page.on("requestfailed", (request) => asked.delete(request));
  page.on("response", (response) => {
    if (STREAM.test(response.headers()["content-type"] ?? "")) asked.delete(response.request());
  });
  await page.goto(await consoleUrl(gateway));
  await page.waitForSelector(".shell h1");
  if (where !== "") await page.evaluate(`location.hash = ${JSON.stringify(`#/${where}`)}`);
  const settled = async () => {
    for (;;) {
      await eventually(
        async () => asked.size,
        (size) => size === 0,
      );
      await page.evaluate(STILL);
      if (asked.size === 0) return;
    }
  };
  return { page, problems, settled };
}
