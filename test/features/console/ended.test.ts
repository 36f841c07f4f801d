// A request that ends while somebody looks at it, or while they write about it: the page says how,
// no key answers what is no longer there, and it can still be allowed once, from the page as from
// `approval list --all`.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { type GatewayProcess, startGatewayProcess } from "../../support/gateway.ts";
import { launchBrowser, openConsole, withoutBrowser } from "../../support/pages/console-page.ts";

const POLICY = `generic:
  inspect: ["127.0.0.1:*"]
  default: escalate
  groups: { read: { tiers: [observe] } }
  rules: { allow: { groups: [read] } }
`;
const LONG_MS = 110_000;
const skipped = withoutBrowser("the tests of requests that end in the console");

let gateway: GatewayProcess;
let browser: Browser;
let page: Page;
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
  browser = await launchBrowser();
  ({ page } = await openConsole(await browser.newContext(), gateway));
}, LONG_MS);

afterAll(async () => {
  await upstream.stop(true);
  if (skipped !== undefined) return;
  await browser.close();
  await gateway[Symbol.asyncDispose]();
}, LONG_MS);

/** A client that waits. */
function send(path: string) {
  const url = `http://127.0.0.1:${upstream.port}${path}`;
  const child = Bun.spawn(["curl", "-s", "-x", `http://${gateway.listen}`, "-X", "POST", url], {
    stdout: "pipe",
    stdin: "ignore",
  });
  return { answer: new Response(child.stdout).text(), kill: () => child.kill() };
}

async function shown(path: string): Promise<void> {
  await page.click(`.queue-row:has-text("${path}")`);
  await page.waitForSelector(`.details:has-text("${path}") button.allow:not([disabled])`);
}

const titleOf = () => page.locator("dialog[open] h2").textContent();

describe.skipIf(skipped !== undefined)("a request that ends", () => {
  test(
    "in time, while it is looked at: the page says so, and it can be allowed once more",
    async () => {
      await gateway.run(["settings", "set", "approval_timeout=2s"]);
      const late = send("/late");
      await page.waitForSelector('.queue-row:has-text("/late")');
      await page.click('.queue-row:has-text("/late")');
      await page.waitForSelector('.ended-timed_out:has-text("Nobody answered in time")');
      await gateway.run(["settings", "set", "approval_timeout=5m"]);
      expect(await late.answer).toContain("in time");
      await page.waitForSelector('.late .queue-row:has-text("/late") .left:has-text("timed out")');
      expect((await gateway.run(["approval", "list", "--all"])).stdout).toContain("/late");
      await page.waitForSelector('button.allow:has-text("Allow once more"):not([disabled])');
      // Words would reach nobody, and neither a while nor the rest of a command begins with it.
      expect(await page.locator(".answers button").count()).toBe(2);
      for (const key of ["i", "r", "f", "g"]) await page.keyboard.press(key);
      expect(await page.locator("dialog[open]").count()).toBe(0);
      await page.keyboard.press("a");
      await page.waitForSelector('.toast:has-text("the same request passes once")');
      expect(arrived).not.toContain("/late");
      expect(await send("/late").answer).toBe("done");
      const again = send("/late");
      await page.waitForSelector('.queue > .queue-list .queue-row:has-text("/late")');
      again.kill();
      await page.waitForSelector('.late .queue-row:has-text("/late") .left:has-text("client left")');
      expect(arrived.filter((path) => path === "/late")).toHaveLength(1);
    },
    LONG_MS,
  );

  test(
    "while somebody writes about it: nothing is sent, and the page says so",
    async () => {
      const left = send("/left");
      await page.waitForSelector('.queue-row:has-text("/left")');
      await shown("/left");
      await page.keyboard.press("i");
      await page.waitForSelector("dialog[open] textarea:focus");
      await page.keyboard.type("open a");
      left.kill();
      await page.waitForSelector('dialog[open]:has-text("This request has ended")');
      // Neither a space nor a return of the words presses a button, and no letter is a key.
      await page.keyboard.type(" pull request a d g");
      await page.keyboard.press("Enter");
      await page.keyboard.type(" a");
      expect(await titleOf()).toBe("This request has ended");
      await page.keyboard.press("Escape");
      await page.waitForSelector("dialog[open]", { state: "detached" });
      await page.waitForSelector('.ended-withdrawn:has-text("Its client has left")');
      const { approvals } = await gateway.control.call("approvals_ended", {});
      expect(approvals.map(({ path, ended }) => [path, ended])).toContainEqual(["/left", "withdrawn"]);
      // Nor does a space that comes when the dialog has gone.
      await page.keyboard.type(" ");
      expect(await page.evaluate('document.activeElement?.closest(".answers") === null')).toBe(true);
      const rows = (await gateway.rows()).filter(({ fields }) => fields.command === "approval allow");
      expect(rows).toHaveLength(1);
      await page.keyboard.press("d");
      await page.waitForSelector('.late .queue-row:has-text("/left")', { state: "detached" });
    },
    LONG_MS,
  );

  test(
    "and waits again, from another process: it is looked at from the beginning",
    async () => {
      const first = send("/again");
      await page.waitForSelector('.queue-row:has-text("/again")');
      await shown("/again");
      first.kill();
      await page.waitForSelector('.ended-withdrawn:has-text("Its client has left")');
      const second = send("/again");
      // All answers are there again, and not only the one to a request that has ended.
      await page.waitForSelector(".ended-withdrawn", { state: "detached" });
      await page.waitForSelector('.details:has-text("/again") button.allow:not([disabled])');
      expect(await page.locator(".answers button").count()).toBeGreaterThan(2);
      await page.keyboard.press("d");
      expect(await second.answer).toContain("denied");
      expect(arrived).not.toContain("/again");
    },
    LONG_MS,
  );

  test(
    "and another one that takes its place: what is typed is for neither",
    async () => {
      const both = [send("/one"), send("/two")];
      await page.waitForSelector('.queue-row:has-text("/two")');
      const other = await page.locator('.queue-row:has-text("/two")').getAttribute("href");
      await shown("/one");
      await page.keyboard.press("r");
      await page.waitForSelector("dialog[open] textarea:focus");
      await page.keyboard.type("because ");
      // As the browser's own "back" does.
      await page.evaluate(`location.hash = ${JSON.stringify(other)}`);
      await page.waitForSelector('dialog[open]:has-text("This request is another one now")');
      expect(await titleOf()).toBe("This request is another one now");
      await page.waitForSelector('.details:has-text("/two")');
      await page.keyboard.type("a d g ");
      expect(await titleOf()).toBe("This request is another one now");
      await page.click('dialog[open] button:has-text("Look at it")');
      await page.waitForSelector("dialog[open]", { state: "detached" });
      const { approvals } = await gateway.control.call("approvals_list", {});
      expect(approvals.map(({ path }) => path).sort()).toEqual(["/one", "/two"]);
      expect(arrived).not.toContain("/one");
      expect(arrived).not.toContain("/two");
      for (const each of both) each.kill();
    },
    LONG_MS,
  );
});
