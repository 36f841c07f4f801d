// Approvals in a real browser against the compiled program: they appear as they come, are answered
// with keys and with the pointer, and what an agent sent is shown and not obeyed.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { eventually } from "../../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../../support/gateway.ts";
import {
  type ConsolePage,
  launchBrowser,
  openConsole,
  withoutBrowser,
} from "../../support/pages/console-page.ts";

const POLICY = `generic:
  inspect: ["127.0.0.1:*"]
  default: escalate
  groups: { read: { tiers: [observe] } }
  rules: { allow: { groups: [read] } }
`;

const skipped = withoutBrowser("the tests of the console's pages");

let gateway: GatewayProcess;
let browser: Browser;
let opened: ConsolePage;
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
  opened = await openConsole(await browser.newContext(), gateway);
  ({ page } = opened);
}, 120_000);

afterAll(async () => {
  await upstream.stop(true);
  if (skipped !== undefined) return;
  await browser.close();
  await gateway[Symbol.asyncDispose]();
}, 120_000);

/** A client that waits; its answer comes when it is answered. */
function send(path: string, more: readonly string[] = []) {
  const child = Bun.spawn(
    [
      "curl",
      "-s",
      "--globoff",
      "-x",
      `http://${gateway.listen}`,
      "-X",
      "POST",
      ...more,
      `http://127.0.0.1:${upstream.port}${path}`,
    ],
    { stdout: "pipe", stdin: "ignore" },
  );
  return { answer: new Response(child.stdout).text(), kill: () => child.kill() };
}

/** Waits until the page shows a request and lets it be answered. */
async function shown(path: string): Promise<void> {
  await page.click(`.queue-row:has-text("${path}")`);
  await page.waitForSelector(`.details:has-text("${path}") button.allow:not([disabled])`);
}

/** Clicks on a row, and types a key in the moment in which the page has turned to what the row shows. */
async function clickAndType(row: string, key: string): Promise<void> {
  await page.evaluate(`new Promise((done) => {
    const row = ${row};
    const typed = { key: "${key}", bubbles: true, cancelable: true };
    const type = () => {
      if (location.hash !== row.hash) return void requestAnimationFrame(type);
      done(document.body.dispatchEvent(new KeyboardEvent("keydown", typed)));
    };
    row.click();
    type();
  })`);
}

describe.skipIf(skipped !== undefined)("the page of approvals", () => {
  test("takes the token out of the address, and shows what waits as it comes", async () => {
    expect(new URL(page.url()).hash).toBe("#/approvals");
    expect(await page.textContent(".queue")).toContain("Nothing waits for you");
    const sent = send("/live");
    await page.waitForSelector(".queue-row");
    expect(await page.title()).toBe("(1) iddio");
    await shown("/live");
    await page.keyboard.press("a");
    expect(await sent.answer).toBe("done");
    await eventually(
      () => page.title(),
      (title) => title === "iddio",
    );
    const row = (await gateway.rowsWhen((rows) => rows.some(({ op }) => op === "control"))).findLast(
      ({ fields }) => fields.command === "approval allow",
    );
    expect(row?.fields).toMatchObject({ principal: "console" });
  }, 120_000);

  test("denies, and says what to do instead: the agent reads it", async () => {
    const sent = send("/differently");
    await page.waitForSelector(".queue-row");
    await shown("/differently");
    await page.keyboard.press("i");
    await page.keyboard.type("open a pull request");
    await page.keyboard.press("Enter");
    const answer = JSON.parse(await sent.answer) as Record<string, unknown>;
    expect(answer).toMatchObject({ outcome: "denied", instead: "open a pull request" });
    expect(answer.error).toContain("they ask you to do this instead: open a pull request");
    expect(arrived).not.toContain("/differently");
  }, 120_000);

  test("what is typed after a key that asks for words is no answer, however fast it comes", async () => {
    const sent = send("/fast");
    await page.waitForSelector(".queue-row");
    await shown("/fast");
    await page.evaluate(`
      for (const key of ["r", "a", "g", "d"])
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    `);
    await page.waitForSelector("dialog[open] textarea:focus");
    await page.keyboard.type("a fast typist");
    await page.keyboard.press("Enter");
    const answer = JSON.parse(await sent.answer) as Record<string, unknown>;
    expect(answer).toMatchObject({ outcome: "denied", error: expect.stringContaining(": a fast typist;") });
    expect(arrived).not.toContain("/fast");
  }, 120_000);

  test("lets nothing through before it was shown, nor right after the selection changed", async () => {
    const both = [send("/first"), send("/second")];
    await page.waitForSelector(".queue-row >> nth=1");
    await shown("/first");
    const second = await page.locator(".queue-row", { hasText: "/second" }).getAttribute("href");
    await clickAndType(`document.querySelector('[href="${second}"]')`, "a");
    await shown("/second");
    expect(arrived).not.toContain("/second");
    await page.keyboard.press("d");
    await both[1]?.answer;
    await shown("/first");
    await page.keyboard.press("d");
    await both[0]?.answer;
    expect(arrived).not.toContain("/first");
  }, 120_000);

  test("a row that moves away under the pointer: the click shows another one, and answers none", async () => {
    const sent = ["/above", "/meant", "/below"].map((path) => send(path));
    await page.waitForSelector(".queue-row >> nth=2");
    const rows = await page.locator(".queue-row").allTextContents();
    const upper = rows.findIndex((row) => row.includes("POST"));
    const box = await page
      .locator(".queue-row")
      .nth(upper + 1)
      .boundingBox();
    if (box === null) throw new Error("no row");
    // The uppermost one leaves, and everything below it moves up or down.
    const nameOf = async (index: number) => (await page.locator(".queue-row").nth(index).textContent()) ?? "";
    const paths = ["/above", "/meant", "/below"];
    const first = paths.findIndex((path) => rows[upper]?.includes(path));
    await shown(paths[first] ?? "");
    const under = await nameOf(upper + 1);
    sent[first]?.kill();
    await eventually(
      () => nameOf(upper + 1),
      (name) => name.replace(/\d+:\d+/, "") !== under.replace(/\d+:\d+/, ""),
    );
    await clickAndType(`document.elementFromPoint(${box.x + 20}, ${box.y + 20}).closest("a")`, "a");
    await page.waitForSelector(".details button.allow:not([disabled])");
    for (const path of paths) expect(arrived).not.toContain(path);
    for (const each of sent) each.kill();
    await eventually(
      async () => (await gateway.control.call("approvals_list", {})).approvals.length,
      (count) => count === 0,
    );
  }, 100_000);

  test("shows a hostile request as text: no markup, no script, nothing reordered or hidden", async () => {
    const hostile = "/<img src=x onerror=document.title=1>";
    const body = `{"kind":"<script>document.title=2</script>","metadata":{"name":"</pre><b>x\u202egnp.exe\u200b"}}`;
    const sent = send(`${encodeURI("/").concat("hostile")}?q=${encodeURIComponent(hostile)}`, [
      "-H",
      "content-type: application/json",
      "-H",
      "x-note: <svg onload=document.title=3>",
      "--data-binary",
      body,
    ]);
    await page.waitForSelector(".queue-row");
    await shown("/hostile");
    const details = (await page.textContent(".details")) ?? "";
    expect(details).toContain("<script>document.title=2</script>");
    expect(details).toContain("<svg onload=document.title=3>");
    expect(details).toContain("\\u{202e}");
    expect(details).not.toContain("\u202e");
    expect(await page.$$(".details script, .details img, .details b b")).toEqual([]);
    expect(await page.title()).toBe("(1) iddio");
    await page.keyboard.press("d");
    await sent.answer;
  }, 120_000);

  test("the browser had nothing to complain of", () => {
    // A request may leave while the page asks about it.
    expect(opened.problems.filter((problem) => !problem.includes("409 (Conflict)"))).toEqual([]);
  });
});
