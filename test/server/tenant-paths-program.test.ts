// Two tenants on one host, each below a path of its own, with the compiled server on PostgreSQL, a
// real gateway, a real OpenID provider and a browser: from the login to a callback's decision.

import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { webhookHeaders } from "../../src/host/outgoing/standard-webhook.ts";
import defaultPolicy from "../../src/policy/default.yaml" with { type: "text" };
import { ownClient } from "../demo/agent.ts";
import { startHttpReceiver } from "../features/forward/receivers.ts";
import { builtBinary } from "../support/built-binary.ts";
import { runClient } from "../support/clients.ts";
import { startCluster } from "../support/cluster/cluster.ts";
import { kubeconfigText } from "../support/cluster/kubeconfig-text.ts";
import { eventually } from "../support/eventually.ts";
import { startGatewayProcess } from "../support/gateway.ts";
import { launchBrowser, withoutBrowser } from "../support/pages/console-page.ts";
import { startOidcServer, throughProvider } from "../support/server/oidc-server.ts";
import { postgresFolder, startPostgres } from "../support/server/postgres-cluster.ts";
import { startServerProgram } from "../support/server/server-program.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const LONG = 110_000;
const SOON = 60_000;
const isThere = postgresFolder() !== undefined || process.env.IDDIO_REQUIRE_CLIENTS === "1";
const WRITE = {
  kubectl: [],
  request: {
    method: "PATCH",
    path: "/api/v1/namespaces/payments/pods/api",
    body: { metadata: { labels: { owner: "agent" } } },
  },
};

// biome-ignore lint/suspicious/noExplicitAny: a test knows what it asked for.
type Call = (method: string, path: string, input?: object) => Promise<{ status: number; body: any }>;

/** Logs in at a tenant as a browser would, and calls its API with the session as its page does. */
async function logInAt(home: string): Promise<Call> {
  const cookieOf = (response: Response) =>
    response.headers
      .getSetCookie()
      .find((each) => !/=;/.test(each))
      ?.split(";") ?? [];
  const begun = await fetch(`${home}/auth/login?to=/`, { redirect: "manual" });
  const back = await throughProvider(begun.headers.get("location") ?? "");
  const cookie = cookieOf(begun)[0] ?? "";
  const finished = await fetch(back, { redirect: "manual", headers: { cookie } });
  const [session = "", path] = cookieOf(finished);
  const { origin, pathname } = new URL(`${home}/`);
  expect([finished.headers.get("location"), path?.trim()]).toEqual([pathname, `Path=${pathname}`]);
  return async (method, place, input) => {
    const response = await fetch(`${home}/api/v1/${place}`, {
      method,
      headers: { cookie: session, origin, "iddio-page": pathname, "content-type": "application/json" },
      ...(input === undefined ? {} : { body: JSON.stringify(input) }),
    });
    return { status: response.status, body: await response.json() };
  };
}

if (!isThere) test("PostgreSQL is not installed", () => undefined);
else
  test(
    "two tenants share a host: people log in, a machine is enrolled, a policy, approvals and a callback go through their paths",
    async () => {
      await using folder = await temporaryDirectory();
      await using cluster = await startPostgres();
      const secret = join(folder.path, "secret");
      await writeFile(secret, randomBytes(32).toString("base64"));
      const database = await cluster.database("iddio");
      const env = { HOME: folder.path, IDDIO_HOME: folder.path, DATABASE_URL: database };
      const run = (args: readonly string[], input = "") =>
        runClient(builtBinary(), ["server", ...args, "--secret-file", secret], { env, input });
      const both = await run(["--tenant-paths", "--domain", "example.com"]);
      expect([both.code, both.stderr.includes("not by both")]).toEqual([2, true]);
      expect((await run(["migrate"])).code).toBe(0);
      const flags = ["--tenant-paths", "--private-targets"];
      await using server = await startServerProgram(database, secret, folder.path, flags);
      const [acmeHome, otherHome] = [`${server.url}/t/acme`, `${server.url}/t/other`];
      await using provider = await startOidcServer(`${acmeHome}/auth/callback`, `${otherHome}/auth/callback`);
      for (const [name, ...roles] of [
        ["acme", "admin=ops", "approver=oncall", "author=security"],
        ["other", "admin=oncall"],
      ] as const) {
        const client = ["--issuer", provider.issuer, "--client-id", provider.clientId, "--client-secret"];
        const args = ["tenant", "set", name, ...client, ...roles.flatMap((role) => ["--role", role])];
        expect((await run(args, provider.clientSecret)).stdout).toBe(`made tenant ${name}\n`);
      }

      provider.account = { sub: "olga-1", name: "Olga", groups: ["ops"] };
      const olga = await logInAt(acmeHome);
      provider.account = { sub: "anton-1", name: "Anton", groups: ["security"] };
      const anton = await logInAt(acmeHome);
      // She is an approver of one tenant and an administrator of the other.
      provider.account = { sub: "ada-1", name: "Ada", groups: ["oncall"] };
      const [ada, adaThere] = [await logInAt(acmeHome), await logInAt(otherHome)];
      const me = { acme: (await ada("GET", "me")).body, other: (await adaThere("GET", "me")).body };
      expect([me.acme.tenant, me.acme.roles, me.other.tenant, me.other.roles]).toEqual([
        ...["acme", ["approver"]],
        ...["other", ["admin"]],
      ]);

      await using upstream = await startCluster();
      await using gateway = await startGatewayProcess();
      const agent = await ownClient(await gateway.overlay(kubeconfigText(upstream, "token")));
      const { id: owner } = (await olga("GET", "me")).body;
      const { token } = (await olga("POST", "enroll-tokens", { owner })).body;
      const nowhere = await gateway.run(["enroll", server.url, "--token", token]);
      expect([nowhere.code, nowhere.stderr.includes("whether the address is the tenant's own")]).toEqual([
        1,
        true,
      ]);
      const strange = await gateway.run(["enroll", otherHome, "--token", token]);
      expect([strange.code, strange.stderr.includes("the control plane refused")]).toEqual([1, true]);
      // It was refused there without being used up.
      const enrolled = await gateway.run(["enroll", `${acmeHome}/`, "--token", token, "--name", "laptop"]);
      expect([enrolled.code, enrolled.stdout.includes("for Olga")]).toEqual([0, true]);
      expect((await adaThere("GET", "devices")).body.items).toEqual([]);

      const tiers = ["modify", "sensitive", "break-glass"];
      const proposal = { policy: defaultPolicy, note: "the first", central_tiers: tiers };
      const { revision } = (await anton("POST", "revisions", proposal)).body;
      expect((await olga("POST", `revisions/${revision}/publish`, {})).status).toBe(200);
      await eventually(
        async () => (await olga("GET", `revisions/${revision}`)).body.revision.devices,
        (count) => count === 1,
        SOON,
      );

      // The first request is decided by a callback of a webhook's receiver, in the name of Ada.
      await using receiver = startHttpReceiver();
      const hook = { name: "hook", target: receiver.origin, replies_as: me.acme.id };
      const { secret: hookSecret } = (await olga("POST", "notify-targets", hook)).body;
      const acting = agent.act(WRITE);
      const told = await eventually(
        async () => receiver.received.map(({ body }) => JSON.parse(body).data),
        (all) => all.some(({ nonce }) => nonce !== undefined),
        SOON,
      );
      const { approval_id, digest, nonce } = told.find((each) => each.nonce !== undefined);
      const callBack = async (home: string) => {
        const data = { approval_id, digest, nonce, verb: "allow", reason: "as planned" };
        const body = JSON.stringify({ type: "approval.answer", data });
        const seconds = Math.floor(Date.now() / 1000);
        const headers = webhookHeaders(crypto.randomUUID(), seconds, body, [hookSecret]);
        return (await fetch(`${home}/iddio/v1/answers`, { method: "POST", headers, body })).status;
      };
      expect([await callBack(otherHome), await callBack(acmeHome)]).toEqual([404, 200]);
      expect((await acting).isDone).toBe(true);
      expect((await olga("POST", "notify-targets/hook/remove", {})).status).toBe(200);

      if (withoutBrowser("tenants that share a host") !== undefined) return;
      const second = agent.act(WRITE);
      await using browser = await launchBrowser();
      const page = await browser.newPage();
      page.setDefaultTimeout(SOON);
      const problems = problemsOf(page);
      for (const home of [otherHome, acmeHome]) {
        await page.goto(home);
        await page.getByRole("link", { name: "Log in" }).click();
        await page.getByRole("button", { name: "Ada" }).waitFor();
        expect(page.url()).toStartWith(`${home}/`);
      }
      await page.getByRole("button", { name: "Allow once" }).click();
      expect((await second).isDone).toBe(true);
      await page.getByText("Nothing waits").waitFor();
      expect(problems).toEqual([]);

      // A page of one tenant reaches nothing of the other, where the same person is logged in.
      const reach = `fetch("../other/api/v1/me").then(() => "reached", ({ message }) => message)`;
      expect(await page.evaluate(reach)).toContain("Failed to fetch");
      expect(problems.splice(0).join()).toContain("Content Security Policy");
      await page.getByRole("button", { name: "Ada" }).click();
      await page.getByRole("link", { name: "Log in" }).waitFor();
      await page.goto(`${otherHome}/`);
      await page.getByRole("button", { name: "Ada" }).waitFor();
      expect(problems).toEqual([]);
    },
    LONG,
  );

function problemsOf(page: Page): string[] {
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted/.test(message.text())) problems.push(message.text());
  });
  return problems;
}
