// The page and a daemon that is away for a while: no request and no row is lost or shown twice, no
// answer is sent twice, and a daemon that was started again is another one, which wants a new link.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { eventually } from "../../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../../support/gateway.ts";
import { consoleUrl, launchBrowser, openConsole, withoutBrowser } from "../../support/pages/console-page.ts";
import { type Relay, type RelayedConnection, startRelay } from "../../support/wire/relay.ts";

const POLICY = `generic:
  inspect: ["127.0.0.1:*"]
  default: escalate
  groups: { read: { tiers: [observe] } }
  rules: { allow: { groups: [read] } }
`;
const LONG_MS = 120_000;
const skipped = withoutBrowser("the tests of a console whose daemon is away");

let gateway: GatewayProcess;
let browser: Browser;
let page: Page;
/** Between the browser and the daemon. */
let relay: Relay;
let isAway = false;
/** The daemon takes an answer of the person, and its reply never arrives. */
let areRepliesLost = false;
const withoutReply = new WeakSet<RelayedConnection>();
const arrived: string[] = [];
const upstream = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request) {
    arrived.push(new URL(request.url).pathname);
    return new Response("done");
  },
});

beforeAll(async () => {
  if (skipped !== undefined) return;
  gateway = await startGatewayProcess({ policy: POLICY, settings: "approval_timeout: 5m\n" });
  const { port } = new URL(await consoleUrl(gateway));
  relay = await startRelay(Number(port), {
    fromClient: (piece, connection) => {
      if (isAway) return connection.client.destroy();
      if (areRepliesLost && piece.includes("POST /v1/approvals/allow")) withoutReply.add(connection);
      return connection.target.write(piece);
    },
    // A part of it arrives: of a connection that ends without an octet the browser asks again by itself.
    fromTarget: (piece, connection) =>
      withoutReply.has(connection)
        ? connection.client.end(piece.subarray(0, 12))
        : connection.client.write(piece),
  });
  browser = await launchBrowser([`--host-resolver-rules=MAP localhost:${port} 127.0.0.1:${relay.port}`]);
  ({ page } = await openConsole(await browser.newContext(), gateway));
}, LONG_MS);

afterAll(async () => {
  await upstream.stop(true);
  if (skipped !== undefined) return;
  await browser.close();
  await relay[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
}, LONG_MS);

/** A client that waits. */
function send(method: string, path: string, proxy = gateway.listen) {
  const url = `http://127.0.0.1:${upstream.port}${path}`;
  const child = Bun.spawn(["curl", "-s", "-x", `http://${proxy}`, "-X", method, url], {
    stdout: "pipe",
    stdin: "ignore",
  });
  return { answer: new Response(child.stdout).text(), kill: () => child.kill() };
}

const rowsOf = (path: string) => page.locator(`.queue-row:has-text("${path}")`).count();

async function shown(path: string): Promise<void> {
  await page.click(`.queue-row:has-text("${path}")`);
  await page.waitForSelector(`.details:has-text("${path}") button.allow:not([disabled])`);
}

const answers = async () =>
  (await gateway.rows()).filter(({ fields }) => String(fields.command).startsWith("approval allow")).length;

describe.skipIf(skipped !== undefined)("a page whose daemon", () => {
  test(
    "is out of reach for a while shows everything once when it is back",
    async () => {
      const before = send("POST", "/before");
      await page.waitForSelector('.queue-row:has-text("/before")');
      isAway = true;
      for (const { client } of relay.connections) client.destroy();
      await page.waitForSelector('.connection:has-text("The daemon is away")', { timeout: 60_000 });
      before.kill();
      const away = [send("POST", "/away-1"), send("POST", "/away-2")];
      await eventually(
        async () => (await gateway.control.call("approvals_list", {})).approvals.map(({ path }) => path),
        (paths) => paths.sort().join() === "/away-1,/away-2",
      );
      isAway = false;
      await page.waitForSelector('.queue-row:has-text("/away-2")', { timeout: 60_000 });
      await page.waitForSelector('.queue-row:has-text("/before") .left:has-text("client left")');
      for (const path of ["/before", "/away-1", "/away-2"]) expect(await rowsOf(path)).toBe(1);
      for (const client of away) client.kill();
      await page.waitForSelector('.queue-row:has-text("/away-2") .left:has-text("client left")');
    },
    LONG_MS,
  );

  test(
    "answers too late, or whose answer is lost, is asked once: not again by itself, nor after the page is read again",
    async () => {
      const sent = send("POST", "/once");
      await page.waitForSelector('.queue-row:has-text("/once")');
      await shown("/once");
      areRepliesLost = true;
      await page.keyboard.press("a");
      expect(await sent.answer).toBe("done");
      await page.waitForSelector(".toast.bad");
      // It is known by the event that it was allowed.
      await page.waitForSelector('.ended:has-text("Allowed")');
      expect(await page.isDisabled("button.allow")).toBe(true);
      await page.keyboard.press("a");
      areRepliesLost = false;
      await page.reload();
      await page.waitForSelector('.queue:has-text("Nothing waits")');
      expect(await rowsOf("/once")).toBe(0);
      expect(await answers()).toBe(1);
      expect(arrived.filter((path) => path === "/once")).toHaveLength(1);
    },
    LONG_MS,
  );

  test(
    "was started again wants a new link, which is opened in the same tab and leaves no token there",
    async () => {
      const lost = send("POST", "/lost");
      await page.waitForSelector('.queue-row:has-text("/lost")');
      await shown("/lost");
      await gateway.kill("SIGKILL");
      await lost.answer;
      // Pressed while nobody is there: it is not kept for the next daemon.
      await page.keyboard.press("a");
      await page.waitForSelector(".toast.bad");
      await using _again = gateway.start(["gateway"]);
      await page.waitForSelector('main:has-text("This session has ended")', { timeout: 60_000 });
      expect(await page.evaluate("sessionStorage.length")).toBe(0);
      await page.goto(await consoleUrl(gateway));
      await page.waitForSelector(".shell h1");
      expect(page.url()).toEndWith("/#/approvals");
      const { proxy_listen } = await gateway.control.call("status", {});
      const next = send("POST", "/next", proxy_listen);
      await page.waitForSelector('.queue-row:has-text("/next")');
      expect(await rowsOf("/next")).toBe(1);
      expect(await rowsOf("/lost")).toBe(0);
      await shown("/next");
      await page.keyboard.press("d");
      expect(await next.answer).toContain("denied");
      expect(arrived).not.toContain("/lost");
      // One row of each in the log, live ones and those of before.
      await page.evaluate('location.hash = "#/activity"');
      await page.waitForSelector('.log-line:has-text("/next")');
      await send("GET", "/live", proxy_listen).answer;
      await page.waitForSelector('.log-line:has-text("/live")');
      const lines = await page.locator(".log-line").allTextContents();
      for (const path of ["/next", "/live"])
        expect(lines.filter((line) => line.includes(path))).toHaveLength(1);
      expect(lines.filter((line) => line.includes("approval allow"))).toHaveLength(1);
    },
    LONG_MS,
  );
});
