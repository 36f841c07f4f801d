// Large, hostile and failing things in the real page: ten thousand headers, a body of a megabyte, a
// log of six hundred megabytes, a narrow screen, a session that ends, a daemon that starts again.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync, closeSync, openSync, truncateSync, writeSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { ConsoleSessions } from "../../../src/features/console/console-sessions.ts";
import { eventually } from "../../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../../support/gateway.ts";
import type { McpClient } from "../../support/mcp/mcp-client.ts";
import {
  type ConsolePage,
  launchBrowser,
  openConsole,
  withoutBrowser,
} from "../../support/pages/console-page.ts";
import {
  seeMcpServer,
  writeAuditDay,
  writeRecordings,
  writeUndoEntries,
} from "../../support/pages/console-world.ts";

const POLICY = `generic:
  inspect: ["127.0.0.1:*"]
  default: escalate
  groups: { read: { tiers: [observe] }, write: { tiers: [modify] } }
  rules: { allow: { groups: [read] } }
`;

const skipped = withoutBrowser("the tests of what is hostile to the console");

let gateway: GatewayProcess;
let browser: Browser;
let opened: ConsolePage;
let page: Page;
let server: McpClient;

beforeAll(async () => {
  if (skipped !== undefined) return;
  gateway = await startGatewayProcess({ policy: POLICY, settings: "approval_timeout: 5m\n" });
  writeAuditDay(gateway.home);
  writeRecordings(gateway.home);
  await writeUndoEntries(gateway.home);
  server = await seeMcpServer(gateway);
  browser = await launchBrowser();
  opened = await openConsole(await browser.newContext(), gateway);
  ({ page } = opened);
}, 120_000);

afterAll(async () => {
  if (skipped !== undefined) return;
  await browser.close();
  await server[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
}, 120_000);

const goTo = (where: string) => page.evaluate(`location.hash = ${JSON.stringify(`#/${where}`)}`);

/** Sends a request as it is and keeps it waiting. */
function send(head: readonly string[], body = ""): Socket {
  const socket = connect(gateway.port, "127.0.0.1", () =>
    socket.write(`${head.join("\r\n")}\r\n\r\n${body}`),
  );
  socket.on("error", () => undefined);
  return socket;
}

test("a token is worth a minute and a session twelve hours, by a clock that nobody sets", () => {
  let now = 0;
  const sessions = new ConsoleSessions(() => now);
  const opener = { chain: undefined, mayDecide: true };
  const late = sessions.issue(opener);
  now += 60_000;
  expect(sessions.open(late)).toBeUndefined();
  const session = sessions.open(sessions.issue(opener));
  const secret = session?.secret ?? "";
  now += 12 * 3_600_000 - 1;
  expect(sessions.find(secret)?.id).toBe(session?.session.id);
  expect(sessions.find(`${secret.slice(0, -1)}${secret.endsWith("0") ? "1" : "0"}`)).toBeUndefined();
  now += 1;
  expect(sessions.find(secret)).toBeUndefined();
  expect(session?.session.ended.aborted).toBe(true);
});

describe.skipIf(skipped !== undefined)("the console", () => {
  test("shows as many headers as a request may have, with everything that is hidden in them written out", async () => {
    const fields = (count: number) =>
      Array.from({ length: count }, (_, index) => `x-${index}: <b>${index}</b>`);
    const head = (path: string, count: number) => [
      `POST http://127.0.0.1:1${path} HTTP/1.1`,
      "Host: 127.0.0.1:1",
      "Content-Length: 0",
      ...fields(count),
    ];
    const many = send(head("/many", 10_000));
    const answer = new Promise<string>((resolve) => many.once("data", (chunk) => resolve(String(chunk))));
    const most = send(head("/most", 250));
    await goTo("approvals");
    // Ten thousand are more than a request may have; if they are let in, they are shown.
    const isHeld = await Promise.race([
      answer.then(() => false),
      page.waitForSelector('.queue-row:has-text("/many")').then(() => true),
    ]);
    if (!isHeld) expect(await answer).toMatch(/^HTTP\/1\.1 (?:431|400|413)/);
    for (const path of isHeld ? ["/many", "/most"] : ["/most"]) {
      await page.click(`.queue-row:has-text("${path}")`);
      const started = performance.now();
      await page.waitForSelector(`.details:has-text("${path}") button.allow:not([disabled])`);
      expect(performance.now() - started).toBeLessThan(10_000);
      expect(await page.textContent(".header-fields")).toContain(`<b>${path === "/many" ? 9_999 : 249}</b>`);
      expect(await page.$$(".header-fields b")).toEqual([]);
    }
    many.destroy();
    most.destroy();
  }, 120_000);

  test("shows a body of a megabyte, whole or with what was left out named, and stays quick", async () => {
    const body = JSON.stringify({ kind: "\u202eevil\u0007", data: "<img src=x onerror=1>".repeat(49_000) });
    const socket = send(
      [
        "POST http://127.0.0.1:1/large HTTP/1.1",
        "Host: 127.0.0.1:1",
        "Content-Type: application/json",
        `Content-Length: ${Buffer.byteLength(body)}`,
      ],
      body,
    );
    await page.waitForSelector('.queue-row:has-text("/large")');
    const started = performance.now();
    await page.click('.queue-row:has-text("/large")');
    await page.waitForSelector('.details:has-text("/large") button.allow:not([disabled])');
    expect(performance.now() - started).toBeLessThan(10_000);
    const shown = (await page.textContent("pre.body")) ?? "";
    expect(shown).toContain("\\u{202e}evil");
    expect(shown).not.toContain("\u202e");
    expect(shown).toContain("more characters");
    expect(await page.$$("pre.body img")).toEqual([]);
    socket.destroy();
    await page.waitForSelector('.queue-row:has-text("/large") .left:has-text("client left")');
  }, 120_000);

  const NARROW = [
    "approvals",
    "activity",
    "policy/form",
    "policy/yaml",
    "observe",
    "inspect",
    "recordings/sess_0c11a9e4",
    "undo/undo_7f2c01aa",
    "runs",
    "mcp/tracker",
    "settings",
  ];
  test("is read at 320 pixels without scrolling sideways, every page", async () => {
    await page.setViewportSize({ width: 320, height: 640 });
    const wide: string[] = [];
    for (const where of NARROW) {
      await goTo(where);
      await page.waitForSelector("main h1:visible, main .details:visible");
      await opened.settled();
      const [content, room] = (await page.evaluate(
        `[document.querySelector("main").scrollWidth, document.querySelector("main").clientWidth]`,
      )) as [number, number];
      if (content > room) wide.push(`${where}: ${content} > ${room}`);
    }
    expect(wide).toEqual([]);
    await page.setViewportSize({ width: 1280, height: 800 });
  }, 120_000);

  test("writes out what cannot be seen wherever it is drawn: chips, tooltips, problems, the editor", async () => {
    const hidden = `(() => {
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const found = [];
      while (texts.nextNode()) found.push(texts.currentNode.data);
      for (const each of document.querySelectorAll("[title], [aria-label]"))
        found.push(each.title, each.getAttribute("aria-label") ?? "");
      return found.filter((text) => text.includes("\\u202e"));
    })()`;
    await goTo("policy/form");
    await page.fill('input[aria-label="Command of a rule for generic"]', "etag\u202ella");
    await page.click('button:has-text("Add a rule")');
    await page.waitForSelector('.chip:has-text("etag\\\\u{202e}lla")');
    expect(await page.evaluate(hidden)).toEqual([]);
    await goTo("policy/yaml");
    await page.waitForSelector('.cm-content .escaped:has-text("\\\\u{202e}")');
    expect(await page.evaluate(hidden)).toEqual([]);
    // A rule that was added can be taken away again.
    await goTo("policy/form");
    await page.click(".chip:has(.escaped) button");
    await page.waitForSelector(".chip:has(.escaped)", { state: "detached" });
    await page.click('button:has-text("Discard")');
  }, 110_000);

  test("scrolls a log of six hundred megabytes, and finds the one row in it that fits", async () => {
    const path = join(gateway.home, "audit.jsonl");
    const now = Date.now();
    const row = (index: number, command: string) =>
      `${JSON.stringify({
        timestamp_ms: now,
        op: "mitm",
        hash: index.toString(16).padStart(32, "0"),
        fields: {
          command,
          host: "h.example",
          method: "GET",
          path: `/${"p".repeat(300)}`,
          outcome: "allowed",
          tier: "observe",
        },
      })}\n`;
    appendFileSync(path, row(1, "needle-of-long-ago"));
    const block = Buffer.from(
      Array.from({ length: 8_000 }, (_, index) => row(index + 2, "pods get")).join(""),
    );
    const file = openSync(path, "a");
    for (let written = 0; written < 600_000_000; written += block.length) writeSync(file, block);
    closeSync(file);
    try {
      const started = performance.now();
      await goTo("activity");
      await page.waitForSelector(".log-line >> nth=50");
      expect(performance.now() - started).toBeLessThan(30_000);
      for (let pageful = 0; pageful < 4; pageful += 1) {
        const before = await page.locator(".log-line").count();
        const at = performance.now();
        await page.locator(".more").scrollIntoViewIfNeeded();
        await page.waitForSelector(`.log-line >> nth=${before}`);
        expect(performance.now() - at).toBeLessThan(3_000);
      }
      await page.fill('.filters input[type="search"] >> nth=0', "needle-of-long-ago");
      // While it looks for it, the proxy goes on.
      await page.waitForSelector(".more:has-text('Reading')");
      const asked = performance.now();
      expect((await gateway.run(["status", "--json"])).code).toBe(0);
      expect(performance.now() - asked).toBeLessThan(30_000);
      await page.waitForSelector('.log-line:has-text("needle-of-long-ago")', { timeout: 90_000 });
      await page.click('button:has-text("Clear")');
    } finally {
      await goTo("approvals");
      truncateSync(path, 0);
    }
  }, 180_000);

  test("goes on after the daemon was started again only with a new session, and says so", async () => {
    await gateway.control.call("console_revoke", {});
    await page.waitForSelector('main:has-text("This session has ended")', { timeout: 90_000 });
    expect(await page.textContent("main")).toContain("iddio console");
    await page.reload();
    await page.waitForSelector('main:has-text("This page needs a session")');
    expect(await page.evaluate("sessionStorage.length + document.cookie.length")).toBe(0);
  }, 120_000);

  test("leaves no token in the address, the history or what another page is told", async () => {
    const { page: fresh } = await openConsole(await browser.newContext(), gateway);
    expect(fresh.url()).not.toMatch(/[0-9a-f]{64}/);
    await fresh.goBack().catch(() => undefined);
    expect(fresh.url()).not.toMatch(/[0-9a-f]{64}/);
    await fresh.goForward().catch(() => undefined);
    expect(await fresh.evaluate("document.referrer + JSON.stringify(history.state)")).not.toMatch(
      /[0-9a-f]{64}/,
    );
    // Every request that the page made went to its own origin.
    const names = (await fresh.evaluate(
      `performance.getEntriesByType("resource").map(({ name }) => name)`,
    )) as string[];
    expect(names.filter((name) => new URL(name).origin !== new URL(fresh.url()).origin)).toEqual([]);
    await fresh.close();
  }, 120_000);

  test("the browser complained of nothing but the end of the session", () => {
    expect(opened.problems.filter((each) => !/401|409/.test(each))).toEqual([]);
  });

  test("waits where nobody asks", async () => {
    await eventually(
      async () => (await gateway.control.call("approvals_list", {})).approvals.length,
      (count) => count === 0,
    );
  }, 120_000);
});
