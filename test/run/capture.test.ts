// Real programs in the sandbox, without any proxy variable: the gateway sees each of them, and each
// trusts what it is shown.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Entry } from "../../src/model/entry.ts";
import { findClient } from "../support/clients.ts";
import { noSandbox, type Sandbox, startSandbox } from "../support/sandbox/sandbox.ts";

const LONG_MS = 120_000;

const packet = (text: string) => `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;

/** The answers of a server to git and of a registry to npm. */
function answers(path: string): Response | undefined {
  if (path === "/repository.git/info/refs") {
    const id = "1".repeat(40);
    return new Response(
      `${packet("# service=git-upload-pack\n")}0000${packet(`${id} refs/heads/main\0\n`)}0000`,
      { headers: { "content-type": "application/x-git-upload-pack-advertisement" } },
    );
  }
  if (path === "/left-pad")
    return Response.json({
      name: "left-pad",
      "dist-tags": { latest: "9.9.9" },
      versions: { "9.9.9": { name: "left-pad", version: "9.9.9", dist: { tarball: "x" } } },
    });
  if (path === "/simple/demo/")
    return new Response('<a href="demo-9.9.9-py3-none-any.whl">demo-9.9.9-py3-none-any.whl</a>', {
      headers: { "content-type": "text/html" },
    });
  if (path === "/version") return Response.json({ gitVersion: "v9.9.9" });
  return undefined;
}

const JAVA = `
import java.net.URI;
import java.net.http.*;
public class Fetch {
  public static void main(String[] args) throws Exception {
    var request = HttpRequest.newBuilder(URI.create("https://java.seen.example/")).build();
    System.out.print(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body());
  }
}
`;

const CLIENTS: Readonly<Record<string, { readonly script: string; readonly says: string }>> = {
  curl: { script: "curl -sS https://curl.seen.example/", says: "hello from curl.seen.example" },
  node: {
    script: `node -e 'fetch("https://node.seen.example/").then((a) => a.text()).then((t) => process.stdout.write(t))'`,
    says: "hello from node.seen.example",
  },
  python3: {
    script: `/usr/bin/python3 -c 'import urllib.request; print(urllib.request.urlopen("https://python3.seen.example/").read().decode())'`,
    says: "hello from python3.seen.example",
  },
  git: { script: "git ls-remote https://git.seen.example/repository.git", says: "refs/heads/main" },
  npm: {
    script: "npm view left-pad version --registry https://npm.seen.example/",
    says: "9.9.9",
  },
  pip: {
    script:
      "/usr/bin/python3 -m pip --disable-pip-version-check index versions demo --index-url https://pip.seen.example/simple",
    says: "demo (9.9.9)",
  },
  kubectl: {
    script: "kubectl --token x --server https://kubectl.seen.example get --raw /version",
    says: "v9.9.9",
  },
  // The plainest collector and compiler: half of the time.
  java: {
    script: "java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 Fetch.java",
    says: "hello from java.seen.example",
  },
};

describe.if(noSandbox() === undefined)("without any proxy variable", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox({ answers });
    for (const name of Object.keys(CLIENTS)) await sandbox.serve(`${name}.seen.example`);
    await sandbox.write(join(sandbox.project, "Fetch.java"), JAVA);
  }, LONG_MS);

  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
  }, LONG_MS);

  test(
    "no proxy variable is set",
    async () => {
      const { stdout } = await sandbox.inside("env");
      expect(stdout).not.toMatch(/^(?:https?|all|no)_proxy=/im);
      expect(stdout).toContain("IDDIO_RUN=sh\n");
    },
    LONG_MS,
  );

  for (const [name, { script, says }] of Object.entries(CLIENTS))
    test.concurrent(
      `${name} is seen by the gateway and trusts it`,
      async () => {
        if (findClient(name) === undefined) return;
        if (name === "pip" && !Bun.spawnSync(["/usr/bin/python3", "-c", "import pip"]).success) return;
        const { stdout, stderr } = await sandbox.inside(script, { flags: ["--name", `run-${name}`] });
        expect([stdout, stderr].join("\n")).toContain(says);
        const isSeen = ({ op, fields }: Entry) => op === "mitm" && fields.host === `${name}.seen.example`;
        const row = (await sandbox.rowsWhen((all) => all.some(isSeen))).find(isSeen);
        expect(row?.fields.client).toMatchObject({ run: `run-${name}` });
        expect(row?.fields.client?.run_id).toMatch(/^run_[0-9a-f]{8}$/);
      },
      LONG_MS,
    );

  test(
    "plain HTTP is seen too, and a host that is not inspected passes with a row",
    async () => {
      const { stdout } = await sandbox.inside(
        "curl -sS http://plain.seen.example/; curl -sSk https://a.unseen.example/",
      );
      expect(stdout).toBe("hello from plain.seen.example\nhello from a.unseen.example\n");
      const rows = await sandbox.rowsWhen((all) =>
        all.some(({ fields }) => fields.host === "a.unseen.example"),
      );
      expect(rows.find(({ fields }) => fields.host === "a.unseen.example")?.fields.client?.run).toBe("sh");
      expect(rows.find(({ fields }) => fields.host === "plain.seen.example")?.op).toBe("mitm");
    },
    LONG_MS,
  );

  test(
    "a refusal can be read by what speaks plain HTTP; anything else sees its connection end, without a word of iddio's",
    async () => {
      const { stdout } = await sandbox.inside(
        `curl -s http://169.254.169.254/; perl -MIO::Socket -e 'my $s = IO::Socket::INET->new("169.254.169.254:443") or exit; print "[", <$s>, "]"'`,
      );
      expect(stdout).toContain("a run must not connect to a link-local address");
      expect(stdout).toEndWith("[]");
    },
    LONG_MS,
  );

  test(
    "a program that knows the proxy may use it as well",
    async () => {
      const proxy = `http://127.0.0.1:${sandbox.proxyPort}`;
      const { stdout, stderr } = await sandbox.inside(
        `HTTPS_PROXY=${proxy} curl -sS https://curl.seen.example/; HTTPS_PROXY=http://127.0.0.1:9443 curl -sS https://curl.seen.example/`,
      );
      expect([stdout, stderr]).toEqual(["hello from curl.seen.example\n".repeat(2), ""]);
    },
    LONG_MS,
  );
});
