// Every page of the console in a real browser, with 10,000 rows of audit and 200 requests that
// wait: quick, without a violation that axe knows, usable by keys alone, harmless whatever was
// sent.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { parseArgv } from "../../../src/cli/kit/parse-argv.ts";
import { COMMANDS } from "../../../src/cli/registry.ts";
import { eventually } from "../../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../../support/gateway.ts";
import type { McpClient } from "../../support/mcp/mcp-client.ts";
import {
  type ConsolePage,
  launchBrowser,
  openConsole,
  withoutBrowser,
} from "../../support/pages/console-page.ts";
import { seeMcpServer, writeRecordings, writeUndoEntries } from "../../support/pages/console-world.ts";
import { PROJECT_ROOT, sourceFiles } from "../../support/source-files.ts";
import { connectRaw, type RawClient } from "../../support/wire/proxy-client.ts";

const POLICY = `# Kept by every edit.
generic:
  inspect: ["127.0.0.1:*"]
  default: escalate
  groups:
    read: { tiers: [observe] } # reads
    write: { tiers: [modify] }
  rules:
    allow: { groups: [read] }
`;
const PAGES = [
  "approvals",
  "activity",
  "policy",
  "policy/yaml",
  "policy/history",
  "observe",
  "inspect",
  "recordings",
  "recordings/sess_0c11a9e4",
  "undo",
  "undo/undo_7f2c01aa",
  "runs",
  "mcp",
  "mcp/tracker",
  "settings",
];

const skipped = withoutBrowser("the tests of the console's pages");
const AXE = readFileSync(join(PROJECT_ROOT, "node_modules/axe-core/axe.min.js"), "utf8");

let gateway: GatewayProcess;
let browser: Browser;
let opened: ConsolePage;
let page: Page;
let server: McpClient;

beforeAll(async () => {
  if (skipped !== undefined) return;
  gateway = await startGatewayProcess({ policy: POLICY, settings: "approval_timeout: 5m\n" });
  const now = Date.now();
  const rows = Array.from({ length: 10_000 }, (_, index) => ({
    timestamp_ms: now - (10_000 - index) * 1_000,
    op: "mitm",
    hash: index.toString(16).padStart(32, "0"),
    fields: {
      host: "<b>host</b>.example",
      method: "GET",
      path: `/p/${index}`,
      protocol: "generic",
      tier: "observe",
      decision: index % 3 === 0 ? "deny" : "allow",
      outcome: index % 3 === 0 ? "refused" : "allowed",
      command: index === 77 ? "needle\u202e" : "GET",
    },
  }));
  appendFileSync(join(gateway.home, "audit.jsonl"), `${rows.map((row) => JSON.stringify(row)).join("\n")}\n`);
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

/** The rules of axe that see colours; no other sees whether the page is light or dark. */
const OF_COLOURS = { type: "rule", values: ["color-contrast", "link-in-text-block"] };

/** Rows of a long list: what axe finds in one of them, it finds in the first ten of their kind. */
const ALIKE = { exclude: [[".log > li:nth-child(n+11)"], [".queue-list > li:nth-child(n+11)"]] };

/** axe's findings, as `rule: first place`. */
async function violations(runOnly?: typeof OF_COLOURS): Promise<string[]> {
  if (await page.evaluate(`typeof axe === "undefined"`)) await page.evaluate(AXE);
  const options = JSON.stringify({ resultTypes: ["violations"], runOnly });
  const found = (await page.evaluate(
    `axe.run(${JSON.stringify(ALIKE)}, ${options}).then((r) => r.violations.map((v) => v.id + ": " + v.nodes[0].target.join(" ") + " " + v.nodes[0].failureSummary))`,
  )) as string[];
  return found;
}

test("every command line that a page shows is one that the program takes", () => {
  const lines = sourceFiles("src/features/console/app").flatMap(({ text }) =>
    [...text.matchAll(/line=(?:"(iddio [^"]*)"|'(iddio [^']*)')/g)].map(
      (match) => match[1] ?? match[2] ?? "",
    ),
  );
  expect(lines.length).toBeGreaterThan(8);
  for (const line of lines) {
    const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "").slice(1);
    const command = COMMANDS.filter(({ name }) => ` ${words.join(" ")} `.startsWith(` ${name} `)).sort(
      (a, b) => b.name.length - a.name.length,
    )[0];
    expect(command?.name, line).toBeDefined();
    if (command === undefined) continue;
    expect(() => parseArgv(command, words.slice(command.name.split(" ").length)), line).not.toThrow();
  }
});

describe.skipIf(skipped !== undefined)("the pages", () => {
  for (const where of PAGES)
    test(`${where} is there at once, and axe has nothing to say, light and dark`, async () => {
      await goTo("approvals");
      await page.waitForSelector('nav a[aria-current="page"]:has-text("Approvals")');
      const started = performance.now();
      await goTo(where);
      await page.waitForSelector(`main h1`);
      expect(performance.now() - started).toBeLessThan(3_000);
      for (const [colorScheme, rules] of [["light"], ["dark", OF_COLOURS]] as const) {
        await page.emulateMedia({ colorScheme });
        await opened.settled();
        expect(await violations(rules)).toEqual([]);
      }
    }, 120_000);

  test("the audit log is searched, opened, and read on when it is scrolled", async () => {
    await goTo("activity");
    await page.waitForSelector(".log-line >> nth=50");
    expect(await page.textContent(".log")).toContain("<b>host</b>.example");
    await page.locator(".more").scrollIntoViewIfNeeded();
    await page.waitForSelector(".log-line >> nth=150");
    await page.fill('.filters input[type="search"] >> nth=0', "needle");
    await page.waitForSelector('.log-line:has-text("needle")');
    await eventually(
      () => page.locator(".log-line").count(),
      (count) => count === 1,
    );
    await page.click(".log-line");
    const all = (await page.textContent(".log-all")) ?? "";
    expect(all).toContain("needle\\u{202e}");
    expect(all).not.toContain("\u202e");
    await page.click('button:has-text("Clear")');
  }, 120_000);

  test("a rule is written in the form, reviewed and saved; comments stay; what changed on disk meanwhile is not lost", async () => {
    await goTo("policy/form");
    await page.selectOption('select[aria-label="write, everywhere"]', "deny");
    await page.click('button:has-text("Review and save")');
    await page.waitForSelector('dialog:has-text("It lets through no more than before")');
    await page.click('dialog button.primary:has-text("Save")');
    await page.waitForSelector("dialog", { state: "detached" });
    const file = join(gateway.home, "policy.yaml");
    const saved = readFileSync(file, "utf8");
    expect(saved).toContain("# Kept by every edit.");
    expect(saved).toContain("# reads");
    expect(saved).toMatch(/deny:\s*\n?\s*\{?\s*groups: \[\s*write\s*\]/);
    await page.selectOption('select[aria-label="write, everywhere"]', "allow");
    await Bun.write(file, `${saved}\n# by somebody else\n`);
    await page.click('button:has-text("Review and save")');
    await page.waitForSelector('dialog:has-text("It lets through more than before")');
    await page.click('dialog button.primary:has-text("Save")');
    await page.waitForSelector('dialog:has-text("was changed meanwhile")');
    expect(readFileSync(file, "utf8")).toContain("# by somebody else");
    await page.click('dialog button:has-text("Take the one on disk")');
    await goTo("policy/history");
    await page.waitForSelector(".versions li >> nth=1");
  }, 120_000);

  test("problems are shown at their line as one types, and nothing that does not load can be saved", async () => {
    await goTo("policy/yaml");
    await page.click(".cm-content");
    await page.keyboard.press("Control+End");
    await page.keyboard.type("\nkubectl:\n  defautl: allow\n");
    await page.waitForSelector(".problem-list li");
    expect(await page.textContent(".problem-list")).toContain("defautl");
    expect(await page.isDisabled('button:has-text("Review and save")')).toBe(true);
    await page.click('button:has-text("Discard")');
  }, 120_000);

  test("an observe session is started and stopped, a host is tried and pinned, a setting is changed", async () => {
    await goTo("observe");
    await page.click('button:has-text("15 minutes")');
    await page.waitForSelector(".banner");
    await page.click('button:has-text("Stop now")');
    await page.waitForSelector('main:has-text("Start a session for")');
    await goTo("inspect");
    await page.fill("#try-host", "api.example.com");
    await page.keyboard.press("Enter");
    await page.waitForSelector('.try-host:has-text("no entry of the inspect list covers it")');
    await page.fill('input[aria-label="Host to pin"]', "api.example.com");
    await page.keyboard.press("Enter");
    await page.waitForSelector('.lines:has-text("api.example.com")');
    await goTo("settings");
    await page.fill("#setting-approval_timeout", "4m");
    await page.click(".settings button");
    await page.waitForSelector('.toast:has-text("approval_timeout is 4m")');
    expect((await gateway.run(["settings", "get"])).stdout).toMatch(/approval_timeout +4m/);
  }, 120_000);

  test("a recording is played, and nothing of it reaches the page but its canvas and its text", async () => {
    await goTo("recordings");
    await page.click('.record-line:has-text("sh payments/api")');
    await page.click(".record-start button");
    await page.waitForSelector(".ap-player canvas");
    await eventually(
      () => page.textContent(".ap-player .ap-term-text"),
      (text) => text?.includes("<img src=x onerror=document.title=9>") === true,
    );
    expect(await page.title()).toBe("iddio");
    expect(await page.$$(".record img, .record script")).toEqual([]);
    expect(await violations()).toEqual([]);
    const rows = await gateway.rowsWhen((all) => all.some(({ fields }) => fields.command === "session read"));
    expect(rows.find(({ fields }) => fields.command === "session read")?.fields).toMatchObject({
      principal: "console",
    });
  }, 120_000);

  test("a change shows its fields, its conflict and no secret, and is forgotten", async () => {
    await goTo("undo/undo_7f2c01aa");
    await page.waitForSelector('.since.is-conflict:has-text("spec.replicas")');
    expect(await page.textContent(".record .effect")).toContain("spec.replicas");
    await goTo("undo/undo_1d4e55f0");
    await page.waitForSelector('.record .effect:has-text("data.key")');
    const text = (await page.textContent("main")) ?? "";
    expect(text).not.toContain("Y2FuYXJ5");
    expect(text).not.toContain("canary-secret");
    await page.click('.record button:has-text("Forget it")');
    await eventually(
      () => page.locator(".record-line").count(),
      (count) => count === 2,
    );
  }, 120_000);

  test("an MCP server's change is shown as text, accepted one thing at a time, and refused once it is another", async () => {
    await goTo("mcp/tracker");
    await page.waitForSelector('.waiting:has-text("close_issue")');
    const text = (await page.textContent("main")) ?? "";
    expect(text).toContain("<b>IMPORTANT</b>");
    expect(text).toContain("\\u{200b}");
    expect(await page.$$(".waiting pre b")).toEqual([]);
    await page.click('button[aria-label="Accept Its instructions"]');
    await page.waitForSelector('.waiting:has-text("Its instructions")', { state: "detached" });
    // Accepted elsewhere meanwhile: what this page showed no longer waits.
    expect((await gateway.run(["mcp", "review", "tracker", "--accept"])).code).toBe(0);
    await page.click('button[aria-label="Accept tool close_issue"]');
    await page.waitForSelector('.toast.bad:has-text("has changed since it was shown")');
    await page.click('button:has-text("Read it again")');
    await page.waitForSelector(".waiting", { state: "detached" });
  }, 120_000);

  test("two hundred requests wait, and are moved through with keys alone", async () => {
    const clients = Array.from({ length: 20 }, (_, part) =>
      Bun.spawn(
        [
          "curl",
          "-s",
          "--parallel",
          "--parallel-immediate",
          "--parallel-max",
          "10",
          "-x",
          `http://${gateway.listen}`,
          "-X",
          "DELETE",
          `http://127.0.0.1:1/${part}/[1-10]`,
        ],
        { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
      ),
    );
    try {
      await goTo("approvals");
      await page.waitForSelector(".queue-row >> nth=199", { timeout: 90_000 });
      // One command of ten requests is one group.
      await page.waitForSelector(".group:has-text('asks 10 times')", { timeout: 90_000 });
      await page.waitForSelector("button.allow:not([disabled])");
      const first = await page.textContent(".details .command");
      await page.keyboard.press("j");
      await eventually(
        () => page.textContent(".details .command"),
        (text) => text !== first,
      );
      await page.keyboard.press("?");
      await page.waitForSelector('dialog:has-text("next request")');
      await page.keyboard.press("Escape");
      await page.waitForSelector("dialog", { state: "detached" });
      expect(await violations()).toEqual([]);
    } finally {
      for (const client of clients) client.kill();
    }
    await eventually(
      async () => (await gateway.control.call("approvals_list", {})).approvals.length,
      (count) => count === 0,
    );
  }, 120_000);

  test("as many wait as the daemon admits: the page is moved through and answers the one that is shown", async () => {
    // One process may have half of the thousand places; more are refused at once.
    const clients = await Promise.all(Array.from({ length: 600 }, () => connectRaw(gateway.port)));
    try {
      for (const [index, client] of clients.entries())
        client.send(`DELETE http://127.0.0.1:1/most/${index} HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n`);
      const isAnswered = ({ received }: RawClient) => received.includes("\r\n\r\n");
      const list = async () => (await gateway.control.call("approvals_list", {})).approvals;
      const held = await eventually(
        list,
        (all) => all.length + clients.filter(isAnswered).length === clients.length,
        90_000,
      );
      expect(held.length).toBeGreaterThanOrEqual(500);
      for (const client of clients.filter(isAnswered)) expect(client.received).toMatch(/^HTTP\/1\.1 403/);
      await goTo("approvals");
      // The system tells a moment later that one process asks.
      await page.waitForSelector(`.group:has-text("asks ${held.length} times")`, { timeout: 90_000 });
      await page.click(".group .queue-row");
      // Keys go where the list is, and what they select is in sight.
      for (let step = 0; step < 12; step += 1) await page.keyboard.press("j");
      await page.waitForSelector("button.allow:not([disabled])", { timeout: 90_000 });
      const shown = (await page.textContent(".details .facts .mono")) ?? "";
      const sight = `(() => { const { top, bottom } = document.querySelector(".queue-row.is-selected").getBoundingClientRect(); return top > -1 && bottom < innerHeight + 1; })()`;
      await eventually(() => page.evaluate(sight), Boolean, 30_000);
      await page.keyboard.press("d");
      const path = /\/most\/\d+/.exec(shown)?.[0] ?? "";
      const index = Number(path.split("/").at(-1));
      await clients[index]?.until("denied");
      const left = await list();
      expect(left.length).toBe(held.length - 1);
      expect(left.map((each) => each.path)).not.toContain(path);
    } finally {
      for (const { socket } of clients) socket.destroy();
    }
    // On a busy machine it may answer nobody while it withdraws them all.
    const left = () => gateway.control.call("approvals_list", {}).catch(() => undefined);
    await eventually(left, (answer) => answer?.approvals.length === 0);
  }, 118_000);

  test("the browser had nothing to complain of", () => {
    // A change of an object that was changed meanwhile is refused with a 409, which the browser counts as a
    // problem.
    expect(opened.problems.filter((each) => !each.includes("409"))).toEqual([]);
  });

  test("when the daemon has gone, the page says so and goes on once there is a session again", async () => {
    await gateway.kill("SIGTERM");
    await page.waitForSelector('.connection:has-text("The daemon is away")', { timeout: 90_000 });
  }, 120_000);
});
