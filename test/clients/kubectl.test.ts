// A real kubectl, through the compiled gateway, to the stand-in cluster, by way of the overlay that
// `iddio kubeconfig` writes: once as a user with a token, once as one whose client certificate only
// the gateway holds.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Approval } from "../../src/api/reports.ts";
import { type Finished, findClient, type Running, runClient, startClient } from "../support/clients.ts";
import { type Cluster, startCluster } from "../support/cluster/cluster.ts";
import { kubeconfigText } from "../support/cluster/kubeconfig-text.ts";
import { RESOURCES } from "../support/cluster/object/resources.ts";
import type { RequestPattern } from "../support/cluster/request-log.ts";
import { eventually } from "../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../support/gateway.ts";

setDefaultTimeout(300_000);

// In `sandbox` everything may be done, elsewhere reads pass, writes are held and the worst is refused.
const POLICY = `
kubectl:
  inspect: ["*.eks.amazonaws.com"]
  default: escalate
  groups:
    read: { tiers: [observe] }
    write: { tiers: [modify, sensitive] }
    worst: { tiers: [break-glass] }
  namespaces:
    - names: [sandbox]
      rules: { allow: { groups: [read, write, worst] } }
  rules:
    allow: { groups: [read] }
    escalate: { groups: [write] }
    deny: { groups: [worst] }
`;

const found = findClient("kubectl");
const MANIFEST = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "limits", namespace: "payments" },
  data: { rate: "10" },
};
const isOn = (method: string, part: string) => (approval: Approval) =>
  approval.method === method && approval.path.includes(part);

for (const identity of found === undefined ? [] : (["token", "certificate"] as const))
  describe(`kubectl with a ${identity}`, () => {
    const program = found ?? "";
    let cluster: Cluster;
    let gateway: GatewayProcess;
    let overlay: string;

    const environment = (more: Readonly<Record<string, string>> = {}) => ({
      HOME: gateway.home,
      KUBECONFIG: overlay,
      ...more,
    });
    const kubectl = (args: readonly string[], input?: string | Uint8Array, env = {}): Promise<Finished> =>
      runClient(program, args, { env: environment(env), ...(input === undefined ? {} : { input }) });
    const start = (args: readonly string[], env = {}): Running =>
      startClient(program, args, { env: environment(env) });
    const reached = (pattern: RequestPattern) => cluster.requests.matching(pattern);
    /**
     * Where the identity has no part: what is refused before one is used, streams once they are open, and more
     * requests of a kind that others make with it.
     */
    const once = (name: string, run: () => Promise<void>, limitMs?: number) => {
      if (identity === "token") test(name, run, limitMs);
    };

    beforeAll(async () => {
      cluster = await startCluster();
      gateway = await startGatewayProcess({ policy: POLICY, settings: "approval_timeout: 25s\n" });
      overlay = await gateway.overlay(kubeconfigText(cluster, identity));
    });
    afterAll(async () => {
      await gateway?.[Symbol.asyncDispose]();
      await cluster?.[Symbol.asyncDispose]();
    });

    describe("what is harmless passes", () => {
      test("the cluster sees the operator's own identity, and the overlay holds no key", async () => {
        const { stdout, stderr } = await kubectl([
          "auth",
          "whoami",
          "-o",
          "jsonpath={.status.userInfo.username}",
        ]);
        expect({ stdout, stderr }).toEqual({
          stdout: identity === "token" ? "operator" : "kubernetes-admin",
          stderr: "",
        });
        const text = await readFile(overlay, "utf8");
        expect(text).not.toContain("client-key");
        expect(text).not.toContain("client-certificate");
        expect(reached({}).every((request) => request.user?.by === identity)).toBe(true);
      });

      test("get prints tables and JSON, and each request is one row", async () => {
        const table = await kubectl(["get", "pods"]);
        expect(table.stdout).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE\napi +1\/1 +Running/);
        const json = await kubectl(["get", "configmap", "settings", "-o", "json"]);
        expect(JSON.parse(json.stdout).data).toEqual({ mode: "safe" });
        const rows = await gateway.rowsWhen((all) =>
          all.some(({ fields }) => fields.path?.endsWith("/settings")),
        );
        expect(rows.filter(({ fields }) => fields.path?.endsWith("/configmaps/settings"))).toHaveLength(1);
        expect(rows.at(-1)).toMatchObject({
          op: "mitm",
          fields: {
            protocol: "kubectl",
            tier: "observe",
            decision: "allow",
            outcome: "allowed",
            status: 200,
          },
        });
      });

      once("get -w shows changes as they happen", async () => {
        await using watch = start(["get", "configmaps", "-w", "-o", "name"]);
        await watch.until("configmap/settings");
        for (const name of ["first", "second"]) {
          await kubectl(["create", "configmap", name, "-n", "sandbox"]);
          const resource = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "payments" } };
          addDirectly(cluster, resource);
          await watch.until(`configmap/${name}`);
        }
        expect(watch.stdout).not.toContain("sandbox");
      });

      once("logs -f shows lines as they are written", async () => {
        await using logs = start(["logs", "-f", "api"]);
        await logs.until("listening on port 8080");
        for (const line of ["request one", "request two"]) {
          cluster.pods.log("payments", "api", line);
          await logs.until(line);
        }
      });

      test("auth can-i asks the cluster", async () => {
        expect(await kubectl(["auth", "can-i", "delete", "pods"])).toMatchObject({
          code: 0,
          stdout: "yes\n",
        });
      });

      test("--dry-run=server reaches the cluster without approval and changes nothing", async () => {
        const dry = ["--dry-run=server", "-f", "-"];
        const applied = await kubectl(["apply", ...dry], JSON.stringify(MANIFEST));
        expect(applied).toMatchObject({ code: 0, stdout: "configmap/limits created (server dry run)\n" });
        const deleted = await kubectl(["delete", "configmap", "settings", "--dry-run=server"]);
        expect(deleted).toMatchObject({ code: 0 });
        expect((await kubectl(["get", "configmap", "-o", "name"])).stdout).toContain("configmap/settings");
        expect((await kubectl(["get", "configmap", "limits"])).stderr).toContain("NotFound");
      });

      once("an error of the cluster itself arrives as the cluster wrote it", async () => {
        const { code, stderr } = await kubectl(["get", "pod", "nobody"]);
        expect({ code, stderr }).toEqual({
          code: 1,
          stderr: 'Error from server (NotFound): pods "nobody" not found\n',
        });
      });
    });

    describe("what is held", () => {
      test("apply waits, creates when approved, and arrives exactly once", async () => {
        const target =
          /^\/api\/v1\/namespaces\/payments\/configmaps\?fieldManager=kubectl-client-side-apply&fieldVal/;
        const apply = kubectl(["apply", "-f", "-"], JSON.stringify(MANIFEST));
        const approval = await gateway.held(isOn("POST", "configmaps"));
        expect(approval).toMatchObject({
          tier: "modify",
          command: "configmaps create",
          labels: { namespace: "payments" },
        });
        expect(reached({ method: "POST", target })).toHaveLength(0);
        await gateway.approve();
        expect(await apply).toMatchObject({ code: 0, stdout: "configmap/limits created\n" });
        const [request, ...more] = reached({ method: "POST", target });
        expect(more).toEqual([]);
        expect(JSON.parse(Buffer.from(request?.body ?? []).toString()).data).toEqual({ rate: "10" });
        const rows = await gateway.rowsWhen((all) =>
          all.some(({ op, fields }) => op === "mitm" && fields.outcome === "approved"),
        );
        const mine = rows.filter(({ fields }) => fields.approval_id === approval.id && fields.request_id);
        expect(mine.map(({ op }) => op).filter((op) => op !== "control")).toEqual(["intent", "mitm"]);
        const [intent] = mine.filter(({ op }) => op === "intent");
        expect(intent?.timestamp_ms).toBeLessThanOrEqual(request?.at ?? 0);
      });

      test("apply of a change patches when approved", async () => {
        const apply = kubectl(["apply", "-f", "-"], JSON.stringify({ ...MANIFEST, data: { rate: "20" } }));
        await gateway.approve(isOn("PATCH", "configmaps/limits"));
        expect(await apply).toMatchObject({ code: 0, stdout: "configmap/limits configured\n" });
        const json = await kubectl(["get", "configmap", "limits", "-o", "jsonpath={.data.rate}"]);
        expect(json.stdout).toBe("20");
      });

      once(
        "one answer lets a command of three objects through, an apply and a deletion",
        async () => {
          const items = ["one", "two", "three"].map((name) => ({
            ...MANIFEST,
            metadata: { ...MANIFEST.metadata, name, labels: { set: "many" } },
          }));
          const list = items.map((each) => JSON.stringify(each)).join("\n");
          const commands = [
            ["PATCH", ["apply", "--server-side", "-f", "-"], list],
            ["DELETE", ["delete", "configmap", "-l", "set=many", "--wait=false"], ""],
          ] as const;
          for (const [method, args, input] of commands) {
            const done = kubectl(args, input);
            const { id } = await gateway.held((each) => each.method === method && each.restable === true);
            expect((await gateway.run(["approval", "allow", id, "--rest-of-command"])).code).toBe(0);
            expect(await done).toMatchObject({ code: 0 });
            const arrived = reached({ method, target: /configmaps\/(?:one|two|three)/ });
            expect(arrived).toHaveLength(3);
          }
        },
        100_000,
      );

      once("delete goes through when approved, and kubectl sees the object gone", async () => {
        const deleted = kubectl(["delete", "configmap", "limits"]);
        expect(await gateway.approve(isOn("DELETE", "configmaps/limits"))).toMatchObject({
          tier: "sensitive",
        });
        expect(await deleted).toMatchObject({ code: 0, stdout: 'configmap "limits" deleted\n' });
        expect(reached({ method: "DELETE", target: /configmaps\/limits$/ })).toHaveLength(1);
      });

      once("a denial prints who said no and why as kubectl's own error, and nothing arrives", async () => {
        const secret = kubectl(["get", "secret", "db"]);
        await gateway.deny("not in this window", isOn("GET", "secrets/db"));
        const { code, stderr, stdout } = await secret;
        expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
        expect(stderr).toMatch(/^Error from server \(Forbidden\): .*secrets get/);
        expect(stderr).toContain("not in this window");
        expect(stderr).toContain("sensitive");
        expect(reached({ target: /secrets/ })).toHaveLength(0);
      });

      test("a kubectl that goes away withdraws its request; a later allow executes nothing", async () => {
        const scale = start(["create", "configmap", "abandoned"]);
        const approval = await gateway.held(isOn("POST", "configmaps"));
        await scale.stop();
        await gateway.rowsWhen((all) => all.some(({ fields }) => fields.outcome === "withdrawn"));
        await gateway.run(["approval", "allow", approval.id]);
        expect((await kubectl(["get", "configmap", "abandoned"])).stderr).toContain("NotFound");
        expect(
          reached({ method: "POST", target: /payments\/configmaps\?fieldManager=kubectl-create/ }),
        ).toHaveLength(0);
      });
    });

    describe("what is refused", () => {
      for (const [what, args, attempt = once] of [
        ["exec", ["exec", "api", "--", "id"], test],
        ["attach", ["attach", "api"]],
        ["cp", ["cp", "api:/etc/hosts", "hosts"]],
        ["port-forward", ["port-forward", "pod/api", ":8080"]],
        ["a cluster role binding", ["create", "clusterrolebinding", "x", "--clusterrole=a", "--user=b"]],
        ["impersonation", ["get", "pods", "--as=system:admin"], test],
      ] as const)
        attempt(`${what} outside the sandbox is refused at once and never arrives`, async () => {
          const before = reached({}).length;
          const { code, stderr } = await kubectl(args);
          expect(code).not.toBe(0);
          expect(stderr).toMatch(/refused/);
          expect(stderr).toContain("break-glass");
          const arrived = reached({}).slice(before);
          expect(
            arrived.filter(
              ({ method, target }) => method !== "GET" || /exec|attach|portforward/.test(target),
            ),
          ).toEqual([]);
          expect(
            arrived.filter(({ headers }) => headers.some(([name]) => /^impersonate/i.test(name))),
          ).toEqual([]);
        });
    });

    describe("a Pod that takes its node", () => {
      const container = { name: "c", image: "busybox", securityContext: { privileged: true } };
      const deployment = (namespace: string) =>
        JSON.stringify({
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name: "taker", namespace },
          spec: {
            selector: { matchLabels: { app: "taker" } },
            template: { metadata: { labels: { app: "taker" } }, spec: { containers: [container] } },
          },
        });
      const rows: readonly (readonly [what: string, args: readonly string[], input?: string])[] = [
        ["debug of a node", ["debug", "node/node-1", "--profile=sysadmin", "--image=busybox"]],
        ["a privileged run", ["run", "taker", "--image=busybox", "--privileged"]],
        ["apply of a privileged Deployment", ["apply", "-f", "-"], deployment("payments")],
        ["the same by server-side apply", ["apply", "--server-side", "-f", "-"], deployment("payments")],
      ];
      for (const [what, args, input] of rows)
        once(`${what} is refused as break-glass and never arrives`, async () => {
          const before = reached({}).length;
          const { code, stderr } = await kubectl(args, input);
          expect(code).not.toBe(0);
          expect(stderr).toContain("break-glass");
          expect(
            reached({})
              .slice(before)
              .filter(({ method }) => method !== "GET"),
          ).toEqual([]);
        });

      once("where break-glass is allowed it arrives as kubectl sent it", async () => {
        expect(await kubectl(["apply", "-f", "-"], deployment("sandbox"))).toMatchObject({ code: 0 });
        const [request] = reached({ method: "POST", target: /sandbox\/deployments/ });
        expect(Buffer.from(request?.body ?? []).toString()).toContain('"privileged":true');
      });
    });

    for (const [protocol, method, env] of [
      ["WebSocket", "GET", {}],
      [
        "SPDY",
        "POST",
        { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false", KUBECTL_PORT_FORWARD_WEBSOCKETS: "false" },
      ],
    ] as const)
      describe(`streams over ${protocol}`, () => {
        const inSandbox = (...args: string[]) => ["-n", "sandbox", ...args];
        const noise = crypto.getRandomValues(new Uint8Array(65_536));
        const payload = Buffer.concat(Array.from({ length: 32 }, () => noise));

        test("exec carries output, errors and the exit code", async () => {
          const script = "echo out; echo err >&2; exit 7";
          const result = await kubectl(inSandbox("exec", "tools", "--", "sh", "-c", script), undefined, env);
          expect(result).toMatchObject({ code: 7, stdout: "out\n" });
          expect(result.stderr).toContain("err\n");
          expect(reached({ method, target: /pods\/tools\/exec\?/ }).length).toBeGreaterThan(0);
        });

        test("exec carries input of some size, unchanged and to its end", async () => {
          const sum = Bun.SHA256.hash(payload, "hex");
          const command = inSandbox("exec", "-i", "tools", "--", "sha256sum");
          expect((await kubectl(command, payload, env)).stdout).toBe(`${sum}  -\n`);
        });

        once("cp copies into a pod and out of it again", async () => {
          const [there, back] = [join(gateway.home, "there.bin"), join(gateway.home, `back-${protocol}.bin`)];
          await writeFile(there, payload);
          expect(await kubectl(inSandbox("cp", there, "tools:/data.bin"), undefined, env)).toMatchObject({
            code: 0,
          });
          expect(await kubectl(inSandbox("cp", "tools:/data.bin", back), undefined, env)).toMatchObject({
            code: 0,
          });
          expect(Buffer.compare(await readFile(back), payload)).toBe(0);
        });

        once("port-forward serves several connections, both ways", async () => {
          await using forward = start(inSandbox("port-forward", "pod/tools", ":8080"), env);
          await forward.until("Forwarding from 127.0.0.1:");
          const port = /127\.0\.0\.1:(\d+)/.exec(forward.stdout)?.[1] ?? "";
          for (let round = 0; round < 3; round++)
            expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe(
              "hello from tools port 8080\n",
            );
          expect(reached({ method, target: /pods\/tools\/portforward/ })).toHaveLength(1);
        });

        once("attach shows what the container prints", async () => {
          await using attached = start(inSandbox("attach", "tools"), env);
          await eventually(
            async () => reached({ method, target: /pods\/tools\/attach/ }).length,
            (count) => count > 0,
          );
          // The line may be written before the stream is open, so it is repeated until it is seen.
          await eventually(
            async () => {
              cluster.pods.log("sandbox", "tools", "still here");
              return attached.stdout;
            },
            (stdout) => stdout.includes("still here"),
          );
        });
      });
  });

if (found !== undefined)
  test("what nobody approves in time says so in kubectl's own error line and never arrives", async () => {
    await using cluster = await startCluster();
    await using gateway = await startGatewayProcess({ policy: POLICY, settings: "approval_timeout: 1s\n" });
    const overlay = await gateway.overlay(kubeconfigText(cluster, "token"));
    const env = { HOME: gateway.home, KUBECONFIG: overlay };
    const { code, stderr } = await runClient(found, ["delete", "configmap", "settings"], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error from server \(Forbidden\): .*nobody approved/);
    expect(cluster.requests.matching({ method: "DELETE" })).toEqual([]);
    const rows = await gateway.rowsWhen((all) => all.some(({ fields }) => fields.outcome === "timed_out"));
    expect(rows.filter(({ op }) => op === "intent")).toEqual([]);
  });

function addDirectly(cluster: Cluster, object: Parameters<Cluster["store"]["create"]>[1]): void {
  const resource = RESOURCES.find(({ kind }) => kind === object.kind);
  if (resource === undefined) throw new Error(`no such kind ${object.kind}`);
  cluster.store.create(resource, object);
}
