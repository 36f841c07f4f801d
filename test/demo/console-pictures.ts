// Takes the pictures of the console that the documentation shows: `bun test/demo/console-pictures.ts`. A gateway of its own,
// requests as agents send them, Debian's Chromium.

import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { launchBrowser, openConsole } from "../support/console-page.ts";
import { startGatewayProcess } from "../support/gateway.ts";
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

const OUTCOMES = ["allowed", "allowed", "allowed", "approved", "denied", "refused"];

/** A day of an agent's work. */
function rows(): string {
  const now = Date.now();
  return Array.from({ length: 900 }, (_, index) => {
    const wave = Math.sin(index / 40) + Math.sin(index / 13);
    const outcome = OUTCOMES[Math.abs(Math.round(wave * 3 + index)) % OUTCOMES.length] ?? "allowed";
    return JSON.stringify({
      timestamp_ms: now - (900 - index) * 90_000 - Math.round(wave * 60_000),
      op: "mitm",
      hash: index.toString(16).padStart(32, "0"),
      fields: {
        host: "prod.eks.amazonaws.com",
        method: "GET",
        path: "/api/v1/namespaces/payments/pods",
        protocol: "kubectl",
        tier: outcome === "allowed" ? "observe" : "modify",
        command: outcome === "allowed" ? "pods get" : "deployments patch",
        labels: { namespace: "payments" },
        decision: outcome === "allowed" ? "allow" : outcome === "refused" ? "deny" : "escalate",
        outcome,
        client: { process: "kubectl", run: "claude" },
      },
    });
  }).join("\n");
}

await using gateway = await startGatewayProcess({ policy: POLICY, settings: "approval_timeout: 5m\n" });
appendFileSync(join(gateway.home, "audit.jsonl"), `${rows()}\n`);
const browser = await launchBrowser();
const { page } = await openConsole(
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
const shoot = (name: string) => page.screenshot({ path: join(PROJECT_ROOT, "docs/images", `${name}.png`) });
// What started this script is not what starts an agent.
await page.evaluate('for (const each of document.querySelectorAll(".chain > span")) each.remove()');
await shoot("console-approvals");
await page.emulateMedia({ colorScheme: "dark" });
await page.evaluate('location.hash = "#/activity"');
await page.waitForSelector(".log-line >> nth=20");
await page.waitForSelector(".histogram svg");
await shoot("console-activity");
for (const client of clients) client.kill();
await browser.close();
