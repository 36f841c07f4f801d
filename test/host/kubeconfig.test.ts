// The operator's kubeconfig as kubectl would read it, and what must not be trusted in one.

import { describe, expect, test } from "bun:test";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Kubeconfig, kubeconfigIdentity, readKubeconfig } from "../../src/host/kubeconfig/kubeconfig.ts";
import { UserError } from "../../src/model/user-error.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** A kubeconfig with one cluster, user and context of this name. */
function config(name: string, cluster: object = {}, user: object = { token: "t" }): object {
  return {
    "current-context": name,
    clusters: [{ name, cluster: { server: `https://${name}.example:6443`, ...cluster } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: "web" } }],
  };
}

/** Files by name, written to a fresh directory; objects as JSON. */
async function directoryOf(
  files: Readonly<Record<string, object | string>>,
): Promise<AsyncDisposable & { readonly path: string; file(name: string): string }> {
  const directory = await temporaryDirectory();
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory.path, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  }
  return Object.assign(directory, { file: (name: string) => join(directory.path, name) });
}

async function readOne(content: object | string, context?: string): Promise<Kubeconfig> {
  await using directory = await directoryOf({ config: content });
  return await readKubeconfig({ KUBECONFIG: directory.file("config") }, { context });
}

async function problemOf(reading: Promise<unknown>): Promise<UserError> {
  const problem = await reading.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(problem instanceof UserError)) throw new Error(`no UserError but ${String(problem)}`);
  return problem;
}

describe("which files are read", () => {
  test("~/.kube/config without KUBECONFIG", async () => {
    await using directory = await directoryOf({ ".kube/config": config("home") });
    const { contexts, sources } = await readKubeconfig({ HOME: directory.path });
    expect(contexts.map(({ name }) => name)).toEqual(["home"]);
    expect(sources).toEqual([directory.file(".kube/config")]);
  });

  test("every file of the list; the first to define a name wins, missing ones are passed over", async () => {
    await using directory = await directoryOf({
      first: config("shared", { server: "https://first:1" }),
      second: {
        ...config("shared", { server: "https://second:2" }),
        contexts: config("other")["contexts" as never],
      },
      third: config("other"),
    });
    const list = ["first", "absent", "second", "third"].map((name) => directory.file(name)).join(":");
    const read = await readKubeconfig({ KUBECONFIG: `:${list}:` });
    expect(read.contexts.map(({ name, host, port }) => [name, host, port])).toEqual([
      ["shared", "first", 1],
      ["other", "other.example", 6443],
    ]);
    expect(read.currentContext).toBe("shared");
    expect(read.sources).toHaveLength(3);
  });

  test("none at all is an error that names the place", async () => {
    const problem = await problemOf(readKubeconfig({ HOME: "/nonexistent" }));
    expect(problem.message).toContain("/nonexistent/.kube/config");
    expect(problem.hint).toBeDefined();
  });

  for (const [what, text] of [
    ["not YAML", "a: [b"],
    ["a key twice", "a: 1\na: 2\n"],
    ["a list", "- a\n"],
    ["a text", "hello\n"],
  ] as const)
    test(`a file that is ${what} is an error that names the file`, async () => {
      expect((await problemOf(readOne(text))).message).toContain("/config");
    });

  test("aliases that multiply are not followed without end", async () => {
    const levels = Array.from({ length: 12 }, (_, i) => `l${i}: &l${i} [${`*l${i - 1},`.repeat(9)}]`);
    const bomb = ["l0: &l0 [x,x,x,x,x,x,x,x,x]", ...levels.slice(1)].join("\n");
    const startedMs = performance.now();
    await expect(readOne(bomb)).rejects.toThrow();
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });
});

describe("the server", () => {
  for (const [server, host, port, isTls] of [
    ["https://10.0.0.7:6443", "10.0.0.7", 6443, true],
    ["https://API.Example.:6443", "api.example", 6443, true],
    ["https://[fd00::1]:6443", "fd00::1", 6443, true],
    ["https://api.example", "api.example", 443, true],
    ["https://rancher.example/k8s/clusters/c-1", "rancher.example", 443, true],
    ["10.0.0.7:6443", "10.0.0.7", 6443, true],
    ["http://localhost:8001", "localhost", 8001, false],
    ["http://localhost", "localhost", 80, false],
  ] as const)
    test(`${server} is ${host} port ${port}`, async () => {
      const { contexts } = await readOne(config("a", { server }));
      expect(contexts[0]).toMatchObject({ host, port, isTls });
    });

  for (const server of ["", "ftp://a", "https://", "unix:///var/run/x", "https://a:99999"])
    test(`"${server}" is refused`, async () => {
      expect((await problemOf(readOne(config("a", { server })))).message).toContain("no usable server");
    });
});

describe("trust", () => {
  test("the CA is read from the file beside the kubeconfig or from its data, which wins", async () => {
    await using directory = await directoryOf({
      "kube/config": config("a", { "certificate-authority": "pki/ca.pem" }),
      "kube/pki/ca.pem": CA,
    });
    const [fromFile] = (await readKubeconfig({ KUBECONFIG: directory.file("kube/config") })).contexts;
    expect(fromFile?.caPem).toBe(CA);
    const both = { "certificate-authority": "/nonexistent", "certificate-authority-data": base64(CA) };
    expect((await readOne(config("a", both))).contexts[0]?.caPem).toBe(CA);
    expect((await readOne(config("a"))).contexts[0]?.caPem).toBe("");
  });

  test("a CA that is missing or no certificate is an error that names it", async () => {
    const missing = await problemOf(readOne(config("a", { "certificate-authority": "/nonexistent/ca.pem" })));
    expect(missing.message).toContain("/nonexistent/ca.pem");
    const other = await problemOf(readOne(config("a", { "certificate-authority-data": base64("hello") })));
    expect(other.message).toContain("no PEM certificate");
  });

  for (const value of ["true", '"true"', "yes", "on", "1", '"false"'])
    test(`insecure-skip-tls-verify: ${value} is refused, and the hint says how to add the CA`, async () => {
      const text = `clusters: [{ name: my cluster, cluster: { server: "https://a", insecure-skip-tls-verify: ${value} } }]
contexts: [{ name: c, context: { cluster: my cluster } }]`;
      const problem = await problemOf(readOne(text));
      expect(problem.message).toContain("insecure-skip-tls-verify");
      expect(problem.hint).toContain("kubectl config set-cluster 'my cluster'");
      expect(problem.hint).toContain("--certificate-authority");
    });

  test("insecure-skip-tls-verify: false is what it says, and another context's does not matter", async () => {
    const { contexts } = await readOne(config("a", { "insecure-skip-tls-verify": false }));
    expect(contexts).toHaveLength(1);
    await using directory = await directoryOf({
      good: config("good"),
      bad: config("bad", { "insecure-skip-tls-verify": true }),
    });
    const env = { KUBECONFIG: `${directory.file("good")}:${directory.file("bad")}` };
    expect((await readKubeconfig(env, { context: "good" })).contexts.map(({ name }) => name)).toEqual([
      "good",
    ]);
    expect((await readKubeconfig(env)).unusable.map(({ name }) => name)).toEqual(["bad"]);
  });
});

describe("identities", () => {
  test("a certificate in files is known by their absolute paths", async () => {
    await using directory = await directoryOf({
      config: config("a", {}, { "client-certificate": "pki/a.crt", "client-key": "pki/a.key" }),
      "pki/a.crt": CA,
      "pki/a.key": "key",
    });
    const { contexts } = await readKubeconfig({ KUBECONFIG: directory.file("config") });
    expect(contexts[0]?.identity).toEqual({
      certificatePath: directory.file("pki/a.crt"),
      keyPath: directory.file("pki/a.key"),
    });
  });

  test("an embedded one is known by the kubeconfig and its user, and read from there when needed", async () => {
    const user = { "client-certificate-data": base64(CA), "client-key-data": base64("key") };
    await using directory = await directoryOf({ config: config("a", {}, user) });
    const file = directory.file("config");
    const { contexts } = await readKubeconfig({ KUBECONFIG: file });
    expect(contexts[0]?.identity).toEqual({ certificatePath: file, kubeconfigUser: "a" });
    expect(await kubeconfigIdentity(file, "a", (path) => readFile(path, "utf8"))).toEqual({
      cert: CA,
      key: "key",
    });
    await expect(kubeconfigIdentity(file, "b", (path) => readFile(path, "utf8"))).rejects.toThrow(UserError);
  });

  test("an embedded certificate with its key in a file is put together", async () => {
    const user = { "client-certificate-data": base64(CA), "client-key": "a.key" };
    await using directory = await directoryOf({ config: config("a", {}, user), "a.key": "key" });
    expect(await kubeconfigIdentity(directory.file("config"), "a", (path) => readFile(path, "utf8"))).toEqual(
      {
        cert: CA,
        key: "key",
      },
    );
  });

  test("a token, a plugin or nothing is no identity for iddio to hold", async () => {
    for (const user of [{ token: "t" }, { exec: { command: "aws" } }, {}])
      expect((await readOne(config("a", {}, user))).contexts[0]?.identity).toBeUndefined();
  });

  test("a certificate file that is missing or may not be read is an error that names it", async () => {
    const user = { "client-certificate": "/nonexistent/a.crt", "client-key": "/nonexistent/a.key" };
    expect((await problemOf(readOne(config("a", {}, user)))).message).toContain("/nonexistent/a.crt");
  });
});

describe("contexts", () => {
  test("one that does not exist is an error that lists those that do", async () => {
    const problem = await problemOf(readOne(config("prod"), "staging"));
    expect(problem.message).toContain("'staging'");
    expect(problem.hint).toContain("prod");
  });

  test("one whose cluster is not defined is left out; with none left it is an error", async () => {
    const broken = { name: "broken", context: { cluster: "absent" } };
    const whole = config("a") as { contexts: object[] };
    const read = await readOne({ ...whole, contexts: [broken, ...whole.contexts] });
    expect(read.contexts.map(({ name }) => name)).toEqual(["a"]);
    await problemOf(readOne({ contexts: [broken] }));
  });

  test("the chosen one becomes current", async () => {
    expect((await readOne({ ...config("a"), "current-context": "b" }, "a")).currentContext).toBe("a");
  });
});

describe("an overlay", () => {
  const overlay = (sources: readonly string[]) => ({
    ...config("a", { "proxy-url": "http://iddio:secret@127.0.0.1:9443" }),
    extensions: [{ name: "iddio", extension: { sources } }],
  });

  test("leads back to the files that it was made from", async () => {
    await using directory = await directoryOf({ original: config("original") });
    await writeFile(directory.file("overlay"), JSON.stringify(overlay([directory.file("original")])));
    const read = await readKubeconfig({ KUBECONFIG: directory.file("overlay") });
    expect(read.contexts.map(({ name }) => name)).toEqual(["original"]);
    expect(read.sources).toEqual([directory.file("original")]);
  });

  for (const [what, content] of [
    ["that lost its mark", { ...overlay([]), extensions: [] }],
    ["that names no original", overlay([])],
    ["whose original is gone", overlay(["/nonexistent/config"])],
  ] as const)
    test(`${what} is refused as an overlay`, async () => {
      const problem = await problemOf(readOne(content));
      expect(problem.message).toContain("overlay");
      expect(problem.hint).toContain("KUBECONFIG=");
    });

  test("that names another overlay as its original is refused", async () => {
    await using directory = await directoryOf({ inner: overlay(["/nonexistent"]) });
    await writeFile(directory.file("outer"), JSON.stringify(overlay([directory.file("inner")])));
    await problemOf(readKubeconfig({ KUBECONFIG: directory.file("outer") }));
  });
});

if (process.getuid?.() !== 0)
  test("a kubeconfig that may not be read is an error that says so", async () => {
    await using directory = await directoryOf({ config: config("a") });
    await chmod(directory.file("config"), 0);
    const problem = await problemOf(readKubeconfig({ KUBECONFIG: directory.file("config") }));
    expect(problem.message).toContain("EACCES");
  });

describe("one context", () => {
  const two = (bad: object) =>
    JSON.stringify({
      clusters: [
        { name: "a", cluster: { server: "https://10.0.0.7:6443" } },
        { name: "b", cluster: { server: "https://10.0.0.8:6443", ...bad } },
      ],
      contexts: [
        { name: "a", context: { cluster: "a" } },
        { name: "b", context: { cluster: "b" } },
      ],
      "current-context": "b",
    });
  const readText = async (text: string) => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "config");
    await writeFile(file, text);
    return await readKubeconfig({ KUBECONFIG: file });
  };

  test("that cannot be used does not stop the others, and is named with the reason", async () => {
    for (const bad of [
      { "insecure-skip-tls-verify": true },
      { "proxy-url": "socks4://127.0.0.1:1080" },
      { "proxy-url": "nonsense" },
      { server: "https://10.0.0.7/a%2fb" },
      { server: "https://10.0.0.7/a/../b" },
      { server: "https://10.0.0.7/api/v1/namespaces/n/services/s/proxy" },
      { server: "" },
    ]) {
      const { contexts, unusable, currentContext } = await readText(two(bad));
      expect(contexts.map(({ name }) => name)).toEqual(["a"]);
      expect(unusable).toEqual([{ name: "b", reason: expect.stringContaining("cluster 'b'") }]);
      expect(currentContext).toBe("");
    }
  });

  test("is read as kubectl reads it: the first document, and the last of a repeated key", async () => {
    const text = `${two({})}\n---\nclusters: []\n`;
    expect((await readText(text)).contexts.length).toBe(2);
    const repeated = two({}).replace(
      '"name":"a","cluster":{',
      '"name":"a","cluster":{"server":"https://10.0.0.1",',
    );
    expect((await readText(repeated)).contexts[0]?.host).toBe("10.0.0.7");
  });
});
