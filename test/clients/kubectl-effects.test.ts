// The effect of a held kubectl command, as a person is shown it: through the compiled gateway, from
// the stand-in cluster. Every test counts the cluster's writes: looking changes nothing.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { EffectReport } from "../../src/api/effect-report.ts";
import type { Approval } from "../../src/api/reports.ts";
import { findClient, type Running, startClient } from "../support/clients.ts";
import { type Cluster, startCluster } from "../support/cluster/cluster.ts";
import type { KubeObject } from "../support/cluster/kube-object.ts";
import { kubeconfigText } from "../support/cluster/kubeconfig-text.ts";
import { RESOURCES } from "../support/cluster/resources.ts";
import { type GatewayProcess, startGatewayProcess } from "../support/gateway.ts";

setDefaultTimeout(120_000);

const POLICY = `
kubectl:
  inspect: ["*.eks.amazonaws.com"]
  default: escalate
  groups:
    read: { tiers: [observe] }
    write: { tiers: [modify, sensitive] }
  namespaces:
    - names: [sandbox]
      rules: { allow: { groups: [read, write] } }
    - names: [hidden]
      rules: { deny: { commands: ["configmaps get"] }, escalate: { groups: [write] } }
  rules:
    allow: { groups: [read] }
`;

const found = findClient("kubectl");

describe.if(found !== undefined)("the effect of a held kubectl command", () => {
  let cluster: Cluster;
  let gateway: GatewayProcess;
  let overlay: string;

  const start = (args: readonly string[], input?: string): Running =>
    startClient(found ?? "", args, {
      env: { HOME: gateway.home, KUBECONFIG: overlay },
      ...(input === undefined ? {} : { input }),
    });
  const effectOf = async ({ id }: Approval): Promise<EffectReport> =>
    (await gateway.control.call("approvals_effect", { id })).effect;
  const version = () => cluster.store.version;

  beforeAll(async () => {
    cluster = await startCluster();
    gateway = await startGatewayProcess({ policy: POLICY, settings: "approval_timeout: 60s\n" });
    overlay = await gateway.overlay(kubeconfigText(cluster, "token"));
  });
  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  test("a scale is a sentence and one field, and nothing is written by looking", async () => {
    await using kubectl = start([
      "-n",
      "payments",
      "create",
      "deployment",
      "front",
      "--image=registry.example/a:1",
    ]);
    const created = await gateway.held();
    const before = version();
    expect(await effectOf(created)).toMatchObject({
      state: "shown",
      about: "creates Deployment 'front' in payments",
    });
    expect(version()).toBe(before);
    await gateway.run(["approval", "allow", created.id]);
    expect((await kubectl.finished).code).toBe(0);

    await using scale = start(["-n", "payments", "scale", "deployment", "front", "--replicas=3"]);
    const held = await gateway.held(({ method }) => method === "PATCH");
    const unchanged = version();
    expect(await effectOf(held)).toMatchObject({
      about: "scales deployment 'front' in payments from 1 to 3",
      changes: [{ sign: "~", path: "spec.replicas", before: "1", after: "3" }],
    });
    const shown = await gateway.run(["approval", "show", held.id]);
    expect(shown.stdout).toContain(
      "effect\n  scales deployment 'front' in payments from 1 to 3\n  ~ spec.replicas: 1 -> 3\n",
    );
    expect(version()).toBe(unchanged);
    await gateway.run(["approval", "allow", held.id]);
    expect((await scale.finished).stdout).toBe("deployment.apps/front scaled\n");
  });

  test("the delete of a Deployment names its ReplicaSet and Pods, and deletes that very object", async () => {
    await using kubectl = start(["-n", "payments", "delete", "deployment", "front", "--wait=false"]);
    const held = await gateway.held(({ method }) => method === "DELETE");
    const before = version();
    const effect = await effectOf(held);
    expect(effect.about).toMatch(/^deletes Deployment 'front' in payments and \d objects that depend on it$/);
    expect(effect.removed_kinds).toEqual({ Deployment: 1, ReplicaSet: 1, Pod: 3 });
    // Secrets are sensitive, and the policy lets the agent read only what is harmless.
    expect(effect.incomplete).toMatch(/^not looked at: secrets \('secrets list' is sensitive/);
    expect(version()).toBe(before);
    await gateway.run(["approval", "allow", held.id]);
    expect((await kubectl.finished).code).toBe(0);
    const sent = cluster.requests.matching({ method: "DELETE", target: /\/deployments\/front$/ }).at(-1);
    expect(JSON.parse(Buffer.from(sent?.body ?? []).toString())).toMatchObject({
      preconditions: { uid: expect.any(String), resourceVersion: expect.any(String) },
    });
  });

  test("an object that changed after it was shown is asked about again", async () => {
    await using kubectl = start(["-n", "payments", "delete", "configmap", "settings"]);
    const held = await gateway.held(({ method }) => method === "DELETE");
    expect((await effectOf(held)).about).toBe("deletes ConfigMap 'settings' in payments");
    change(cluster, "ConfigMap", "settings", { data: { mode: "changed" } });
    await gateway.run(["approval", "allow", held.id]);
    const again = await gateway.held(({ method, id }) => method === "DELETE" && id !== held.id);
    expect(again.reason).toStartWith("the object was changed since it was shown, so it is asked about again");
    await gateway.run(["approval", "allow", again.id]);
    expect((await kubectl.finished).code).toBe(0);
  });

  test("what the policy does not let the agent read is not shown by way of a change", async () => {
    add(cluster, { apiVersion: "v1", kind: "Namespace", metadata: { name: "hidden" } });
    const metadata = { name: "plan", namespace: "hidden" };
    add(cluster, { apiVersion: "v1", kind: "ConfigMap", metadata, data: { a: "classified" } });
    const path = "/api/v1/namespaces/hidden/configmaps/plan";
    const next = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata, data: { a: "2" } });
    await using kubectl = start(["replace", "--raw", path, "-f", "-"], next);
    const held = await gateway.held(({ method }) => method === "PUT");
    const effect = await effectOf(held);
    expect(effect.state).toBe("none");
    expect(JSON.stringify(effect)).not.toContain("classified");
    await gateway.run(["approval", "deny", held.id]);
    expect((await kubectl.finished).code).toBe(1);
  });
});

function resourceOf(kind: string) {
  const resource = RESOURCES.find((each) => each.kind === kind);
  if (resource === undefined) throw new Error(`no such kind ${kind}`);
  return resource;
}

/** Somebody else makes an object. */
function add(cluster: Cluster, object: KubeObject): void {
  cluster.store.create(resourceOf(object.kind), object);
}

/** Somebody else changes an object of `payments`. */
function change(cluster: Cluster, kind: string, name: string, fields: object): void {
  const live = cluster.store.get(resourceOf(kind), "payments", name);
  if (live === undefined) throw new Error(`no ${kind} ${name}`);
  cluster.store.update(resourceOf(kind), { ...live, ...fields });
}
