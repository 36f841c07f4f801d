// A session that lasts, with a real kubectl and the stand-in cluster: watched in the console while
// the agent is at it, and ended there.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { findClient, startClient } from "../../support/clients.ts";
import { type Cluster, startCluster } from "../../support/cluster/cluster.ts";
import { kubeconfigText } from "../../support/cluster/kubeconfig-text.ts";
import { eventually } from "../../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../../support/gateway.ts";
import { launchBrowser, openConsole, withoutBrowser } from "../../support/pages/console-page.ts";

const POLICY = `
kubectl:
  inspect: ["*.eks.amazonaws.com"]
  default: escalate
  groups:
    read: { tiers: [observe] }
    worst: { tiers: [break-glass] }
  rules:
    allow: { groups: [read, worst] }
`;

const kubectl = findClient("kubectl");
const skipped =
  withoutBrowser("the console's live recordings") ?? (kubectl === undefined ? "no kubectl" : undefined);

let cluster: Cluster;
let gateway: GatewayProcess;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  if (skipped !== undefined) return;
  cluster = await startCluster();
  gateway = await startGatewayProcess({ policy: POLICY });
  browser = await launchBrowser();
  ({ page } = await openConsole(await browser.newContext(), gateway, "recordings"));
}, 120_000);

afterAll(async () => {
  if (skipped !== undefined) return;
  await browser.close();
  await gateway[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
}, 120_000);

const screen = (text: string) =>
  eventually(
    () => page.textContent(".ap-player .ap-term-text"),
    (shown) => shown?.includes(text) === true,
  );

describe.skipIf(skipped !== undefined)("a live session", () => {
  test("is seen from its beginning and as it goes, and ended from the page", async () => {
    const overlay = await gateway.overlay(kubeconfigText(cluster, "token"));
    const agent = startClient(
      kubectl ?? "",
      [
        ...["exec", "api", "-n", "payments", "--", "sh", "-c"],
        "echo begun; until [ -e seen ]; do sleep 0.1; done; echo went on; sleep 600",
      ],
      { env: { HOME: gateway.home, KUBECONFIG: overlay } },
    );
    await eventually(
      async () => (await gateway.control.call("sessions_list", {})).sessions,
      (sessions) => sessions.some(({ state }) => state === "open"),
    );
    await page.click('button:has-text("Look again")');
    await page.click('.record-line:has-text("live")');
    await page.click('button:has-text("Watch it live")');
    await screen("begun");
    writeFileSync(join(await cluster.pods.root("payments", "api"), "seen"), "");
    await screen("went on");
    await page.click('button:has-text("End this session")');
    expect((await agent.finished).code).not.toBe(0);
    await page.waitForSelector('.record-line:not(:has-text("live"))');
  }, 120_000);
});
