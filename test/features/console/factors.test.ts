// Deciding in the page with a factor: a passkey (Chromium's virtual authenticator) and codes, set
// up and used in the console of the compiled program, whose daemon runs as a user. What nobody
// touched for goes nowhere.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, CDPSession, Page } from "playwright-core";
import { decodeBase32, totpCode } from "../../../src/features/guard/totp.ts";
import { eventually } from "../../support/eventually.ts";
import { type GuardedGateway, guardedGateway } from "../../support/guarded-gateway.ts";
import { launchBrowser, withoutBrowser } from "../../support/pages/console-page.ts";

const IS_ROOT = process.getuid?.() === 0;
const skipped =
  withoutBrowser("the tests of touches in the console") ??
  (IS_ROOT ? undefined : "the first factor needs root, and the tests are not root");

let gateway: GuardedGateway;
let browser: Browser;
let page: Page;
let devtools: CDPSession;
let authenticator: string;

/** A console that a person's terminal opened. */
async function open(): Promise<Page> {
  const fresh = await (await browser.newContext()).newPage();
  const { text } = await gateway.inTerminal("iddio console --no-open");
  await fresh.goto(/http:\/\/localhost:\d+\/#[0-9a-f]{64}/.exec(text)?.[0] ?? "");
  await fresh.waitForSelector(".shell h1");
  return fresh;
}

const goTo = (where: string) => page.evaluate(`location.hash = ${JSON.stringify(`#/${where}`)}`);

async function shown(path: string): Promise<void> {
  await goTo("approvals");
  await page.click(`.queue-row:has-text("${path}")`);
  await page.waitForSelector(`.details:has-text("${path}") button.allow:not([disabled])`);
}

/** Whether a finger is there at once. */
const setFinger = (enabled: boolean) =>
  devtools.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId: authenticator, enabled });

const arrival = (path: string) =>
  eventually(
    async () => gateway.arrived,
    (paths) => paths.includes(path),
  );

/** Does as root what the dialog on the page asks for. */
async function asRoot(): Promise<void> {
  const line = (await page.textContent('dialog:has-text("This needs root once") code')) ?? "";
  const path = line.split(" touch ")[1] ?? "";
  expect(Bun.spawnSync(["/usr/bin/touch", path]).success).toBe(true);
  await page.click('button:has-text("I have run it")');
}

beforeAll(async () => {
  if (skipped !== undefined) return;
  browser = await launchBrowser();
}, 120_000);

afterAll(async () => {
  if (skipped === undefined) await browser.close();
}, 120_000);

describe.skipIf(skipped !== undefined)("with a passkey", () => {
  beforeAll(async () => {
    gateway = await guardedGateway("");
    page = await open();
    devtools = await page.context().newCDPSession(page);
    await devtools.send("WebAuthn.enable");
    ({ authenticatorId: authenticator } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    }));
  }, 120_000);
  afterAll(() => gateway[Symbol.asyncDispose](), 60_000);

  test("it is set up in the page, after root has said so once; the recovery codes are shown", async () => {
    await goTo("settings");
    await page.click('button:has-text("Set up a passkey")');
    await page.waitForSelector('dialog:has-text("This needs root once")');
    expect((await gateway.iddio(["guard", "status"])).text).toMatch(/guard +session/);
    await asRoot();
    await page.waitForSelector('dialog:has-text("Recovery codes")');
    expect((await page.textContent("dialog pre"))?.match(/([0-9a-f]{4}-){7}[0-9a-f]{4}/g)).toHaveLength(8);
    await page.click('button:has-text("I have kept them")');
    expect((await gateway.iddio(["guard", "status"])).text).toMatch(/guard +passkey\nlevel +L1/);
  }, 120_000);

  test("one touch allows one request, and the row says so", async () => {
    const id = await gateway.hold("/touched");
    await shown("/touched");
    await page.keyboard.press("a");
    await arrival("/touched");
    const rows = JSON.parse((await gateway.iddio(["audit", "show", "--op", "control", "--json"])).text) as {
      fields: Record<string, unknown>;
    }[];
    expect(rows.find(({ fields }) => fields.approval_id === id)?.fields).toMatchObject({
      principal: "console",
      factor: "passkey",
      level: "L1",
    });
  }, 120_000);

  test("the dialog says what the touch is for; nothing goes without it, and nothing after it was cancelled", async () => {
    await setFinger(false);
    await gateway.hold("/untouched");
    await shown("/untouched");
    await page.keyboard.press("a");
    await page.waitForSelector('dialog:has-text("Touch your passkey")');
    await page.waitForSelector('dialog .facts:has-text("/untouched")');
    expect(gateway.arrived).not.toContain("/untouched");
    await page.click('dialog button:has-text("Cancel")');
    await page.waitForSelector("dialog", { state: "detached" });
    await page.waitForSelector(".toast.bad");
    expect(gateway.arrived).not.toContain("/untouched");
    await setFinger(true);
    await shown("/untouched");
    await page.keyboard.press("d");
    await eventually(
      async () => (await gateway.iddio(["approval", "list", "--json"])).text,
      (text) => !text.includes("/untouched"),
    );
    expect(gateway.arrived).not.toContain("/untouched");
  }, 120_000);

  test("a page of the agent with the same authenticator signs nothing: the touch is this origin's and this question's", async () => {
    await gateway.hold("/other-origin");
    const evil = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => new Response("<p>dev server</p>", { headers: { "content-type": "text/html" } }),
    });
    try {
      const origin = new URL(page.url()).origin;
      const other = await page.context().newPage();
      await other.goto(`http://localhost:${evil.port}/`);
      // Another port of localhost is same-site and has the same rpId; it may neither read, nor write, nor frame.
      const tried = (await other.evaluate(`(async () => {
        const results = [];
        for (const [method, path] of [["GET", "/v1/status"], ["POST", "/v1/approvals/allow"], ["POST", "/session"], ["GET", "/"]])
          results.push(await fetch("${origin}" + path, {
            method, credentials: "include", mode: "cors",
            ...(method === "POST" ? { headers: { "content-type": "application/json" }, body: "{}" } : {}),
          }).then((r) => r.status, () => "refused"));
        results.push(await fetch("${origin}/v1/approvals/allow", { method: "POST", mode: "no-cors", body: "{}" }).then((r) => r.type, () => "refused"));
        results.push(await new Promise((resolve) => {
          const frame = document.createElement("iframe");
          frame.src = "${origin}/";
          frame.onload = () => { try { resolve(frame.contentDocument === null ? "closed" : frame.contentDocument.body.innerText); } catch { resolve("closed"); } };
          document.body.append(frame);
        }));
        results.push(window.open("${origin}/") === null ? "no window" : "window without a session");
        return results;
      })()`)) as unknown[];
      expect(tried.slice(0, 5)).toEqual(["refused", "refused", "refused", "refused", "refused"]);
      expect(tried[5]).toBe("closed");
      for (const each of page.context().pages())
        if (each !== page && each !== other) {
          await each.waitForSelector("main");
          expect(await each.textContent("main")).toContain("needs a session");
          await each.close();
        }
      await other.close();
    } finally {
      await evil.stop(true);
      await page.bringToFront();
    }
    expect(gateway.arrived).not.toContain("/other-origin");
    await shown("/other-origin");
    await page.keyboard.press("d");
  }, 120_000);

  test("recordings wait for the button, and its touch opens the list", async () => {
    await goTo("recordings");
    await page.waitForSelector('button:has-text("Show the recordings")');
    expect(await page.textContent("main")).not.toContain("Nothing was recorded yet");
    await page.click('button:has-text("Show the recordings")');
    await page.waitForSelector('main:has-text("Nothing was recorded yet")');
  }, 120_000);
});

describe.skipIf(skipped !== undefined)("with codes", () => {
  let secret: Uint8Array;
  let used = 0;

  /** A code that was not used yet. */
  const code = async (): Promise<string> => {
    for (;;) {
      const present = Math.floor(Date.now() / 30_000);
      const counter = Math.max(used + 1, present);
      if (counter <= present + 1) {
        used = counter;
        return totpCode(secret, counter);
      }
      await Bun.sleep(500);
    }
  };

  beforeAll(async () => {
    gateway = await guardedGateway("");
    const program = gateway.rootTerminal([gateway.binary, "guard", "enroll", "totp"]);
    await program.until(() => program.written.includes("shows now"));
    const found = /secret=([A-Z2-7]+)/.exec(program.written.replaceAll(/\r?\n/g, ""))?.[1];
    secret = decodeBase32(found ?? "") ?? new Uint8Array();
    program.type(`${await code()}\n`);
    expect(await program.exited).toBe(0);
    page = await open();
  }, 180_000);
  afterAll(() => gateway[Symbol.asyncDispose](), 60_000);

  test("a wrong code lets nothing through, the right one does, and serves a minute for what is no riskier", async () => {
    await gateway.hold("/coded");
    await shown("/coded");
    await page.keyboard.press("a");
    await page.waitForSelector('dialog:has-text("needs a code")');
    await page.keyboard.type("000000");
    await page.keyboard.press("Enter");
    await page.waitForSelector('dialog:has-text("not right")');
    expect(gateway.arrived).not.toContain("/coded");
    await page.fill("dialog input.code", await code());
    await page.keyboard.press("Enter");
    await arrival("/coded");
    await gateway.hold("/again");
    await shown("/again");
    await page.keyboard.press("a");
    await arrival("/again");
    // Another tab is another session: it is asked.
    const other = await open();
    await gateway.hold("/elsewhere");
    await other.waitForSelector('.details:has-text("/elsewhere") button.allow:not([disabled])');
    await other.keyboard.press("a");
    await other.waitForSelector('dialog:has-text("needs a code")');
    await other.keyboard.press("Escape");
    expect(gateway.arrived).not.toContain("/elsewhere");
    await other.close();
  }, 120_000);

  test("what widens asks every time: the code of a moment ago does not do", async () => {
    await goTo("settings");
    await page.fill("#setting-approval_timeout", "9m");
    await page.click(".settings button");
    await page.waitForSelector('dialog:has-text("needs a code")');
    await page.keyboard.press("Escape");
    await page.waitForSelector(".toast.bad");
    expect((await gateway.iddio(["settings", "get"])).text).toMatch(/approval_timeout +5m/);
  }, 120_000);
});
