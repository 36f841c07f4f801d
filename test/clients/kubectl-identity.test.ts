// Whose identity a cluster sees: a client certificate that the gateway holds is lent to the
// overlay's own contexts and to nobody else, and trust of a cluster is that cluster's only.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findClient, runClient } from "../support/clients.ts";
import { type Cluster, startCluster } from "../support/cluster/cluster.ts";
import { kubeconfigText } from "../support/cluster/kubeconfig-text.ts";
import { type GatewayProcess, startGatewayProcess } from "../support/gateway.ts";

setDefaultTimeout(120_000);

const kubectl = findClient("kubectl");
const curl = findClient("curl");
const base64 = (text: string) => Buffer.from(text).toString("base64");
const WHOAMI = ["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"];

// One gateway, whose overlay each test makes anew, so they come one after another.
let cluster: Cluster;
let gateway: GatewayProcess;

beforeAll(async () => {
  if (kubectl === undefined && curl === undefined) return;
  cluster = await startCluster();
  gateway = await startGatewayProcess();
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

/** A kubeconfig with these users, one context each of the same name. */
function configOf(server: object, users: Readonly<Record<string, object>>): string {
  return JSON.stringify({
    clusters: [{ name: "c", cluster: server }],
    users: Object.entries(users).map(([name, user]) => ({ name, user })),
    contexts: Object.keys(users).map((name) => ({ name, context: { cluster: "c", user: name } })),
  });
}

function run(overlay: string, args: readonly string[], { home } = gateway) {
  return runClient(kubectl ?? "", args, { env: { HOME: home, KUBECONFIG: overlay } });
}

const serverOf = ({ url, caPem }: Cluster) => ({ server: url, "certificate-authority-data": base64(caPem) });
const embedded = ({ admin }: Cluster) => ({
  "client-certificate-data": base64(admin.certPem),
  "client-key-data": base64(admin.keyPem),
});

if (kubectl !== undefined) {
  test("a context with a token stays that token's user beside one with a certificate", async () => {
    const users = { admin: embedded(cluster), viewer: { token: cluster.viewerToken } };
    const overlay = await gateway.overlay(configOf(serverOf(cluster), users));
    for (const [context, name] of [
      ["admin", "kubernetes-admin"],
      ["viewer", "viewer"],
      ["admin", "kubernetes-admin"],
      ["viewer", "viewer"],
    ] as const)
      expect((await run(overlay, [...WHOAMI, "--context", context])).stdout).toBe(name);
  });

  test("a certificate in files is used from where it is, and a new one there is taken up", async () => {
    const [certificate, key] = [join(gateway.home, "me.crt"), join(gateway.home, "me.key")];
    await writeFile(certificate, cluster.admin.certPem);
    await writeFile(key, cluster.admin.keyPem);
    const user = { "client-certificate": certificate, "client-key": key };
    const overlay = await gateway.overlay(configOf(serverOf(cluster), { me: user }), ["--context", "me"]);
    expect((await run(overlay, WHOAMI)).stdout).toBe("kubernetes-admin");
  });

  test("tls-server-name is the name that is verified", async () => {
    await using other = await startCluster({ names: ["kubernetes.default.svc"] });
    const users = { u: { token: other.token } };
    const named = { ...serverOf(other), "tls-server-name": "kubernetes.default.svc" };
    const good = await gateway.overlay(configOf(named, users), ["--context", "u"]);
    expect((await run(good, WHOAMI)).stdout).toBe("operator");
    const unnamed = await gateway.overlay(configOf(serverOf(other), users), ["--context", "u"]);
    const { code, stderr } = await run(unnamed, WHOAMI);
    expect(code).toBe(1);
    expect(stderr).toMatch(/certificate/);
    expect(other.requests.all.every(({ user }) => user?.name === "operator")).toBe(true);
  });

  const overlayFor = (at: GatewayProcess) =>
    at.overlay(configOf(serverOf(cluster), { u: { token: cluster.token } }), ["--context", "u"]);

  test("the overlay works in mode off, in which a daemon was started", async () => {
    await using idle = await startGatewayProcess({ settings: "default_mode: off\n" });
    expect(await run(await overlayFor(idle), WHOAMI, idle)).toMatchObject({ code: 0, stdout: "operator" });
    expect((await idle.control.call("status", {})).proxy_mode).toBe("off");
  });

  test("the overlay works in mode passthrough, where kubectl sees the cluster's own certificate", async () => {
    const overlay = await overlayFor(gateway);
    const { proxy_mode: before } = await gateway.control.call("status", {});
    try {
      expect(await gateway.run(["set-proxy-mode", "passthrough"])).toMatchObject({ code: 0 });
      expect(await run(overlay, WHOAMI)).toMatchObject({ code: 0, stdout: "operator" });
      expect((await gateway.control.call("status", {})).proxy_mode).toBe("passthrough");
    } finally {
      await gateway.run(["set-proxy-mode", before]);
    }
  });

  test("a cluster whose certificate another CA signed is refused, and gets no request and no token", async () => {
    await using impostor = await startCluster();
    const server = { ...serverOf(cluster), server: impostor.url };
    const overlay = await gateway.overlay(configOf(server, { u: { token: cluster.token } }), [
      "--context",
      "u",
    ]);
    const { code, stderr } = await run(overlay, ["get", "pods"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/certificate/);
    expect(impostor.requests.all).toEqual([]);
    const rows = await gateway.rowsWhen((all) => all.some(({ fields }) => fields.status === 502));
    const asked = rows.filter(({ fields }) => fields.path !== undefined && fields.port === impostor.port);
    expect(new Set(asked.map(({ fields }) => fields.status))).toEqual(new Set([502]));
  });

  test("iddio kubeconfig again, from a shell that uses the overlay, makes the same overlay", async () => {
    const overlay = await gateway.overlay(kubeconfigText(cluster, "certificate"));
    const before = await Bun.file(overlay).text();
    expect(await gateway.run(["kubeconfig"], { env: { KUBECONFIG: overlay } })).toMatchObject({ code: 0 });
    expect(await Bun.file(overlay).text()).toBe(before);
    expect((await run(overlay, WHOAMI)).stdout).toBe("kubernetes-admin");
  });

  test("an exec that policy holds goes on, or ends, as a person answers", async () => {
    const policy = `
kubectl:
  inspect: ["*.eks.amazonaws.com"]
  default: escalate
  groups: { read: { tiers: [observe] } }
  rules: { allow: { groups: [read] } }
`;
    await using held = await startGatewayProcess({ policy });
    const overlay = await held.overlay(kubeconfigText(cluster, "token"));
    const start = () => run(overlay, ["exec", "api", "--", "sh", "-c", "echo ran; exit 5"], held);
    const denied = start();
    await held.deny("not today");
    // kubectl takes any failure of the WebSocket for one of the protocol and tries SPDY, which is asked again.
    const { approvals } = await held.control.call("approvals_list", {});
    if (approvals.length > 0 || !(await ended(denied))) await held.deny("not today");
    expect(await denied).toMatchObject({ code: 1, stderr: expect.stringContaining("not today") });
    expect(cluster.requests.matching({ target: /exec/ })).toHaveLength(0);
    const allowed = start();
    await held.approve();
    expect(await allowed).toMatchObject({ code: 5, stdout: "ran\n" });
    expect(cluster.requests.matching({ target: /exec/ })).toHaveLength(1);
  });
}

if (curl !== undefined)
  test("a client without the overlay's token gets no identity from the gateway", async () => {
    const overlay = await gateway.overlay(kubeconfigText(cluster, "certificate"));
    const [, proxy = ""] = /"proxy-url": "([^"]+)"/.exec(await Bun.file(overlay).text()) ?? [];
    const ask = (through: string) =>
      runClient(curl, [
        "--silent",
        "--proxy",
        through,
        "--cacert",
        join(gateway.home, "ca-bundle.pem"),
        `${cluster.url}/api/v1/namespaces/payments/pods`,
      ]);
    expect(JSON.parse((await ask(proxy)).stdout).kind).toBe("PodList");
    for (const through of [
      `http://${gateway.listen}`,
      `http://iddio:wrong@${gateway.listen}`,
      proxy.replace("//iddio:", "//other:"),
      `${proxy.slice(0, proxy.indexOf("@") - 1)}${proxy.slice(proxy.indexOf("@"))}`,
    ])
      expect(JSON.parse((await ask(through)).stdout)).toMatchObject({ kind: "Status", code: 401 });
    expect((await ask(proxy)).stdout).toContain("PodList");
  });

async function ended(running: Promise<unknown>): Promise<boolean> {
  return Promise.race([running.then(() => true), Bun.sleep(500).then(() => false)]);
}
