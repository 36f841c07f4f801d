// A person who has only a keyboard answers in the console with its buttons: allows, denies, says what
// to do instead. After each answer the focus is somewhere, and can be seen.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { eventually } from "../../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../../support/gateway.ts";
import { launchBrowser, openConsole, withoutBrowser } from "../../support/pages/console-page.ts";

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
const skipped = withoutBrowser("the test of a keyboard in the console");

let gateway: GatewayProcess;
let browser: Browser;
let page: Page;
const upstream = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("done") });

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

const ready = (path: string) =>
  page.waitForSelector(`.details:has-text("${path}") button.allow:not([disabled])`);

describe.skipIf(skipped !== undefined)("somebody who has only the keyboard", () => {
  test(
    "answers with the buttons, and keeps the focus after each answer",
    async () => {
      const allowed = send("/allowed");
      await ready("/allowed");
      await tabTo("button.allow");
      await page.keyboard.press("Enter");
      expect(await allowed).toBe("done");
      await hasFocus();
      // A return that is held down answers nothing more.
      await until('document.activeElement?.closest(".answers") === null');
      const denied = send("/denied");
      await ready("/denied");
      await tabTo("button.deny");
      await page.keyboard.press("Enter");
      expect(await denied).toContain("denied");
      await hasFocus();
      const other = send("/instead");
      await ready("/instead");
      await tabTo("button.instead");
      await page.keyboard.press("Enter");
      await page.waitForSelector("dialog textarea");
      // Whoever goes back is where they came from.
      await page.keyboard.press("Escape");
      await page.waitForSelector("dialog", { state: "detached" });
      await until('document.activeElement?.matches("button.instead") === true');
      await page.keyboard.press("Enter");
      await page.waitForSelector("dialog textarea");
      await page.keyboard.type("open a pull request");
      await page.keyboard.press("Enter");
      expect(await other).toContain("open a pull request");
      await hasFocus();
    },
    LONG_MS,
  );
});
