// Takes pictures of the console in Debian's Chromium: `bun test/demo/console-pictures.ts` the two
// that the documentation shows, with a folder every page in both themes and three widths, to be
// looked at. Also says how long each page takes.

import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { startGatewayProcess } from "../support/gateway.ts";
import { launchBrowser, openConsole } from "../support/pages/console-page.ts";
import {
  seeMcpServer,
  writeAuditDay,
  writeRecordings,
  writeUndoEntries,
} from "../support/pages/console-world.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";

const POLICY = `kubectl:
  inspect: ["127.0.0.1:*"]
  default: escalate
  groups:
    read: { tiers: [observe] }
    mutate: { tiers: [modify] }
    delete: { tiers: [sensitive] }
    admin: { tiers: [break-glass] }
  namespaces:
    - names: [dev, "sandbox-*"]
      rules:
        allow: { groups: [read, mutate] }
  rules:
    allow: { groups: [read] }
    escalate: { groups: [mutate, delete] }
    deny: { groups: [admin] }
`;

/** Every page, and what is done there before the picture. */
const PAGES: readonly (readonly [where: string, ready: string, before?: (page: Page) => Promise<unknown>])[] =
  [
    ["approvals", ".details-scroll"],
    ["activity", ".log-line"],
    ["policy/form", "table.matrix"],
    ["policy/yaml", ".cm-content"],
    ["policy/history", ".versions li"],
    ["observe", "main h1"],
    ["inspect", "main h1"],
    ["recordings", ".record-line"],
    [
      "recordings/sess_0c11a9e4",
      ".record-start button",
      async (page) => {
        await page.click(".record-start button");
        await page.waitForSelector(".ap-player .ap-term");
        await page.waitForTimeout(1_500);
      },
    ],
    ["undo", ".record-line"],
    ["undo/undo_7f2c01aa", ".since"],
    ["runs", "main h1"],
    ["mcp", ".record-line"],
    ["mcp/tracker", ".waiting"],
    ["settings", ".findings li"],
  ];

const folder = process.argv[2] === undefined ? undefined : resolve(process.argv[2]);
await using gateway = await startGatewayProcess({ policy: POLICY, settings: "approval_timeout: 5m\n" });
writeAuditDay(gateway.home);
writeRecordings(gateway.home);
await writeUndoEntries(gateway.home);
await using _server = await seeMcpServer(gateway);
const browser = await launchBrowser();
const { page, problems } = await openConsole(
  await browser.newContext({ viewport: { width: 1280, height: 800 } }),
  gateway,
);
const send = (method: string, path: string, body?: object) =>
  Bun.spawn(
    [
      "curl",
      "-s",
      "-x",
      `http://${gateway.listen}`,
      "-X",
      method,
      "-H",
      "content-type: application/json",
      "-H",
      "authorization: Bearer x",
      ...(body === undefined ? [] : ["-d", JSON.stringify(body)]),
      `http://127.0.0.1:1${path}`,
    ],
    { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
  );
const clients = [
  send("POST", "/apis/apps/v1/namespaces/payments/deployments", {
    kind: "Deployment",
    metadata: { name: "api", labels: { app: "api" } },
    spec: { replicas: 3, template: { spec: { containers: [{ name: "api", image: "registry/api:1.4.2" }] } } },
  }),
];
await page.waitForSelector("button.allow:not([disabled])");
clients.push(send("DELETE", "/api/v1/namespaces/payments/pods/api-7d4b9"));
await page.waitForSelector(".queue-row >> nth=1");

if (folder === undefined) {
  const shoot = (name: string) => page.screenshot({ path: join(PROJECT_ROOT, "docs/images", `${name}.png`) });
  // The script's own parents are not an agent's, so they are cut out.
  await page.evaluate('for (const each of document.querySelectorAll(".chain > span")) each.remove()');
  await shoot("console-approvals");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.evaluate('location.hash = "#/activity"');
  await page.waitForSelector(".log-line >> nth=20");
  await page.waitForSelector(".histogram svg");
  await shoot("console-activity");
} else {
  mkdirSync(folder, { recursive: true });
  for (const width of [1280, 768, 390])
    for (const [where, ready, before] of PAGES) {
      await page.setViewportSize({ width, height: 844 });
      const started = performance.now();
      await page.evaluate(`location.hash = ${JSON.stringify(`#/${where}`)}`);
      await page.waitForSelector(ready);
      const took = Math.round(performance.now() - started);
      await before?.(page);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        await page.waitForTimeout(300);
        const name = `${where.replaceAll("/", "-")}-${width}-${colorScheme}.png`;
        await page.screenshot({ path: join(folder, name) });
      }
      process.stdout.write(`${where} at ${width}: ${took} ms\n`);
    }
  process.stdout.write(
    problems.length === 0 ? "the browser complained of nothing\n" : `${problems.join("\n")}\n`,
  );
}
for (const client of clients) client.kill();
await browser.close();
