// The effect of a held kubectl command, as a person is shown it: through the compiled gateway, from
// the stand-in cluster. Every test counts the cluster's writes: looking changes nothing.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { processorMs, residentMb } from "../../bench/process-usage.ts";
import type { EffectReport } from "../../src/api/effect-report.ts";
import type { Approval } from "../../src/api/reports.ts";
import { findClient, type Running, startClient } from "../support/clients.ts";
import { type Cluster, startCluster } from "../support/cluster/cluster.ts";
import { kubeconfigText } from "../support/cluster/kubeconfig-text.ts";
import type { KubeObject } from "../support/cluster/object/kube-object.ts";
import { RESOURCES } from "../support/cluster/object/resources.ts";
import { webhookCalls } from "../support/cluster/webhooks.ts";
import { eventually } from "../support/eventually.ts";
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
    gateway = await startGatewayProcess({ policy: POLICY, settings: "approval_timeout: 100s\n" });
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

  test("a webhook with effects of its own is named and not called; an honest one is called for the dry run alone", async () => {
    const hook = (name: string, sideEffects: string) => ({
      ...{ apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingWebhookConfiguration" },
      metadata: { name },
      webhooks: [{ name: `${name}.example.org`, sideEffects, rules: [{ resources: ["configmaps"] }] }],
    });
    const metadata = { name: "hooked", namespace: "payments" };
    add(cluster, { apiVersion: "v1", kind: "ConfigMap", metadata, data: { a: "1" } });
    for (const [name, sideEffects, state, about] of [
      ["honest", "NoneOnDryRun", "shown", /^changes 1 field of ConfigMap 'hooked'/],
      ["some", "Some", "none", /^the webhook 'some\.example\.org' has effects of its own/],
      ["unknown", "Unknown", "none", /^the webhook 'unknown\.example\.org' has effects of its own/],
    ] as const) {
      add(cluster, hook(name, sideEffects));
      await using kubectl = start([
        ...["-n", "payments", "patch", "configmap", "hooked", "--type=merge", "-p"],
        `{"data":{"a":"${name}"}}`,
      ]);
      const held = await gateway.held(({ method }) => method === "PATCH");
      const before = version();
      const called = webhookCalls(cluster.store).length;
      const effect = await effectOf(held);
      expect({ name, state: effect.state, about: effect.about }).toEqual({
        ...{ name, state, about: expect.stringMatching(about) },
      });
      expect(version()).toBe(before);
      const calls = webhookCalls(cluster.store).slice(called);
      expect(calls.every(({ isDryRun, webhook }) => isDryRun && webhook === "honest.example.org")).toBe(true);
      await gateway.run(["approval", "allow", held.id]);
      expect((await kubectl.finished).code).toBe(0);
      expect(webhookCalls(cluster.store).at(-1)).toMatchObject({
        webhook: `${name}.example.org`,
        isDryRun: false,
      });
      if (name !== "honest")
        cluster.store.delete(resourceOf("ValidatingWebhookConfiguration"), undefined, name, "Background");
    }
  });

  test("five thousand dependants cost little time of the processor and no memory that stays; nothing is written", async () => {
    const owner = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "root", namespace: "payments" } };
    add(cluster, owner);
    const uid = cluster.store.get(resourceOf("ConfigMap"), "payments", "root")?.metadata.uid ?? "";
    const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "root", uid }];
    for (let at = 0; at < 5_000; at += 1)
      add(cluster, { ...owner, metadata: { name: `child-${at}`, namespace: "payments", ownerReferences } });
    const before = version();
    const spent: number[] = [];
    const memory: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      await using kubectl = start(["-n", "payments", "delete", "configmap", "root", "--wait=false"]);
      const held = await gateway.held(({ method }) => method === "DELETE");
      const began = processorMs(gateway.pid) ?? 0;
      // A look has three seconds; where the machine has other things to do it says that it is not whole, and is made again.
      const effect = await eventually(
        () => effectOf(held),
        (seen) => seen.removed_total === 5_001,
        80_000,
      );
      spent.push((processorMs(gateway.pid) ?? 0) - began);
      memory.push(residentMb(gateway.pid) ?? 0);
      expect(effect.about).toBe("deletes ConfigMap 'root' in payments and 5000 objects that depend on it");
      expect(effect.removed).toHaveLength(200);
      await gateway.run(["approval", "deny", held.id]);
      expect((await kubectl.finished).code).toBe(1);
    }
    expect(version()).toBe(before);
    // The first look compiles; of the others the quickest is what it costs.
    expect(Math.min(...spent)).toBeLessThan(3_000);
    expect(Math.min(...memory.slice(2)) - Math.max(...memory.slice(0, 2))).toBeLessThan(32);
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
