// A person who has only a keyboard and the console: they write a rule, find the row that it made,
// play a recording, forget a way back and accept a change of an MCP server. After each step the
// focus is somewhere, and can be seen.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { eventually } from "../../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../../support/gateway.ts";
import type { McpClient } from "../../support/mcp/mcp-client.ts";
import { launchBrowser, openConsole, withoutBrowser } from "../../support/pages/console-page.ts";
import { seeMcpServer, writeRecordings, writeUndoEntries } from "../../support/pages/console-world.ts";

const POLICY = `generic:
  inspect: ["127.0.0.1:*"]
  default: escalate
  groups:
    read: { tiers: [observe] }
    write: { tiers: [modify] }
  rules:
    allow: { groups: [read] }
`;
const LONG_MS = 120_000;
const skipped = withoutBrowser("the test of a newcomer to the console");

let gateway: GatewayProcess;
let browser: Browser;
let page: Page;
let server: McpClient;
const upstream = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("done") });

beforeAll(async () => {
  if (skipped !== undefined) return;
  gateway = await startGatewayProcess({ policy: POLICY, settings: "approval_timeout: 5m\n" });
  writeRecordings(gateway.home);
  await writeUndoEntries(gateway.home);
  server = await seeMcpServer(gateway);
  browser = await launchBrowser();
  ({ page } = await openConsole(await browser.newContext(), gateway));
}, LONG_MS);

afterAll(async () => {
  await upstream.stop(true);
  if (skipped !== undefined) return;
  await browser.close();
  await server[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
}, LONG_MS);

function send(path: string): Promise<string> {
  const url = `http://127.0.0.1:${upstream.port}${path}`;
  const child = Bun.spawn(["curl", "-s", "-x", `http://${gateway.listen}`, "-X", "POST", url], {
    stdout: "pipe",
    stdin: "ignore",
  });
  return new Response(child.stdout).text();
}

/** Presses Tab until the focus is at an element that fits, which can be seen to have it. */
async function tabTo(selector: string): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    const outline = await page.evaluate(`(() => {
      const at = document.activeElement;
      if (at === null || !at.matches(${JSON.stringify(selector)})) return undefined;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(at);
      return (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
    })()`);
    if (outline !== undefined) {
      expect([selector, outline]).toEqual([selector, true]);
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`no Tab leads to ${selector}`);
}

/** Waits until an expression is true in the page, whose policy forbids the browser's own way to wait. */
const until = (expression: string) =>
  eventually(
    () => page.evaluate(expression),
    (found) => found === true,
  );

/** The focus is on something that is there. */
const hasFocus = () => until("document.activeElement !== null && document.activeElement !== document.body");

describe.skipIf(skipped !== undefined)("somebody who has only the keyboard", () => {
  test(
    "writes a rule and finds the row that it made",
    async () => {
      await page.keyboard.press("3");
      await page.waitForSelector('select[aria-label="write, everywhere"]');
      await tabTo('select[aria-label="write, everywhere"]');
      await page.keyboard.type("deny");
      await page.waitForSelector('button:has-text("Review and save"):not([disabled])');
      await page.evaluate('document.querySelector("main").focus()');
      await tabTo(".page-head button.primary");
      await page.keyboard.press("Enter");
      await page.waitForSelector('dialog button.primary:has-text("Save"):not([disabled])');
      await tabTo("dialog button.primary");
      await page.keyboard.press("Enter");
      await page.waitForSelector("dialog", { state: "detached" });
      await hasFocus();
      expect(readFileSync(join(gateway.home, "policy.yaml"), "utf8")).toMatch(
        /deny:\s*\{?\s*groups: \[\s*write/,
      );
      expect(await send("/refused-by-rule")).toContain("refused");
      await page.keyboard.press("2");
      await page.waitForSelector('.filters input[type="search"]');
      await tabTo('.filters input[type="search"]');
      await page.keyboard.type("/refused-by-rule");
      // The row is there before the search has begun, and is drawn anew with what it finds.
      await until(
        `((lines) => lines.length > 0 && lines.every(({ textContent }) => textContent.includes("/refused-by-rule")))([...document.querySelectorAll(".log-line")])`,
      );
      await tabTo(".log-line");
      await page.keyboard.press("Enter");
      await page.waitForSelector('.log-all:has-text("generic.rules.deny")');
    },
    LONG_MS,
  );

  test(
    "plays a recording, forgets a way back and accepts a change of a server",
    async () => {
      await page.evaluate('document.querySelector("main").focus()');
      await page.keyboard.press("6");
      await page.waitForSelector(".record-line");
      await tabTo(".record-line, .record-line a, .record-line button");
      await page.keyboard.press("Enter");
      await page.waitForSelector(".record-start button");
      await tabTo(".record-start button");
      await page.keyboard.press("Enter");
      await page.waitForSelector(".ap-player canvas");
      await hasFocus();
      await page.evaluate('document.querySelector("main").focus()');
      await page.keyboard.press("7");
      // The lines of the page before have the same class.
      await page.waitForSelector('main:has-text("iddio undo list") .record-line');
      const before = await page.locator(".record-line").count();
      await tabTo(".record-line, .record-line a, .record-line button");
      await page.keyboard.press("Enter");
      await page.waitForSelector('.record button:has-text("Forget it")');
      await tabTo(".record button");
      await page.keyboard.press("Enter");
      await until(`document.querySelectorAll(".record-line").length === ${before - 1}`);
      await hasFocus();
      await page.keyboard.press("9");
      await page.waitForSelector('h1:has-text("MCP")');
      await page.waitForSelector(".record-line");
      await tabTo(".record-line, .record-line a, .record-line button");
      await page.keyboard.press("Enter");
      await page.waitForSelector('button[aria-label="Accept Its instructions"]');
      await tabTo('button[aria-label="Accept Its instructions"]');
      await page.keyboard.press("Enter");
      await page.waitForSelector('.waiting:has-text("Its instructions")', { state: "detached" });
      await hasFocus();
    },
    LONG_MS,
  );
});
