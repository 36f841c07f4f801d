// Whoever holds the console's port once is its origin, and can leave a worker in the browser that
// answers in the daemon's place. A real one is left there in Chromium, before the daemon starts.

import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../../support/eventually.ts";
import { startGatewayProcess } from "../../support/gateway.ts";
import { consoleUrl, launchBrowser, withoutBrowser } from "../../support/pages/console-page.ts";

const skipped = withoutBrowser("the test of a worker that was left at the console's port");

const WORKER = `
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  if (event.request.mode === "navigate")
    event.respondWith(new Response("<h1>not iddio</h1>", { headers: { "content-type": "text/html" } }));
});`;
const REGISTER = `<script>
navigator.serviceWorker.register("/worker.js")
  .then(() => navigator.serviceWorker.ready).then(() => { document.title = "left"; });
</script>`;

/** Serves the other program at both addresses, as it must to be the origin. */
function serveOther() {
  const answer = (request: Request) =>
    request.url.endsWith("/worker.js")
      ? new Response(WORKER, { headers: { "content-type": "text/javascript" } })
      : new Response(REGISTER, { headers: { "content-type": "text/html" } });
  const first = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  const second = Bun.serve({ hostname: "::1", port: first.port ?? 0, fetch: answer });
  return { port: first.port ?? 0, stop: () => Promise.all([first.stop(true), second.stop(true)]) };
}

test.skipIf(skipped !== undefined)(
  "a worker that another program left at the port is gone with the first page, and its sessions too",
  async () => {
    const other = serveOther();
    await using browser = await launchBrowser();
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`http://localhost:${other.port}/`);
    await eventually(
      () => page.title(),
      (title) => title === "left",
    );
    await page.close();
    await other.stop();
    await using gateway = await startGatewayProcess({ settings: `console_listen: ${other.port}\n` });
    const opened = await context.newPage();
    await opened.goto(await consoleUrl(gateway));
    // The worker answers once more; the browser asks for its script meanwhile, and shows the real page then.
    await opened.waitForSelector("#app .shell, #app .no-session", { timeout: 60_000 });
    const log = () => readFile(join(gateway.home, "iddio.log"), "utf8");
    await eventually(log, (text) => text.includes("left a worker in a browser"));
    const again = await context.newPage();
    await again.goto(await consoleUrl(gateway));
    await again.waitForSelector(".shell h1", { timeout: 30_000 });
    expect(await again.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)")).toBe(
      0,
    );
  },
  110_000,
);
