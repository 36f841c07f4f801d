// The kubeconfig that agents get: the operator's contexts through the gateway, and nothing that
// would work without it.

import { describe, expect, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Kubeconfig, readKubeconfig } from "../../src/host/kubeconfig/kubeconfig.ts";
import { overlayToken, renderOverlay, serverTrusts } from "../../src/host/kubeconfig/overlay.ts";
import { refuseForeignTarget } from "../../src/host/kubeconfig/overlay-target.ts";
import { UserError } from "../../src/model/user-error.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const OTHER_CA = CA.replace("MIIB", "MIIC");
const base64 = (text: string) => Buffer.from(text).toString("base64");
const OPTIONS = {
  proxyListen: "127.0.0.1:9443",
  token: "tok_en-1",
  bundlePath: "/home/me/.iddio/ca-bundle.pem",
  caPem: CA.replace("MIIB", "MIIA"),
};
const CERTIFICATE = { "client-certificate-data": base64(CA), "client-key-data": base64("a private key") };

interface Config {
  readonly clusters?: Readonly<Record<string, object>>;
  readonly users?: Readonly<Record<string, object>>;
  /** Context name to cluster and user. */
  readonly contexts?: Readonly<Record<string, readonly [string, string]>>;
}

async function read({
  clusters = {},
  users = {},
  contexts = {},
}: Config): Promise<Kubeconfig & { file: string }> {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, "config");
  const text = JSON.stringify({
    "current-context": Object.keys(contexts)[0],
    clusters: Object.entries(clusters).map(([name, cluster]) => ({ name, cluster })),
    users: Object.entries(users).map(([name, user]) => ({ name, user })),
    contexts: Object.entries(contexts).map(([name, [cluster, user]]) => ({
      name,
      context: { cluster, user, namespace: `${name}-space` },
    })),
  });
  await writeFile(file, text);
  return { ...(await readKubeconfig({ KUBECONFIG: file })), file };
}

interface Overlay {
  readonly "current-context": string;
  readonly clusters: readonly {
    readonly name: string;
    readonly cluster: Readonly<Record<string, unknown>>;
  }[];
  readonly users: readonly { readonly name: string; readonly user: Readonly<Record<string, unknown>> }[];
  readonly contexts: readonly {
    readonly name: string;
    readonly context: Readonly<Record<string, unknown>>;
  }[];
}

async function overlayOf(config: Config): Promise<Overlay> {
  return JSON.parse(renderOverlay(await read(config), OPTIONS)) as Overlay;
}

const SERVER = { server: "https://10.0.0.7:6443", "certificate-authority-data": base64(CA) };

describe("the overlay", () => {
  test("keeps contexts and the current one, and leads through the gateway with its CA", async () => {
    const overlay = await overlayOf({
      clusters: { kind: { ...SERVER, "tls-server-name": "kubernetes" } },
      users: { admin: CERTIFICATE },
      contexts: { dev: ["kind", "admin"] },
    });
    expect(overlay["current-context"]).toBe("dev");
    expect(overlay.contexts).toEqual([
      { name: "dev", context: { cluster: "kind", user: "admin", namespace: "dev-space" } },
    ]);
    expect(overlay.clusters).toEqual([
      {
        name: "kind",
        cluster: {
          server: "https://10.0.0.7:6443",
          "tls-server-name": "kubernetes",
          // Two certificates, not the whole bundle: with it iddio's modes off and passthrough work too.
          "certificate-authority-data": base64(OPTIONS.caPem + CA),
          "proxy-url": "http://iddio:tok_en-1@127.0.0.1:9443",
        },
      },
    ]);
  });

  test("holds no client certificate and no key, in whatever form they were", async () => {
    const kubeconfig = await read({
      clusters: { a: SERVER },
      users: { admin: { ...CERTIFICATE, "client-certificate": "/a", "client-key": "/b", as: "someone" } },
      contexts: { dev: ["a", "admin"] },
    });
    const text = renderOverlay(kubeconfig, OPTIONS);
    expect(text).not.toMatch(/client-(?:key|certificate)/);
    expect(text).not.toContain(base64("a private key"));
    expect((JSON.parse(text) as Overlay).users[0]?.user).toEqual({ as: "someone", username: "iddio" });
  });

  for (const [what, user] of [
    ["tokens", { token: "t" }],
    ["token files", { tokenFile: "/var/run/token" }],
    [
      "exec plugins",
      { exec: { apiVersion: "v1", command: "aws", args: ["eks"], env: [{ name: "A", value: "b" }] } },
    ],
    ["auth providers", { "auth-provider": { name: "oidc", config: { "id-token": "x" } } }],
    ["impersonation", { token: "t", as: "a", "as-groups": ["b"] }],
  ] as const)
    test(`leaves ${what} as they are`, async () => {
      const overlay = await overlayOf({
        clusters: { a: SERVER },
        users: { u: user },
        contexts: { c: ["a", "u"] },
      });
      expect(overlay.users).toEqual([{ name: "u", user }]);
    });

  test("makes relative paths absolute, because it lies elsewhere", async () => {
    const kubeconfig = await read({
      clusters: { a: SERVER },
      users: { u: { exec: { command: "./bin/plugin" } }, v: { tokenFile: "token" } },
      contexts: { c: ["a", "u"], d: ["a", "v"] },
    });
    const overlay = JSON.parse(renderOverlay(kubeconfig, OPTIONS)) as Overlay;
    const place = kubeconfig.file.replace(/\/config$/, "");
    expect(overlay.users.map(({ user }) => user)).toEqual([
      { exec: { command: `${place}/bin/plugin` } },
      { tokenFile: `${place}/token` },
    ]);
  });

  test("gives the token only to contexts whose certificate iddio holds, also when they share a cluster", async () => {
    const overlay = await overlayOf({
      clusters: { a: SERVER },
      users: { admin: CERTIFICATE, reader: { token: "t" } },
      contexts: { admin: ["a", "admin"], reader: ["a", "reader"] },
    });
    const proxyOf = (context: string) => {
      const name = overlay.contexts.find((each) => each.name === context)?.context.cluster;
      return overlay.clusters.find((each) => each.name === name)?.cluster["proxy-url"];
    };
    expect(proxyOf("admin")).toBe("http://iddio:tok_en-1@127.0.0.1:9443");
    expect(proxyOf("reader")).toBe("http://127.0.0.1:9443");
  });

  test("of a cluster in the clear has no CA", async () => {
    const { clusters } = await overlayOf({
      clusters: { a: { server: "http://localhost:8001" } },
      users: { u: {} },
      contexts: { c: ["a", "u"] },
    });
    expect(clusters[0]?.cluster).toEqual({
      server: "http://localhost:8001",
      "proxy-url": "http://127.0.0.1:9443",
    });
  });

  test("gives its token back", async () => {
    const config = {
      clusters: { a: SERVER },
      users: { u: CERTIFICATE },
      contexts: { c: ["a", "u"] } as const,
    };
    expect(overlayToken(renderOverlay(await read(config), OPTIONS))).toBe("tok_en-1");
    expect(overlayToken("proxy-url: http://127.0.0.1:9443")).toBeUndefined();
  });

  test("reads back as an overlay of its original", async () => {
    await using directory = await temporaryDirectory();
    const original = join(directory.path, "config");
    await writeFile(
      original,
      JSON.stringify({
        clusters: [{ name: "a", cluster: SERVER }],
        users: [{ name: "u", user: CERTIFICATE }],
        contexts: [{ name: "c", context: { cluster: "a", user: "u" } }],
      }),
    );
    const first = await readKubeconfig({ KUBECONFIG: original });
    const overlay = join(directory.path, "overlay");
    await writeFile(overlay, renderOverlay(first, OPTIONS));
    expect(await readKubeconfig({ KUBECONFIG: overlay })).toEqual(first);
  });
});

describe("the trust of servers", () => {
  test("is one row a host and port, with the certificate of whichever context has one", async () => {
    const kubeconfig = await read({
      clusters: {
        a: SERVER,
        again: { ...SERVER, server: "https://10.0.0.7:6443/" },
        b: { server: "https://b" },
      },
      users: { reader: { token: "t" }, admin: CERTIFICATE },
      contexts: { one: ["a", "reader"], two: ["again", "admin"], three: ["b", "reader"] },
    });
    expect(serverTrusts(kubeconfig)).toEqual([
      {
        host: "10.0.0.7",
        port: 6443,
        caPem: CA,
        identity: { certificatePath: kubeconfig.file, kubeconfigUser: "admin" },
        pathPrefixes: [],
        proxyUrl: "",
      },
      { host: "b", port: 443, caPem: "", pathPrefixes: [], proxyUrl: "" },
    ]);
  });

  test("holds the path of every cluster there and the way to it, of which there is one", async () => {
    const rancher = (id: string, more = {}) => ({
      ...SERVER,
      server: `https://rancher.example/k8s/clusters/${id}/`,
      "proxy-url": "socks5://u:p@10.0.0.1:1080",
      ...more,
    });
    const both = (second: object) =>
      read({
        clusters: { a: rancher("c-1"), b: second },
        users: { u: { token: "t" } },
        contexts: { one: ["a", "u"], two: ["b", "u"] },
      });
    expect(serverTrusts(await both(rancher("c-m-2")))).toEqual([
      {
        host: "rancher.example",
        port: 443,
        caPem: CA,
        pathPrefixes: ["/k8s/clusters/c-1", "/k8s/clusters/c-m-2"],
        proxyUrl: "socks5://u:p@10.0.0.1:1080",
      },
    ]);
    const other = await both(rancher("c-2", { "proxy-url": "" }));
    expect(() => serverTrusts(other)).toThrow(/different ways \(proxy-url\)/);
  });

  test("holds every CA that is named for a server", async () => {
    const [trust] = serverTrusts(
      await read({
        clusters: { a: SERVER, b: { ...SERVER, "certificate-authority-data": base64(OTHER_CA) } },
        users: { u: { token: "t" } },
        contexts: { one: ["a", "u"], two: ["b", "u"] },
      }),
    );
    expect(trust?.caPem).toContain("MIIB");
    expect(trust?.caPem).toContain("MIIC");
  });

  test("two certificates for one server are an error that says to pick a context", async () => {
    const kubeconfig = await read({
      clusters: { a: SERVER },
      users: { admin: CERTIFICATE, other: CERTIFICATE },
      contexts: { one: ["a", "admin"], two: ["a", "other"] },
    });
    expect(() => serverTrusts(kubeconfig)).toThrow(UserError);
    expect(() => serverTrusts(kubeconfig)).toThrow(/'one' and 'two'/);
  });

  test("two names to verify one server by are an error", async () => {
    const kubeconfig = await read({
      clusters: { a: { ...SERVER, "tls-server-name": "x" }, b: SERVER },
      users: { u: { token: "t" } },
      contexts: { one: ["a", "u"], two: ["b", "u"] },
    });
    expect(() => serverTrusts(kubeconfig)).toThrow(/tls-server-name/);
  });

  test("leaves out what is in the clear", async () => {
    const kubeconfig = await read({
      clusters: { a: { server: "http://localhost:8001" } },
      users: { u: {} },
      contexts: { c: ["a", "u"] },
    });
    expect(serverTrusts(kubeconfig)).toEqual([]);
  });
});

describe("what the overlay may be written over", () => {
  test("nothing, or an overlay; never another file", async () => {
    await using directory = await temporaryDirectory();
    const kubeconfig = await read({ clusters: { a: SERVER }, users: { u: {} }, contexts: { c: ["a", "u"] } });
    const at = (name: string) => join(directory.path, name);
    await refuseForeignTarget(at("absent"), kubeconfig);
    await writeFile(at("overlay"), renderOverlay(kubeconfig, OPTIONS));
    await refuseForeignTarget(at("overlay"), kubeconfig);
    for (const text of ["", "apiVersion: v1\nkind: Config\n", "anything"]) {
      await writeFile(at("foreign"), text);
      await expect(refuseForeignTarget(at("foreign"), kubeconfig)).rejects.toThrow(UserError);
      expect(await readFile(at("foreign"), "utf8")).toBe(text);
    }
  });
});
