// The stand-in cluster by itself: what the tests through the gateway rely on, tried by a real
// kubectl that talks to it directly.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:tls";
import { type Finished, findClient, runClient } from "../support/clients.ts";
import { type Cluster, startCluster } from "../support/cluster/cluster.ts";
import { type KubeconfigUser, kubeconfigText } from "../support/cluster/kubeconfig-text.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

setDefaultTimeout(300_000);

const program = findClient("kubectl");
const container = (image: string) => ({ name: "shop", image, env: [{ name: "A", value: "1" }] });
const deployment = (image: string, replicas = 2) =>
  JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "shop", namespace: "payments" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "shop" } },
      template: { metadata: { labels: { app: "shop" } }, spec: { containers: [container(image)] } },
    },
  });

if (program !== undefined)
  describe("kubectl against the stand-in", () => {
    let cluster: Cluster;
    let home: Awaited<ReturnType<typeof temporaryDirectory>>;

    beforeAll(async () => {
      [cluster, home] = await Promise.all([startCluster(), temporaryDirectory()]);
    });
    afterAll(async () => {
      await cluster?.[Symbol.asyncDispose]();
      await home?.[Symbol.asyncDispose]();
    });

    async function kubectlAs(
      user: KubeconfigUser,
      args: readonly string[],
      input?: string,
    ): Promise<Finished> {
      const config = join(home.path, `config-${crypto.randomUUID()}`);
      await writeFile(config, kubeconfigText(cluster, user));
      const env = { HOME: home.path, KUBECONFIG: config };
      return runClient(program ?? "", args, { env, ...(input === undefined ? {} : { input }) });
    }
    const kubectl = (args: readonly string[], input?: string) => kubectlAs("token", args, input);

    for (const [user, name] of [
      ["token", "operator"],
      ["certificate", "kubernetes-admin"],
      ["viewer", "viewer"],
    ] as const)
      test(`knows a user by ${user}`, async () => {
        const { stdout } = await kubectlAs(user, [
          "auth",
          "whoami",
          "-o",
          "jsonpath={.status.userInfo.username}",
        ]);
        expect(stdout).toBe(name);
      });

    test("turns strangers away", async () => {
      for (const user of [{ token: "wrong" }, { username: "a", password: "b" }])
        expect((await kubectlAs(user, ["get", "pods"])).stderr).toContain("You must be logged in");
    });

    test("apply, scale, rollout and delete work on a deployment and its pods", async () => {
      expect((await kubectl(["apply", "-f", "-"], deployment("shop:1"))).stdout).toContain("created");
      expect((await kubectl(["apply", "-f", "-"], deployment("shop:1"))).stdout).toContain("unchanged");
      expect((await kubectl(["set", "image", "deploy/shop", "shop=shop:2"])).stdout).toContain(
        "image updated",
      );
      expect((await kubectl(["rollout", "status", "deploy/shop"])).stdout).toContain(
        "successfully rolled out",
      );
      await kubectl(["scale", "deploy/shop", "--replicas=3"]);
      expect(
        (await kubectl(["get", "pods", "-l", "app=shop", "-o", "name"])).stdout.match(/pod\//g),
      ).toHaveLength(3);
      const image = "-o=jsonpath={.items[0].spec.containers[0].image}";
      expect((await kubectl(["get", "pods", "-l", "app=shop", image])).stdout).toBe("shop:2");
      await kubectl(["delete", "deploy", "shop"]);
      expect((await kubectl(["get", "pods,rs", "-l", "app=shop"])).stderr).toContain("No resources found");
    });

    test("server-side apply knows owners, and fields that are no longer applied go away", async () => {
      const map = (data: object) =>
        JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "owned" }, data });
      const apply = (manager: string, data: object, ...more: string[]) =>
        kubectl(["apply", "--server-side", "--field-manager", manager, "-f", "-", ...more], map(data));
      expect((await apply("one", { a: "1", b: "1" })).stdout).toContain("serverside-applied");
      expect((await apply("two", { a: "2" })).stderr).toContain('conflict with "one": .data.a');
      expect((await apply("two", { a: "2" }, "--force-conflicts")).code).toBe(0);
      await apply("one", {});
      const { stdout } = await kubectl(["get", "configmap", "owned", "-o", "jsonpath={.data}"]);
      expect(JSON.parse(stdout)).toEqual({ a: "2" });
    });

    for (const [type, patch, want] of [
      ["merge", '{"data":{"mode":"merged"}}', "merged"],
      ["strategic", '{"data":{"mode":"strategic"}}', "strategic"],
      ["json", '[{"op":"replace","path":"/data/mode","value":"json"}]', "json"],
    ] as const)
      test(`takes ${type} patches`, async () => {
        await kubectl(["patch", "configmap", "settings", "--type", type, "-p", patch]);
        const { stdout } = await kubectl(["get", "configmap", "settings", "-o", "jsonpath={.data.mode}"]);
        expect(stdout).toBe(want);
      });

    test("typed commands, which send protobuf, work", async () => {
      for (const args of [
        ["create", "deployment", "typed", "--image=x:1", "--port=80"],
        ["create", "secret", "generic", "typed", "--from-literal=a=b"],
        ["create", "role", "typed", "--verb=get", "--resource=pods"],
        ["create", "namespace", "typed"],
        ["expose", "deployment", "typed", "--port=80"],
        ["delete", "namespace", "typed"],
      ])
        expect(await kubectl(args)).toMatchObject({ code: 0, stderr: "" });
    });

    test("explain, diff and describe find what they ask for", async () => {
      expect((await kubectl(["explain", "deployment.spec.replicas"])).stdout).toContain("<integer>");
      const diff = await kubectl(["diff", "-f", "-"], deployment("shop:9"));
      expect(diff).toMatchObject({ code: 1 });
      expect(diff.stdout).toContain("shop:9");
      expect((await kubectl(["describe", "pod", "api"])).stdout).toContain("registry.example/app:1");
    });

    test("refuses what a cluster refuses", async () => {
      expect((await kubectl(["create", "configmap", "Bad_Name"])).stderr).toContain("RFC 1123");
      expect((await kubectl(["create", "configmap", "x", "-n", "absent"])).stderr).toContain(
        'namespaces "absent" not found',
      );
      expect((await kubectl(["create", "configmap", "settings"])).stderr).toContain("already exists");
      expect((await kubectl(["delete", "namespace", "default"])).stderr).toContain("may not be deleted");
    });

    test("a collection is deleted as one, a dry run of it deletes nothing", async () => {
      const raw = (suffix: string) =>
        kubectl(["delete", "--raw", `/api/v1/namespaces/sandbox/pods?labelSelector=app%3Dtools${suffix}`]);
      const count = async () => (await kubectl(["get", "pods", "-n", "sandbox", "-o", "name"])).stdout;
      await raw("&dryRun=All");
      expect(await count()).toBe("pod/tools\n");
      await raw("");
      expect(await count()).toBe("");
    });
  });

test("what reached the stand-in is kept to the byte", async () => {
  await using cluster = await startCluster();
  const sent =
    `GET /api/v1/namespaces/payments/pods/%61pi?x=%20&x HTTP/1.1\r\nhost: a\r\nX-Odd:  b \r\n` +
    `AUTHORIZATION: Bearer ${cluster.token}\r\nContent-Length: 3\r\n\r\n\x00\xff!`;
  const socket = connect({ port: cluster.port, host: cluster.host, ca: [cluster.caPem] });
  socket.write(Buffer.from(sent, "latin1"));
  const request = await cluster.requests.waitFor({ target: /%61pi/ });
  socket.destroy();
  expect(request).toMatchObject({
    method: "GET",
    target: "/api/v1/namespaces/payments/pods/%61pi?x=%20&x",
    user: { name: "operator" },
  });
  const received = Buffer.concat([request.head, request.body]).toString("latin1");
  expect(received).toBe(sent);
});
