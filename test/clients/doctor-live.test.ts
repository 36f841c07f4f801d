// `iddio doctor --live` with the clients that are installed here: what it says when they are set
// up, when they are not routed, when they do not trust iddio, and when the policy or the kubeconfig
// keeps them away.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LiveResult } from "../../src/features/doctor/live-check.ts";
import { LIVE_CLIENTS } from "../../src/features/doctor/live-clients.ts";
import { findClient } from "../support/clients.ts";
import { type GatewayProcess, startGatewayProcess } from "../support/gateway.ts";
import { nodeCodeCache } from "../support/programs/node-cache.ts";

let gateway: GatewayProcess;

beforeAll(async () => {
  gateway = await startGatewayProcess();
});
afterAll(() => gateway?.[Symbol.asyncDispose]());

/** A PATH on which nothing is but these programs. */
async function pathWith(names: readonly string[]): Promise<string | undefined> {
  const bin = join(gateway.home, `bin-${names.join("-")}`);
  await mkdir(bin);
  for (const name of names) {
    const program = findClient(name);
    if (program === undefined) return undefined;
    await symlink(program, join(bin, name));
  }
  return bin;
}

/** The environment that the shell snippet makes. */
function routed(): Record<string, string> {
  const bundle = join(gateway.home, "ca-bundle.pem");
  return { HTTPS_PROXY: `http://${gateway.listen}`, SSL_CERT_FILE: bundle, CURL_CA_BUNDLE: bundle };
}

async function live(env: Record<string, string>): Promise<readonly LiveResult[]> {
  const { stdout } = await gateway.run(["doctor", "--live", "--json"], { env });
  return (JSON.parse(stdout) as { live: LiveResult[] }).live;
}

const of = (results: readonly LiveResult[], client: string) => results.find((each) => each.client === client);

test("curl: one that is set up is routed, trusts and is classified, another not", async () => {
  const path = await pathWith(["curl"]);
  if (path === undefined) return;
  const table: readonly (readonly [env: Record<string, string>, want: Partial<LiveResult>])[] = [
    [
      routed(),
      { verdict: "ok", routed: true, trusted: true, classified: { tier: "observe", command: "GET" } },
    ],
    [{}, { verdict: "fail", routed: false, trusted: false }],
    [{ HTTPS_PROXY: `http://${gateway.listen}` }, { verdict: "fail", routed: true, trusted: false }],
  ];
  for (const [env, want] of table) {
    const results = await live({ ...env, PATH: path });
    expect(of(results, "curl")).toMatchObject(want);
    expect(of(results, "aws")).toEqual({ client: "aws", verdict: "skip", detail: "not installed" });
  }
  // A probe is nobody's request.
  expect((await gateway.rows()).filter((row) => row.op !== "control")).toEqual([]);
}, 120_000);

test("every client that is installed here is routed, trusts and is classified as observe, in an environment of shell-init", async () => {
  const { stdout } = await gateway.run(["shell-init", "bash"]);
  const shell = Bun.spawnSync(["bash", "-c", `${stdout}\nenv -0`], {
    env: { PATH: process.env.PATH ?? "", HOME: gateway.home, IDDIO_HOME: gateway.home },
  });
  const env = Object.fromEntries(
    shell.stdout
      .toString()
      .split("\0")
      .filter((pair) => pair.includes("="))
      .map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
  );
  const results = await live({ ...env, ...nodeCodeCache() });
  expect(results.map(({ client }) => client)).toEqual(LIVE_CLIENTS.map(({ name }) => name));
  for (const { client, verdict, ...came } of results) {
    if (verdict === "skip") continue;
    // helm reads Secrets to list releases.
    const tier = client === "helm" ? "sensitive" : "observe";
    expect({ client, ...came }).toMatchObject({ client, routed: true, trusted: true, classified: { tier } });
  }
}, 120_000);

test("a kubeconfig that pins its cluster's CA is told from one that iddio made", async () => {
  const path = await pathWith(["kubectl"]);
  if (path === undefined) return;
  const original = join(gateway.home, "mine.yaml");
  const cluster = `{server: "https://k8s.example:6443", certificate-authority: "${join(gateway.home, "ca.crt")}"}`;
  await writeFile(
    original,
    `apiVersion: v1\nkind: Config\ncurrent-context: x\nclusters: [{name: c, cluster: ${cluster}}]\n` +
      "contexts: [{name: x, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {token: t}}]\n",
  );
  const env = { ...routed(), PATH: path };
  const own = of(await live({ ...env, KUBECONFIG: original }), "kubectl");
  expect(own).toMatchObject({ verdict: "fail", trusted: true });
  expect(own?.fix).toStartWith("iddio kubeconfig");
  await gateway.run(["kubeconfig"], { env: { KUBECONFIG: original } });
  const overlay = join(gateway.home, "kubeconfig");
  const result = of(await live({ ...env, KUBECONFIG: overlay }), "kubectl");
  expect(result).toMatchObject({ verdict: "ok", inspected: true });
}, 120_000);

test("a policy that does not inspect a client's hosts is a warning with the command that changes it", async () => {
  const path = await pathWith(["gh"]);
  if (path === undefined) return;
  const env = { ...routed(), PATH: path };
  expect(of(await live(env), "gh")).toMatchObject({
    verdict: "warn",
    inspected: false,
    fix: 'iddio inspect add github "api.github.com"',
  });
  await gateway.run(["inspect", "add", "github", "api.github.com"]);
  expect(of(await live(env), "gh")).toMatchObject({ verdict: "ok", inspected: true });
  await gateway.run(["pin", "api.github.com"]);
  expect(of(await live(env), "gh")).toMatchObject({
    verdict: "warn",
    fix: "iddio unpin api.github.com",
  });
  expect(of(await live({ ...env, NO_PROXY: ".github.com" }), "gh")?.detail).toContain("NO_PROXY");
}, 120_000);

test("without a daemon no client is tried", async () => {
  await gateway.kill("SIGTERM");
  const { stdout, code } = await gateway.run(["doctor", "--live", "--json"]);
  const report = JSON.parse(stdout) as { live: unknown[]; findings: { check: string; verdict: string }[] };
  expect(code).toBe(1);
  expect(report.live).toEqual([]);
  expect(report.findings.at(-1)).toMatchObject({ check: "live", verdict: "fail" });
});
