// Changes of a cluster taken back, with a real kubectl, through the compiled gateway, on the
// stand-in cluster.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { UndoReport } from "../../src/api/undo-report.ts";
import { findClient, runClient } from "../support/clients.ts";
import { type Cluster, startCluster } from "../support/cluster/cluster.ts";
import { kubeconfigText } from "../support/cluster/kubeconfig-text.ts";
import { type KubeObject, valueAt } from "../support/cluster/object/kube-object.ts";
import { RESOURCES } from "../support/cluster/object/resources.ts";
import { eventually } from "../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../support/gateway.ts";

setDefaultTimeout(120_000);

const POLICY = `
kubectl:
  inspect: ["*.eks.amazonaws.com"]
  default: escalate
  groups:
    all: { tiers: [observe, modify, sensitive, break-glass] }
  rules:
    allow: { groups: [all] }
`;

const found = findClient("kubectl");

describe.if(found !== undefined)("undo", () => {
  let cluster: Cluster;
  let gateway: GatewayProcess;
  let overlay: string;

  const kubectl = async (args: readonly string[], input?: string) => {
    const { code, stderr, stdout } = await runClient(found ?? "", args, {
      env: { HOME: gateway.home, KUBECONFIG: overlay },
      ...(input === undefined ? {} : { input }),
    });
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  const stored = (kind: string, name: string, namespace: string | undefined = "sandbox") => {
    return cluster.store.get(resourceOf(kind), namespace, name);
  };
  const resourceOf = (kind: string) => {
    const resource = RESOURCES.find((each) => each.kind === kind);
    if (resource === undefined) throw new Error(`no such kind ${kind}`);
    return resource;
  };
  const make = (object: KubeObject) => cluster.store.create(resourceOf(object.kind), object);
  const kept = (fits: (entry: UndoReport) => boolean) =>
    eventually(
      async () => (await gateway.control.call("undo_list", {})).entries.find(fits),
      (entry) => entry?.state === "kept",
    );
  const undo = (id: string | undefined, ...more: readonly string[]) =>
    gateway.run(["undo", "apply", id ?? "", ...more]);

  beforeAll(async () => {
    cluster = await startCluster();
    gateway = await startGatewayProcess({ policy: POLICY });
    overlay = await gateway.overlay(kubeconfigText(cluster, "token"));
  });
  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  test("a changed object is put back, and the row names the way back", async () => {
    await kubectl([
      "-n",
      "sandbox",
      "create",
      "configmap",
      "one",
      "--from-literal=a=1",
      "--from-literal=b=1",
    ]);
    await kubectl(["-n", "sandbox", "patch", "configmap", "one", "--type=merge", "-p", '{"data":{"a":"2"}}']);
    const entry = await kept(({ command, path }) => command === "configmaps patch" && path.endsWith("/one"));
    const rows = await gateway.rowsWhen((all) => all.some(({ fields }) => fields.undo === entry?.id));
    expect(rows.find(({ fields }) => fields.undo === entry?.id)?.fields.command).toBe("configmaps patch");
    const tried = await undo(entry?.id, "--dry-run");
    expect(tried.stdout).toBe('puts back 1 field of ConfigMap \'one\' in sandbox\n  ~ data.a: "2" -> "1"\n');
    expect(stored("ConfigMap", "one")?.data).toEqual({ a: "2", b: "1" });
    expect((await undo(entry?.id)).stdout).toEndWith(`undone ${entry?.id}\n`);
    expect(stored("ConfigMap", "one")?.data).toEqual({ a: "1", b: "1" });
  });

  test("what somebody else changed since stays, and where it is the same field nothing is done", async () => {
    await kubectl(["-n", "sandbox", "create", "configmap", "two", "--from-literal=a=1"]);
    await kubectl(["-n", "sandbox", "patch", "configmap", "two", "--type=merge", "-p", '{"data":{"a":"2"}}']);
    const entry = await kept(({ command, path }) => command === "configmaps patch" && path.endsWith("/two"));
    const resource = RESOURCES.find(({ kind }) => kind === "ConfigMap");
    const live = stored("ConfigMap", "two");
    if (resource === undefined || live === undefined) throw new Error("no such object");
    cluster.store.update(resource, { ...live, data: { a: "other", c: "3" } });
    const refused = await undo(entry?.id);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain("conflict: data.a was changed by somebody else since");
    expect(refused.stderr).toContain("nothing was done");
    expect((await undo(entry?.id, "--force")).code).toBe(0);
    expect(stored("ConfigMap", "two")?.data).toEqual({ a: "1", c: "3" });
  });

  test("a deleted Service is made again, without the addresses that were given out to it", async () => {
    await kubectl(["-n", "sandbox", "create", "service", "clusterip", "gone", "--tcp=80:80"]);
    const before = stored("Service", "gone");
    await kubectl(["-n", "sandbox", "delete", "service", "gone"]);
    const entry = await kept(({ command, path }) => command === "services delete" && path.endsWith("/gone"));
    const done = await undo(entry?.id);
    expect(done.stdout).toContain("makes Service 'gone' in sandbox again");
    const after = stored("Service", "gone");
    expect(after?.metadata.labels).toEqual(before?.metadata.labels);
    expect(after?.metadata.uid).not.toBe(before?.metadata.uid);
  });

  test("a scale is taken back from what its own answer said", async () => {
    await kubectl(["-n", "sandbox", "create", "deployment", "sized", "--image=registry.example/a:1"]);
    await kubectl(["-n", "sandbox", "scale", "deployment", "sized", "--replicas=4"]);
    const entry = await kept(({ command }) => command === "deployments/scale patch");
    const shown = await gateway.control.call("undo_show", { id: entry?.id ?? "" });
    expect(shown.entry.images[0]).toMatchObject({
      before: { spec: { replicas: 1 } },
      after: { spec: { replicas: 4 } },
    });
    expect((await undo(entry?.id)).stdout).toContain("~ spec.replicas: 4 -> 1");
    expect(valueAt(stored("Deployment", "sized")?.spec, "replicas")).toBe(1);
  });

  test("a definition comes back with its objects, a claim without its binding", async () => {
    const definition = {
      ...{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" },
      metadata: { name: "widgets.example.org" },
      spec: { group: "example.org", scope: "Namespaced", names: { plural: "widgets", kind: "Widget" } },
    };
    const widget = (name: string) => ({
      ...{ apiVersion: "example.org/v1", kind: "Widget" },
      metadata: { name, namespace: "sandbox" },
      spec: { size: name },
    });
    const claim = {
      ...{ apiVersion: "v1", kind: "PersistentVolumeClaim" },
      metadata: {
        ...{ name: "data", namespace: "sandbox" },
        annotations: { "pv.kubernetes.io/bind-completed": "yes", own: "1" },
      },
      spec: { accessModes: ["ReadWriteOnce"], volumeName: "pv-1" },
    };
    for (const each of [definition, widget("w1"), widget("w2"), claim]) make(each);
    await kubectl(["delete", "crd", "widgets.example.org"]);
    // The stand-in leaves objects of a definition where they are; a cluster deletes them.
    for (const name of ["w1", "w2"])
      cluster.store.delete(resourceOf("Widget"), "sandbox", name, "Background");
    const entry = await kept(({ command }) => command === "customresourcedefinitions delete");
    expect(entry?.objects).toBe(3);
    const done = await undo(entry?.id);
    expect(done.stdout).toContain("makes CustomResourceDefinition 'widgets.example.org' again");
    expect(done.code).toBe(0);
    const made = cluster.store.get(resourceOf(definition.kind), undefined, definition.metadata.name);
    expect(made?.spec).toEqual(definition.spec);
    expect(["w1", "w2"].map((name) => stored("Widget", name)?.spec)).toEqual([
      { size: "w1" },
      { size: "w2" },
    ]);

    await kubectl(["-n", "sandbox", "delete", "pvc", "data", "--wait=false"]);
    const lost = await kept(({ command }) => command === "persistentvolumeclaims delete");
    const again = await undo(lost?.id);
    expect(again.stdout).toContain("the data on a deleted volume is lost");
    expect(again.code).toBe(0);
    const back = stored("PersistentVolumeClaim", "data");
    expect(back?.metadata.annotations).toEqual({ own: "1" });
  });

  test("what a create made is deleted, a Secret too", async () => {
    await kubectl(["-n", "sandbox", "create", "configmap", "new", "--from-literal=a=1"]);
    const entry = await kept(({ command, path }) => command === "configmaps create" && path.endsWith("/new"));
    expect(entry).toMatchObject({ action: "create", objects: 1 });
    const done = await undo(entry?.id);
    expect(done.stdout).toContain("deletes ConfigMap 'new' in sandbox, which the change made");
    expect(stored("ConfigMap", "new")).toBeUndefined();
    await kubectl(["-n", "sandbox", "create", "secret", "generic", "made", "--from-literal=p=canary-4713"]);
    const secret = await kept(({ command }) => command === "secrets create");
    expect((await undo(secret?.id)).code).toBe(0);
    expect(stored("Secret", "made")).toBeUndefined();
  });

  test("a deleted collection comes back", async () => {
    for (const name of ["c1", "c2"]) {
      await kubectl(["-n", "sandbox", "create", "configmap", name, `--from-literal=a=${name}`]);
      await kubectl(["-n", "sandbox", "label", "configmap", name, "set=c"]);
    }
    await kubectl(["delete", "--raw", "/api/v1/namespaces/sandbox/configmaps?labelSelector=set%3Dc"]);
    expect(stored("ConfigMap", "c1")).toBeUndefined();
    const entry = await kept(({ command }) => command === "configmaps deletecollection");
    expect(entry?.objects).toBe(2);
    expect((await undo(entry?.id)).code).toBe(0);
    expect(stored("ConfigMap", "c1")?.data).toEqual({ a: "c1" });
    expect(stored("ConfigMap", "c2")?.data).toEqual({ a: "c2" });
  });

  test("Secrets are not kept unless wanted, and nothing on disk can be read without the key", async () => {
    await kubectl(["-n", "sandbox", "create", "secret", "generic", "s", "--from-literal=p=canary-4711"]);
    await kubectl(["-n", "sandbox", "delete", "secret", "s"]);
    const entry = await kept(({ command }) => command === "secrets delete");
    expect(entry).toMatchObject({ objects: 0, notes: ["the Secret 's' is not kept (undo_secrets is off)"] });
    await kubectl(["-n", "sandbox", "create", "configmap", "plain", "--from-literal=p=canary-4712"]);
    await kubectl(["-n", "sandbox", "delete", "configmap", "plain"]);
    await kept(({ command, path }) => command === "configmaps delete" && path.endsWith("/plain"));
    const folder = join(gateway.home, "undo");
    for (const name of await readdir(folder)) {
      expect((await Bun.file(join(folder, name)).stat()).mode & 0o777).toBe(0o600);
      expect((await readFile(join(folder, name))).includes("canary")).toBe(false);
    }
  });

  test("clear forgets everything", async () => {
    expect((await gateway.run(["undo", "clear"])).stdout).toMatch(/^forgot \d+\n$/);
    expect((await gateway.control.call("undo_list", {})).entries).toEqual([]);
  });

  test("what cannot be kept is refused or goes, as the setting undo_failure says", async () => {
    await kubectl(["-n", "sandbox", "create", "configmap", "kept", "--from-literal=a=1"]);
    const folder = join(gateway.home, "undo");
    // A change of an earlier test may end just now, and its entry makes the folder again.
    await eventually(
      async () => {
        await rm(folder, { recursive: true, force: true });
        return writeFile(folder, "no folder").then(
          () => true,
          () => false,
        );
      },
      (isThere) => isThere,
    );
    const patch = (value: string) =>
      kubectl([
        ...["-n", "sandbox", "patch", "configmap", "kept", "--type=merge", "-p"],
        JSON.stringify({ data: { a: value } }),
      ]);
    // Only what is sensitive or worse is refused, unless the setting says otherwise.
    await patch("2");
    await gateway.control.call("settings_set", { name: "undo_failure", value: "closed" });
    await expect(patch("3")).rejects.toThrow(/cannot be kept for undo/);
    expect(stored("ConfigMap", "kept")?.data).toEqual({ a: "2" });
    await gateway.control.call("settings_set", { name: "undo_failure", value: "open" });
    await patch("4");
    expect(stored("ConfigMap", "kept")?.data).toEqual({ a: "4" });
  });
});
