// Tokens of a cluster: minted by the operator's identity, bound to a Secret, put in the place of a
// placeholder, renewed and ended; and impersonation, which must never fail open. The stand-in
// checks tokens as kube-apiserver 1.36.2 was seen to.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Cluster, startCluster } from "../../support/cluster/cluster.ts";
import { RESOURCES } from "../../support/cluster/object/resources.ts";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { connectTls } from "../../support/wire/proxy-client.ts";

const LONG_MS = 300_000;
let cluster: Cluster;
let daemon: Daemon;
let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
/** Added to the daemon's clock. */
let laterMs = 0;

beforeEach(async () => {
  laterMs = 0;
  folder = await temporaryDirectory();
  cluster = await startCluster();
  const server = `127.0.0.1:${cluster.port}`;
  daemon = await startDaemon({
    policy: `kubectl:\n  inspect: ["${server}"]\n  default: allow\n  groups: { all: { tiers: [observe, modify, sensitive, break-glass] }, write: { tiers: [modify] } }\n  namespaces: [{ names: [asked], rules: { escalate: { groups: [write] } } }]\n  rules: { allow: { groups: [all] } }\n`,
    now: () => Date.now() + laterMs,
  });
  await daemon.control.call("upstreams_add", {
    host: "127.0.0.1",
    port: cluster.port,
    ca_pem: cluster.caPem,
    source: "kubeconfig",
  });
  const users = [{ name: "operator", user: { token: cluster.token } }];
  await writeFile(join(folder.path, "kubeconfig"), JSON.stringify({ users }), { mode: 0o600 });
  for (const name of ["writer", "reader"]) {
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } };
    await direct("POST", "/api/v1/namespaces/payments/serviceaccounts", account);
  }
}, LONG_MS);

afterEach(async () => {
  await daemon[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
}, LONG_MS);

/** A request to the cluster itself. */
async function direct(method: string, path: string, body?: object, token = cluster.token) {
  const answer = await fetch(cluster.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    tls: { ca: cluster.caPem },
  });
  return { status: answer.status, text: await answer.text() };
}

const place = () => ({
  name: "prod",
  kind: "kubernetes",
  context: "stand-in",
  cluster_host: "127.0.0.1",
  cluster_port: cluster.port,
});
const operator = () => ({ kubeconfig: join(folder.path, "kubeconfig"), kubeconfig_user: "operator" });

function add(more: object = { service_account: "payments/writer", tiers: { observe: "payments/reader" } }) {
  return daemon.control.call("credentials_add", {
    ...place(),
    from: "service-account",
    ...operator(),
    ...more,
  });
}

const placeholder = async (runId = "") =>
  (await daemon.control.call("credentials_placeholders", { run_id: runId })).placeholders[0]?.placeholder ??
  "";

/** A request through the gateway; gives the answer, and who asked by the cluster's word. */
async function ask(
  fields: string,
  { method = "GET", path = "/api/v1/namespaces/payments/pods", body = "" } = {},
) {
  const before = cluster.requests.all.length;
  using client = await connectTls(daemon.port, `127.0.0.1:${cluster.port}`, { ca: daemon.caPem });
  client.send(
    `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${cluster.port}\r\nConnection: close\r\n${fields}\r\n${body}`,
  );
  const seen = await client.closed();
  const arrived = cluster.requests.all.slice(before).filter(({ target }) => target === path);
  return { seen, status: Number(seen.slice(9, 12)), user: arrived.at(-1)?.user };
}

const bearer = async () => `Authorization: Bearer ${await placeholder()}\r\n`;
const secrets = () => {
  const kind = RESOURCES.find((each) => each.kind === "Secret");
  const all = kind === undefined ? [] : cluster.store.list(kind, "payments");
  return all.filter(({ metadata }) => metadata.name.startsWith("iddio-"));
};

describe("tokens of service accounts", () => {
  test(
    "requests get the account of their tier, and each mint has a row with id, end, scope and reason",
    async () => {
      await add();
      expect((await ask(await bearer())).user?.name).toBe("system:serviceaccount:payments:reader");
      const changed = await ask(await bearer(), {
        method: "DELETE",
        path: "/api/v1/namespaces/payments/configmaps/settings",
      });
      expect(changed.user?.name).toBe("system:serviceaccount:payments:writer");
      const rows = await daemon.rowsWhen(
        (all) => all.filter(({ fields }) => fields.command === "credential minted").length === 2,
      );
      const minted = rows.filter(({ fields }) => fields.command === "credential minted");
      for (const { fields } of minted) {
        expect(fields.id).toMatch(/^[0-9a-f-]{36}$/);
        expect(fields.bound_to).toMatch(/^secret payments\/iddio-prod-/);
        expect(Number(fields.expires_ms) - Date.now()).toBeWithin(590_000, 601_000);
        expect(fields.reason).toBe("it was added");
      }
    },
    LONG_MS,
  );

  test(
    "a token is used until four fifths of its life are over, and then there is another",
    async () => {
      await add();
      const field = await bearer();
      for (const [minutes, tokens] of [
        [0, 2],
        [7.9, 2],
        [8.1, 3],
        [8.2, 3],
      ] as const) {
        laterMs = minutes * 60_000;
        expect((await ask(field)).status).toBe(200);
        expect(cluster.tokens.all).toHaveLength(tokens);
      }
    },
    LONG_MS,
  );

  test(
    "the cluster's clock may be hours away",
    async () => {
      for (const hours of [-5, 5]) {
        cluster.tokens.skewMs = hours * 3_600_000;
        const before = cluster.tokens.all.length;
        const { credential } = await add();
        expect((credential.expires_ms ?? 0) - Date.now()).toBeWithin(590_000, 601_000);
        const field = await bearer();
        expect((await ask(field)).status).toBe(200);
        expect((await ask(field)).status).toBe(200);
        expect(cluster.tokens.all.length - before).toBe(2);
        await daemon.control.call("credentials_remove", { name: "prod" });
      }
    },
    LONG_MS,
  );

  test(
    "while no other can be minted the old one is used as long as it lasts; then the request is refused",
    async () => {
      await add();
      const field = await bearer();
      cluster.tokens.failure = { status: 403, message: 'serviceaccounts "reader" is forbidden' };
      laterMs = 9 * 60_000;
      expect((await ask(field)).status).toBe(200);
      const { credentials } = await daemon.control.call("credentials_list", {});
      expect(credentials[0]?.problem).toContain("is forbidden");
      laterMs = 10 * 60_000;
      const { status, seen, user } = await ask(field);
      expect(status).toBe(403);
      expect(seen).toContain("is forbidden");
      expect(user).toBeUndefined();
      const rows = await daemon.rowsWhen((all) => all.some(({ fields }) => fields.status === 403));
      expect(rows.find(({ fields }) => fields.status === 403)?.fields.reason).toContain(
        "no token of service account",
      );
    },
    LONG_MS,
  );

  test(
    "minting that is refused adds nothing",
    async () => {
      cluster.tokens.failure = { status: 403, message: "forbidden" };
      await expect(add()).rejects.toThrow("the API server answered 403: forbidden");
      expect((await daemon.control.call("credentials_list", {})).credentials).toEqual([]);
      await expect(add({ service_account: "payments/nobody" })).rejects.toThrow("answered 404");
      await expect(add({ service_account: "payments" })).rejects.toThrow("is not a service account");
      await expect(add({ service_account: "payments/writer", ttl_s: 60 })).rejects.toThrow(
        "between 10m and 24h",
      );
    },
    LONG_MS,
  );

  test(
    "a revoked token has ended at once, and the next request gets another",
    async () => {
      await add();
      const field = await bearer();
      expect((await ask(field)).status).toBe(200);
      const stolen = cluster.tokens.all;
      expect((await direct("GET", "/api/v1/nodes", undefined, stolen[0])).status).toBe(200);
      expect(secrets()).toHaveLength(2);
      await daemon.control.call("credentials_revoke", { name: "prod" });
      expect(secrets()).toEqual([]);
      for (const token of stolen)
        expect((await direct("GET", "/api/v1/nodes", undefined, token)).status).toBe(401);
      expect((await ask(field)).status).toBe(200);
    },
    LONG_MS,
  );

  test(
    "somebody deletes the Secret: that request fails as the cluster says, the next one gets another token",
    async () => {
      await add({ service_account: "payments/writer" });
      const field = await bearer();
      const [secret] = secrets();
      await direct("DELETE", `/api/v1/namespaces/payments/secrets/${secret?.metadata.name}`);
      expect((await ask(field)).status).toBe(401);
      expect((await ask(field)).status).toBe(200);
    },
    LONG_MS,
  );

  test(
    "nothing is left in the cluster when the credential is removed, or the daemon ends",
    async () => {
      await add();
      expect(secrets()).toHaveLength(2);
      await daemon.control.call("credentials_remove", { name: "prod" });
      expect(secrets()).toEqual([]);
      await add();
      await daemon.gateway.stop();
      expect(secrets()).toEqual([]);
    },
    LONG_MS,
  );

  test(
    "a placeholder is worth nothing elsewhere: at the cluster itself, in a run's name, for another cluster",
    async () => {
      await add();
      const own = await placeholder();
      expect((await direct("GET", "/api/v1/nodes", undefined, own)).status).toBe(401);
      expect(await placeholder("run_1")).not.toBe(own);
      expect((await ask(`Authorization: Bearer ${await placeholder("run_1")}\r\n`)).status).toBe(401);
    },
    LONG_MS,
  );

  test(
    "below a path the credential is for that cluster alone",
    async () => {
      await daemon.control.call("credentials_add", {
        ...place(),
        from: "impersonation",
        impersonate: "jane",
        path_prefix: "/k8s/clusters/c-1",
        ...operator(),
      });
      const { status, seen } = await ask(await bearer());
      expect(status).toBe(403);
      expect(seen).toContain("is for another cluster of that server");
    },
    LONG_MS,
  );

  test(
    "a credential of the server itself is not lent to a cluster that is registered below a path of it",
    async () => {
      await daemon.control.call("upstreams_add", {
        host: "127.0.0.1",
        port: cluster.port,
        ca_pem: cluster.caPem,
        source: "test",
        path_prefixes: ["/k8s/clusters/c-2"],
      });
      await daemon.control.call("credentials_add", {
        ...place(),
        from: "impersonation",
        impersonate: "jane",
        ...operator(),
      });
      const path = "/k8s/clusters/c-2/api/v1/namespaces/payments/pods";
      const { status, seen } = await ask(await bearer(), { path });
      expect(status).toBe(403);
      expect(seen).toContain("is for another cluster of that server");
    },
    LONG_MS,
  );
});

test(
  "a token that the agent asks the cluster for stays here: what it gets is good through iddio, for that cluster, and nowhere else",
  async () => {
    await add({ service_account: "payments/writer" });
    const admins = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" };
    const subjects = [{ kind: "ServiceAccount", name: "writer", namespace: "payments" }];
    await direct("POST", admins, { metadata: { name: "writer" }, roleRef, subjects });
    const path = "/api/v1/namespaces/payments/serviceaccounts/reader/token";
    const asked = JSON.stringify({ spec: { expirationSeconds: 600 } });
    const { seen, status } = await ask(
      `${await bearer()}Accept: application/vnd.kubernetes.protobuf\r\nContent-Type: application/json\r\nContent-Length: ${asked.length}\r\n`,
      { method: "POST", path, body: asked },
    );
    expect(status).toBe(201);
    const real = cluster.tokens.all.at(-1) ?? "";
    expect(seen).not.toContain(real);
    const given = /"token":\s*"([^"]+)"/.exec(seen)?.[1] ?? "";
    expect(given).toHaveLength(real.length);
    expect((await ask(`Authorization: Bearer ${given}\r\n`)).user?.name).toBe(
      "system:serviceaccount:payments:reader",
    );
    expect((await direct("GET", "/api/v1/namespaces/payments/pods", undefined, given)).status).toBe(401);
    const rows = await daemon.rowsWhen((all) =>
      all.some(({ fields }) => fields.command === "credential kept"),
    );
    expect(JSON.stringify(rows)).not.toContain(real);
    await daemon.control.call("credentials_revoke", { name: "prod" });
    expect((await ask(`Authorization: Bearer ${given}\r\n`)).user).toBeUndefined();
  },
  LONG_MS,
);

describe("impersonation", () => {
  const jane = (more: object = operator()) =>
    daemon.control.call("credentials_add", {
      ...place(),
      from: "impersonation",
      impersonate: "jane",
      impersonate_groups: ["devs"],
      ...more,
    });

  test(
    "the request goes with the operator's token, as somebody else",
    async () => {
      await jane();
      const { user } = await ask(await bearer());
      expect(user).toEqual({ name: "jane", groups: ["devs", "system:authenticated"], by: "token" });
    },
    LONG_MS,
  );

  test(
    "a request that says itself who acts is refused, however it spells that",
    async () => {
      await jane();
      for (const name of [
        "Impersonate-User",
        "impersonate-extra-scopes",
        "Impersonate_User",
        "X-Remote-User",
        "X_Remote_Group",
      ]) {
        const { status, user, seen } = await ask(`${await bearer()}${name}: system:admin\r\n`);
        expect({ name, status, user }).toEqual({ name, status: 403, user: undefined });
        expect(seen).toContain("acts as 'jane' already");
      }
      const named = await ask(`Connection: Impersonate-User\r\n${await bearer()}`);
      expect({ status: named.status, user: named.user }).toEqual({ status: 400, user: undefined });
    },
    LONG_MS,
  );
});

test(
  "the operator's certificate is never lent at that server without saying who acts",
  async () => {
    const [certificate, key] = [join(folder.path, "me.crt"), join(folder.path, "me.key")];
    await writeFile(certificate, cluster.admin.certPem, { mode: 0o600 });
    await writeFile(key, cluster.admin.keyPem, { mode: 0o600 });
    await daemon.control.call("upstreams_add", {
      host: "127.0.0.1",
      port: cluster.port,
      ca_pem: cluster.caPem,
      certificate_path: certificate,
      key_path: key,
      proxy_token: "overlay-token",
      source: "kubeconfig",
    });
    const { credential } = await daemon.control.call("credentials_add", {
      ...place(),
      from: "impersonation",
      impersonate: "jane",
    });
    expect(credential.from).toBe("impersonation of jane");
    const proxy = `Proxy-Authorization: Basic ${Buffer.from("iddio:overlay-token").toString("base64")}\r\n`;
    const through = async (fields: string) => {
      using client = await connectTls(daemon.port, `127.0.0.1:${cluster.port}`, {
        ca: daemon.caPem,
        fields: proxy,
      });
      client.send(
        `GET /api/v1/nodes HTTP/1.1\r\nHost: 127.0.0.1:${cluster.port}\r\nConnection: close\r\n${fields}\r\n`,
      );
      return await client.closed();
    };
    expect(await through(await bearer())).toStartWith("HTTP/1.1 200 ");
    expect(cluster.requests.all.at(-1)?.user?.name).toBe("jane");
    const before = cluster.requests.all.length;
    const bare = await through("");
    expect(bare).toStartWith("HTTP/1.1 403 ");
    expect(bare).toContain("is lent only with the credential 'prod'");
    expect(cluster.requests.all.length).toBe(before);
    // A second user to act as at the same server keeps nobody from being the first.
    await daemon.control.call("credentials_add", {
      ...place(),
      name: "other",
      from: "impersonation",
      impersonate: "joe",
    });
    const { placeholders } = await daemon.control.call("credentials_placeholders", {});
    const field = (name: string) =>
      `Authorization: Bearer ${placeholders.find((each) => each.name === name)?.placeholder}\r\n`;
    for (const [name, user] of [
      ["prod", "jane"],
      ["other", "joe"],
    ] as const) {
      expect(await through(field(name))).toStartWith("HTTP/1.1 200 ");
      expect(cluster.requests.all.at(-1)?.user?.name).toBe(user);
    }
    const sent = cluster.requests.all.length;
    const both = await through(`${field("prod")}X-Other: ${field("other").slice(15)}`);
    expect(both).toStartWith("HTTP/1.1 403 ");
    expect(both).toContain("2 users to act as");
    expect(await through("")).toContain("is lent only with the credential 'prod'");
    expect(cluster.requests.all.length).toBe(sent);
  },
  LONG_MS,
);

test(
  "no token is in anything that the daemon writes or tells",
  async () => {
    const events: string[] = [];
    const stop = new AbortController();
    const following = (async () => {
      for await (const row of daemon.control.stream("events", { follow: true }, stop.signal))
        events.push(JSON.stringify(row));
    })().catch(() => undefined);
    await direct("POST", "/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "asked" },
    });
    await direct("POST", "/api/v1/namespaces/asked/configmaps", {
      ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "held" } },
      data: { mode: "1" },
    });
    await add();
    const field = await bearer();
    const answers = [(await ask(field)).seen];
    // A change that waits: it is looked at in the client's name, kept for undo, and sent once it is allowed.
    const change = JSON.stringify({ data: { mode: "canary" } });
    const held = ask(
      `${field}Content-Type: application/merge-patch+json\r\nContent-Length: ${change.length}\r\n`,
      { method: "PATCH", path: "/api/v1/namespaces/asked/configmaps/held", body: change },
    );
    const [approval] = await daemon.pending();
    const { effect } = await daemon.control.call("approvals_effect", { id: approval?.id ?? "" });
    answers.push(JSON.stringify([approval, effect, await daemon.control.call("approvals_list", {})]));
    await daemon.control.call("approvals_allow", { id: approval?.id ?? "" });
    answers.push((await held).seen);
    answers.push(JSON.stringify(await daemon.control.call("undo_list", {})));
    // A session that is recorded.
    const upgrade =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n";
    const exec = "/api/v1/namespaces/payments/pods/api/exec?command=echo&command=recorded&stdout=true";
    const session = await ask(`${field}${upgrade}`, { path: exec });
    expect(session.status).toBe(101);
    answers.push(session.seen);
    const { sessions } = await daemon.control.call("sessions_list", {});
    expect(sessions.map(({ argv }) => argv)).toEqual([["echo", "recorded"]]);
    const before = cluster.tokens.all.length;
    cluster.tokens.failure = { status: 403, message: `no: ${cluster.token}` };
    laterMs = 20 * 60_000;
    answers.push((await ask(field)).seen);
    const { credentials } = await daemon.control.call("credentials_list", {});
    stop.abort();
    await following;
    const texts = await Promise.all(
      (await readdir(daemon.home, { recursive: true })).map((name) =>
        readFile(join(daemon.home, name), "latin1").catch(() => ""),
      ),
    );
    const all = [...events, ...answers, JSON.stringify(credentials), ...texts].join("\n");
    expect(cluster.tokens.all.length).toBe(before);
    for (const token of [...cluster.tokens.all, cluster.token]) expect(all.includes(token)).toBe(false);
  },
  LONG_MS,
);
