// The name and tier of a command line must agree with the requests that the real kubectl then
// sends. Runs where kubectl is installed, against the embedded cluster.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stricterTier, type TierOrUnknown } from "../../../src/model/tier.ts";
import { kubectlClassifier } from "../../../src/protocols/kubectl/classify.ts";
import { type Cluster, startCluster } from "../../support/cluster/cluster.ts";
import type { RecordedRequest } from "../../support/cluster/request-log.ts";

const kubectl = Bun.which("kubectl");
let cluster: Cluster;
let folder = "";

beforeAll(async () => {
  if (kubectl === null) return;
  cluster = await startCluster();
  folder = await mkdtemp(join(tmpdir(), "kubectl-real-"));
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: "c", cluster: { server: cluster.url, "certificate-authority-data": btoa(cluster.caPem) } },
    ],
    users: [{ name: "u", user: { token: cluster.token } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "payments" } }],
    "current-context": "x",
  };
  await writeFile(join(folder, "config"), JSON.stringify(config));
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "given" }, data: { a: "b" } };
  await writeFile(join(folder, "given.json"), JSON.stringify(object));
});

afterAll(async () => {
  if (kubectl === null) return;
  await cluster[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Command lines in an order that works on a fresh cluster; `FILE` is a ConfigMap. */
const LINES = [
  "get pods,secrets",
  "get pods api -o yaml",
  "describe pod api",
  "logs api",
  "apply -f FILE --dry-run=server",
  "apply -f FILE",
  "delete cm given --dry-run=server",
  "label cm given a=b",
  "patch cm given -p {}",
  "delete cm given",
  "create secret generic s --from-literal=a=b",
  "cordon node-1",
  "uncordon node-1",
  "taint node node-1 a=b:NoSchedule",
  "create deployment shop --image=registry.example/shop:1",
  "rollout restart deployment shop",
  "rollout pause deploy/shop",
  "set image deployment shop shop=registry.example/shop:2",
  "set env deployment/shop A=b B=c",
  "set serviceaccount deployment shop builder",
  'patch deployment shop -p {"spec":{"replicas":1}}',
  "create token default",
  "create role r --verb=get --resource=pods",
  "auth can-i get pods",
  "auth can-i --list",
  "get --raw /healthz",
  "exec api -- true",
  "cp FILE api:/tmp/x",
  "drain node-1 --force --ignore-daemonsets --timeout=1s",
];

for (const line of LINES)
  test(`kubectl ${line}`, async () => {
    if (kubectl === null) {
      process.stdout.write("skipping: kubectl is not installed\n");
      return;
    }
    const args = line.replace("FILE", join(folder, "given.json")).split(" ");
    const before = cluster.requests.all.length;
    const env = { PATH: process.env.PATH ?? "", HOME: folder };
    const child = Bun.spawn([kubectl, "--kubeconfig", join(folder, "config"), ...args], {
      env,
      stdout: "ignore",
      stderr: "ignore",
    });
    await child.exited;
    const sent = cluster.requests.all.slice(before).map(classifyRecorded);
    const said = kubectlClassifier.classifyArgv(["kubectl", ...args]);
    const strictest = sent.reduce<TierOrUnknown>((tier, one) => stricterTier(tier, one.tier), "observe");
    expect(sent.filter((one) => one.tier === "unknown")).toEqual([]);
    expect(said.tier).toBe(strictest);
    // A file's kinds are not in the command line, so there the verb stands alone.
    if (!line.includes("-f ")) expect(sent.map((one) => one.command)).toContain(said.command);
  }, 120_000);

function classifyRecorded(request: RecordedRequest) {
  const { method, target, headers, body } = request;
  return kubectlClassifier.classify({
    method,
    target,
    headers,
    host: "127.0.0.1",
    port: cluster.port,
    body: body.length === 0 ? { kind: "none" } : { kind: "whole", bytes: body },
  });
}
