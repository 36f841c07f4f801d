// The control plane's page in a browser, under its own policy of content: whoever is not logged in
// is shown the way, a person decides what waits, and what a device calls itself is text and never
// markup.

import { expect, test } from "bun:test";
import { serverPage } from "../../src/server/ui/server-page.ts";
import { launchBrowser, withoutBrowser } from "../support/pages/console-page.ts";
import { ControlPlane } from "../support/server/control-plane.ts";
import { auditLine } from "../support/server/simulated-device.ts";
import { openTestDatabase } from "../support/server/test-database.ts";

const LONG = 120_000;
const HOSTILE = "<img src=x onerror=alert(1)>";

test(
  "a person who is logged in decides, and sees the fleet, the policy, the audit rows and the people",
  async () => {
    if (withoutBrowser("the control plane's page") !== undefined) return;
    await using plane = await ControlPlane.start(await openTestDatabase(), {
      domain: "localhost",
      page: serverPage,
    });
    const acme = await plane.tenant("acme");
    const olga = await plane.person(acme, "Olga", ["admin"]);
    const ada = await plane.person(acme, "Ada", ["approver"]);
    const device = await plane.device(acme, olga.id, HOSTILE);
    const held = await device.hold({ command: HOSTILE });
    await device.sendRows([auditLine({ command: "pods list" })]);
    const policy = "kubectl:\n  inspect: ['localhost:1']\n  default: deny\n";
    await plane.api(acme, olga.token, "POST", "/api/v1/revisions", { policy, note: "the first" });

    await using browser = await launchBrowser();
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("dialog", (dialog) => {
      problems.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("console", (message) => {
      if (/Content Security Policy|Trusted/.test(message.text())) problems.push(message.text());
    });
    const base = `http://${plane.hostOf(acme)}`;
    await page.goto(`${base}/`);
    await page.getByRole("link", { name: "Log in" }).waitFor();
    const domain = new URL(base).hostname;
    await page.context().addCookies([
      {
        name: "__Host-iddio",
        value: ada.session,
        domain,
        path: "/",
        secure: true,
        httpOnly: true,
        sameSite: "Lax",
      },
    ]);
    await page.reload();
    await page.getByText(HOSTILE).first().waitFor();
    await page.getByRole("button", { name: "Allow once" }).click();
    await page.getByText("Nothing waits").waitFor();
    const path = `/api/v1/approvals/${device.id}/${held.nonce}`;
    const { body } = await plane.api(acme, olga.token, "GET", path);
    expect([body.state, body.verb, body.decided_by]).toEqual(["decided", "allow", "Ada"]);
    for (const [name, text] of [
      ["fleet", HOSTILE],
      ["policy", "the first"],
      ["audit", "pods list"],
      ["people", "Olga"],
    ] as const) {
      await page.goto(`${base}/#/${name}`);
      await page.getByText(text).first().waitFor();
    }
    // An approver is not offered what he may not do.
    expect(await page.getByRole("button", { name: "Publish" }).count()).toBe(0);
    expect(problems).toEqual([]);
  },
  LONG,
);
